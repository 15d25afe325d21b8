"""A new saved run among the others: numbered as pytest-benchmark does, whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from whisper_bench.files.scratch import as_bench_error, whole
from whisper_bench.files.whole import claim

_FIRST_DIGITS = 4
STORAGE_OPTIONS = "--benchmark-storage, --storage"


def next_path(folder: Path, name: str) -> Path:
    """Return the next free name in a machine's folder of the storage."""
    # pytest-benchmark counts the files that lie in the storage itself as well
    paths = [*folder.glob("*.json"), *folder.parent.glob("*.json")]
    numbers = [path.name.partition("_")[0] for path in paths]
    newest = max((int(number) for number in numbers if number.isdecimal()), default=0)
    return folder / f"{newest + 1:0{_FIRST_DIGITS}}_{name}.json"


def save_numbered(folder: Path, name: str, content: bytes) -> Path:
    """Save a run under the next number; on the disk when this returns.

    Raises:
        BenchError: it cannot be written; nothing is left behind.

    """
    first = next_path(folder, name)
    with (
        whole(first, content, option=STORAGE_OPTIONS) as scratch,
        as_bench_error(first, STORAGE_OPTIONS),
    ):
        while not claim(scratch, path := next_path(folder, name)):
            pass  # another run has taken the number a moment ago
    _flush_folder(folder)
    return path


def _flush_folder(folder: Path) -> None:
    """Force a new name to the disk: what it was made from may be deleted next."""
    with suppress(OSError):  # not every file system does so for folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
