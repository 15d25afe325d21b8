"""From a log to a saved run among the others, and its result files."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from whisper_bench.cluster.frames import human_lines
from whisper_bench.cluster.parcel import Parcel, unpack
from whisper_bench.errors import BenchError
from whisper_bench.files import write_all_new
from whisper_bench.results.convert import results_of
from whisper_bench.results.files import result_content, result_line
from whisper_bench.results.schema import Result
from whisper_bench.saved.file import parse_saved
from whisper_bench.saved.number import next_path

_TAIL_LINES = 3
_SHOWN = 200
"""Characters of a line."""


class ResultFile(msgspec.Struct, frozen=True):
    """A result, and where it was written."""

    file: Path
    result: Result


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """A run that came home: `new` is false where these very bytes were saved already."""

    save_name: str
    log: str
    saved_run: Path
    results: list[ResultFile]
    new: bool

    def lines(self) -> list[str]:
        """Tell it to people."""
        what = "collected" if self.new else "already there:"
        files = [f"  {result_line(each.file, each.result)}" for each in self.results]
        return [f"{what} {self.save_name} from {self.log}: {self.saved_run}", *files]


def collect(
    logs: Iterable[tuple[str, str]], storage: Path, results: Path
) -> tuple[list[Collected], list[str]]:
    """Save the whole runs of some logs, given as name and text, and tell what is wrong.

    A run that is not whole is a fault; it keeps no other from being saved.

    Raises:
        BenchError: a file cannot be written.

    """
    ready, faults = [], []
    for log, text in logs:
        found, wrong = _read(text)
        ready += [(log, *each) for each in found]
        faults += [f"{log}: {fault}" for fault in wrong]
    collected = [_save(*each, storage, results) for each in ready]
    return collected, faults


def _read(text: str) -> tuple[list[tuple[Parcel, list[Result]]], list[str]]:
    parcels, faults = unpack(text)
    if not parcels and not faults:
        faults.append(_nothing(text))
    found = []
    for parcel in parcels:
        try:
            run = parse_saved(parcel.saved.encode(), parcel.save_name)
            found.append((parcel, results_of(run, parcel.save_name, parcel.save_name)))
        except BenchError as error:
            faults.append(str(error))
    return found, faults


def _nothing(text: str) -> str:
    tail = [line for line in human_lines(text) if line.strip()][-_TAIL_LINES:]
    if not tail:
        return "the log is empty"
    last = " / ".join(line.strip()[:_SHOWN] for line in tail)
    return (
        "no results in it (no line has a whisper-bench-frame): the run did not end, or had no "
        f"--whisper-frames. The log ends: {last}"
    )


def _save(log: str, parcel: Parcel, found: list[Result], storage: Path, results: Path) -> Collected:
    content = parcel.saved.encode()
    folder = storage / parcel.folder
    there = _same(folder, parcel.save_name, content)
    files = [result_content(each, results) for each in found]
    if there is None:
        files.insert(0, (next_path(folder, parcel.save_name), content))
    paths = write_all_new(files)
    saved_run = there or paths.pop(0)
    return Collected(
        save_name=parcel.save_name,
        log=log,
        saved_run=saved_run,
        results=[ResultFile(*each) for each in zip(paths, found, strict=True)],
        new=there is None,
    )


def _same(folder: Path, name: str, content: bytes) -> Path | None:
    """Return the file that holds these bytes already, so that collecting twice is one run."""
    candidates: Sequence[Path] = sorted(folder.glob("*.json"))
    size = len(content)
    return next(
        (
            path
            for path in candidates
            if path.name.endswith(f"_{name}.json")
            and path.stat().st_size == size
            and path.read_bytes() == content
        ),
        None,
    )
