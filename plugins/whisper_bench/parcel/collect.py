"""From a log to a saved run among the others, and its result files."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.files.scratch import remove
from whisper_bench.files.whole import holds, write_all_new
from whisper_bench.parcel.log_file import LogError
from whisper_bench.parcel.parcel import Parcel, parcel_of
from whisper_bench.parcel.payload import Gathered
from whisper_bench.parcel.reassemble import MOST_HELD, Scanner
from whisper_bench.results.convert import results_of
from whisper_bench.results.files import result_content, result_line
from whisper_bench.results.schema import Result
from whisper_bench.saved.file import parse_saved
from whisper_bench.saved.find import save_name
from whisper_bench.saved.number import save_numbered

_SHOWN = 200
"""Characters of a line."""
_MOST_RUNS = 1000
"""Saved from one log; a fleet has a run a node."""
_MOST_FAULTS = 20
"""Told of the runs that are not whole; the others are counted."""
_SEVERAL = " + "
"""Between the names of logs that one run was put together from."""


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


class Collection:
    """Saves the runs of some logs, in any order: `take` each, then `finish`.

    A run whose frames are in more than one of them is put together. A run that is not whole is a
    fault; it keeps no other from being saved. Where a save name was asked for, one run under that
    name is due in each log.
    """

    def __init__(self, storage: Path, results: Path, save_name: str | None = None) -> None:
        self._storage = storage
        self._results = results
        self._save_name = save_name
        self._pending: dict[str, tuple[Gathered, list[str]]] = {}
        self._held = 0
        self._dropped: set[str] = set()
        self._whole: set[str] = set()
        self.collected: list[Collected] = []
        self.faults: list[str] = []

    def take(self, log: str, parts: Iterable[tuple[str, Iterable[str]]]) -> None:
        """Save the whole runs of a log, given as the name and text of each file of it.

        Raises:
            BenchError: a file cannot be written.

        """
        before = len(self.faults)
        scanner = self._scanned(parts)
        self.faults += [f"{log}: {fault}" for fault in scanner.faults]
        if not scanner.gathered and len(self.faults) == before:
            self.faults.append(f"{log}: {_nothing(scanner.tail)}")
        whole = []
        for gathered in scanner.gathered.values():
            if gathered.is_whole:
                whole.append(gathered)
            else:
                self._keep(log, gathered)
        if self._save_name is not None and len(whole) > 1:
            self.faults.append(f"{log}: {len(whole)} saved runs in it, and one is due")
            return
        for gathered in whole[:_MOST_RUNS]:
            self._take(log, gathered)
        if len(whole) > _MOST_RUNS:
            self.faults.append(
                f"{log}: {len(whole)} saved runs in it, and the first {_MOST_RUNS} were taken; "
                "give fewer at once"
            )

    def finish(self) -> None:
        """Tell which runs are not whole, now that no more logs come."""
        pending = [each for name, each in self._pending.items() if name not in self._whole]
        for gathered, logs in pending[:_MOST_FAULTS]:
            self.faults.append(f"{_SEVERAL.join(logs)}: {gathered.payload().fault}")
        if len(pending) > _MOST_FAULTS:
            logs = [*dict.fromkeys(log for _, logs in pending[_MOST_FAULTS:] for log in logs)]
            more = len(pending) - _MOST_FAULTS
            self.faults.append(f"{_SEVERAL.join(logs)}: {more} more runs are not whole")
        self._pending = {}
        self.faults += [
            f"{log}: more than {MOST_HELD} frames of runs that are not whole; give fewer logs "
            "at once"
            for log in sorted(self._dropped)
        ]

    def _scanned(self, parts: Iterable[tuple[str, Iterable[str]]]) -> Scanner:
        scanner = Scanner()
        for part, pieces in parts:
            try:
                for piece in pieces:
                    scanner.feed(piece)
            except LogError as error:
                self.faults.append(f"{part}: {error}")
        scanner.finish()
        return scanner

    def _keep(self, log: str, gathered: Gathered) -> None:
        """Keep what there is of a run until another log has the rest."""
        known, logs = self._pending.pop(gathered.id, (None, []))
        if known is not None:
            self._held -= len(known)
            gathered.join(known)
        logs = [*logs, log]
        if gathered.is_whole:
            self._take(_SEVERAL.join(logs), gathered)
            return
        if self._held + len(gathered) > MOST_HELD:
            self._dropped.update(logs)
            return
        self._held += len(gathered)
        self._pending[gathered.id] = gathered, logs

    def _take(self, log: str, gathered: Gathered) -> None:
        self._whole.add(gathered.id)
        try:
            parcel = parcel_of(gathered.payload(), self._save_name)
            run = parse_saved(parcel.saved.encode(), parcel.save_name)
            results = results_of(run, parcel.save_name, parcel.save_name)
        except BenchError as error:
            self.faults.append(f"{log}: {error}")
            return
        self.collected.append(_save(log, parcel, results, self._storage, self._results))


def _nothing(tail: Iterable[str]) -> str:
    last = " / ".join(line[:_SHOWN] for line in tail)
    if not last:
        return "the log is empty"
    return (
        "no results in it (no line has a whisper-bench-frame): the run did not end, or had no "
        f"--whisper-frames. The log ends: {last}"
    )


def _save(log: str, parcel: Parcel, found: list[Result], storage: Path, results: Path) -> Collected:
    content = parcel.saved.encode()
    folder = storage / parcel.folder
    there = _same(folder, parcel.save_name, content)
    files = [result_content(each, results) for each in found]
    saved_run = there or save_numbered(folder, parcel.save_name, content)
    try:
        paths = write_all_new(files)
    except BaseException:
        if there is None:
            remove(saved_run)
        raise
    return Collected(
        save_name=parcel.save_name,
        log=log,
        saved_run=saved_run,
        results=[ResultFile(*each) for each in zip(paths, found, strict=True)],
        new=there is None,
    )


def _same(folder: Path, name: str, content: bytes) -> Path | None:
    """Return the file that holds these bytes already, so that collecting twice is one run."""
    own = (path for path in sorted(folder.glob("*.json")) if save_name(path) == name)
    return next((path for path in own if holds(path, content)), None)
