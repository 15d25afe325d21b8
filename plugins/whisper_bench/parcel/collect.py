"""From a log to a saved run in the storage, and its result files."""

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
"""Incomplete runs that are reported one by one; the others are counted."""
_SEVERAL = " + "
"""Between the names of the logs that one run was joined from."""


class ResultFile(msgspec.Struct, frozen=True):
    """A result, and the file that it was written to."""

    file: Path
    result: Result


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was saved here: `new` is false if the same bytes were saved before."""

    save_name: str
    log: str
    saved_run: Path
    results: list[ResultFile]
    new: bool

    def lines(self) -> list[str]:
        """Return lines for people."""
        what = "collected" if self.new else "already there:"
        files = [f"  {result_line(item.file, item.result)}" for item in self.results]
        return [f"{what} {self.save_name} from {self.log}: {self.saved_run}", *files]


class Collection:
    """Saves the runs of some logs, in any order: `take` each, then `finish`.

    A run whose frames are in more than one of them is joined. An incomplete run is a fault; the
    others are saved all the same. With a save name, each log must have one run under that name.
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
        """Save the complete runs of a log, given as the name and text of each of its files.

        Raises:
            BenchError: a file cannot be written.

        """
        before = len(self.faults)
        scanner = self._scanned(parts)
        self.faults += [f"{log}: {fault}" for fault in scanner.faults]
        if not scanner.gathered and len(self.faults) == before:
            self.faults.append(f"{log}: {_no_results(scanner.tail)}")
        complete = []
        for gathered in scanner.gathered.values():
            if gathered.is_whole:
                complete.append(gathered)
            else:
                self._keep(log, gathered)
        if self._save_name is not None and len(complete) > 1:
            self.faults.append(
                f"{log}: it has {len(complete)} saved runs, and must have one; print no older run"
            )
            return
        for gathered in complete[:_MOST_RUNS]:
            self._take(log, gathered)
        if len(complete) > _MOST_RUNS:
            self.faults.append(
                f"{log}: it has {len(complete)} saved runs, and only the first {_MOST_RUNS} were "
                "saved; pass fewer runs at once"
            )

    def finish(self) -> None:
        """Report which runs are incomplete, now that no more logs come."""
        pending = [run for name, run in self._pending.items() if name not in self._whole]
        for gathered, logs in pending[:_MOST_FAULTS]:
            self.faults.append(f"{_SEVERAL.join(logs)}: {gathered.payload().fault}")
        if len(pending) > _MOST_FAULTS:
            logs = [*dict.fromkeys(log for _, logs in pending[_MOST_FAULTS:] for log in logs)]
            more = len(pending) - _MOST_FAULTS
            self.faults.append(f"{_SEVERAL.join(logs)}: {more} more runs are incomplete")
        self._pending = {}
        self.faults += [
            f"{log}: more than {MOST_HELD} frames of incomplete runs; pass fewer logs at once"
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
        """Keep the frames of a run until another log has the rest."""
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


def _no_results(tail: Iterable[str]) -> str:
    last = " / ".join(line[:_SHOWN] for line in tail)
    if not last:
        return "the log is empty"
    return (
        "it has no results (no line has a whisper-bench-frame); run again to the end, with "
        f"--whisper-frames. The log ends: {last}"
    )


def _save(
    log: str, parcel: Parcel, results: list[Result], storage: Path, results_folder: Path
) -> Collected:
    content = parcel.saved.encode()
    folder = storage / parcel.folder
    existing = _same(folder, parcel.save_name, content)
    files = [result_content(result, results_folder) for result in results]
    saved_run = existing or save_numbered(folder, parcel.save_name, content)
    try:
        paths = write_all_new(files)
    except BaseException:
        if existing is None:
            remove(saved_run)
        raise
    return Collected(
        save_name=parcel.save_name,
        log=log,
        saved_run=saved_run,
        results=[ResultFile(*pair) for pair in zip(paths, results, strict=True)],
        new=existing is None,
    )


def _same(folder: Path, name: str, content: bytes) -> Path | None:
    """Return the file that has these bytes already, so that collecting twice saves one run."""
    own = (path for path in sorted(folder.glob("*.json")) if save_name(path) == name)
    return next((path for path in own if holds(path, content)), None)
