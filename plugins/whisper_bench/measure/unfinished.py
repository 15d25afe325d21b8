"""Journals that runs have left, and those that a run is writing now: the lock tells them apart."""

import fcntl
import os
import time
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.files.whole import read_bounded

FOLDER = "journal"
ENDING = ".jsonl"
_LOCK_WAIT_S = 0.5
"""Longer than anybody needs to see whether a journal is locked, which locks it for that moment."""
_LOCK_LOOK_S = 0.02


class Left(msgspec.Struct, frozen=True):
    """The journals with rounds of a save name; those in progress are another run's to write."""

    unfinished: list[Path]
    in_progress: list[Path]


def left_of(results: Path, name: str) -> Left:
    """List the journals with rounds of runs of this name, the newest last."""
    own = (path for path in _journals(results) if _name_of(path) == name)
    left = Left([], [])
    for path in sorted(path for path in own if _holds_rounds(path)):
        (left.in_progress if _is_locked(path) else left.unfinished).append(path)
    return left


def unfinished_names(results: Path) -> list[str]:
    """List the save names of the runs that can be continued."""
    journals = (path for path in _journals(results) if _holds_rounds(path) and not _is_locked(path))
    return sorted({_name_of(path) for path in journals})


def _journals(results: Path) -> Iterator[Path]:
    return (results / FOLDER).glob(f"*{ENDING}")


def _name_of(path: Path) -> str:
    return path.stem.rpartition("_")[0]


def open_locked(path: Path, flags: int = 0) -> FileIO:
    """Open a journal to append to, for this run alone; it must be there unless `flags` make it.

    Raises:
        BenchError: another run is writing it.
        OSError: it cannot be opened, or the run that wrote it has just deleted it.

    """

    def opened(name: str, _flags: int) -> int:
        # O_APPEND: a line goes to the end, wherever that is after an append that failed
        return os.open(name, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | flags, 0o666)

    file = FileIO(str(path), "a+", opener=opened)
    try:
        _lock(file, path)
        path.stat()  # not there where its run has saved and deleted it meanwhile
    except BaseException:
        file.close()
        raise
    return file


def _lock(file: FileIO, path: Path) -> None:
    until_s = time.monotonic() + _LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until_s:
                raise BenchError(
                    f"{path}: another run is writing it; before you resume, wait until it ends or "
                    "stop it"
                ) from None
            time.sleep(_LOCK_LOOK_S)
        else:
            return


def _holds_rounds(path: Path) -> bool:
    try:
        return b'{"type":"round"' in read_bounded(path)
    except OSError:  # deleted a moment ago, or a folder; what may not be read is told on resuming
        return path.is_file()


def _is_locked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # deleted a moment ago, or not to be read: told on resuming
        return False
    return False
