"""Files that are written completely or not at all, and never over one another."""

import os
import stat
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.files.scratch import NO_LINKS, as_bench_error, remove, whole
from whisper_bench.files.write_errors import reason_of
from whisper_bench.text.plain import quoted

_NO_FILE_NAME = "/\\\0"
_MOST_NAME_BYTES = 240
"""Of 255 that file systems allow; the rest is for the mark of a file that is being written."""

MOST_FILE_BYTES = 2**28
"""Of a saved run, a journal, a result file or a ratio_config.json. A run of 100,000 rounds, which
take a day at a second each, has 48 MiB saved; a round's line in its journal had 1.9 KB here."""

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises if a file is not valid."""


def read_bounded(path: Path, most_bytes: int | None = None) -> bytes:
    """Read a regular file of at most so many bytes: a pipe or a device may never end.

    Raises:
        OSError: it cannot be read, is larger (than `MOST_FILE_BYTES`), or is not a regular file.

    """
    most_bytes = MOST_FILE_BYTES if most_bytes is None else most_bytes
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # opening a pipe may already wait forever
        raise OSError("it is not a regular file")
    with path.open("rb") as file:
        content = file.read(min(status.st_size, most_bytes) + 1)
    if len(content) > most_bytes:
        raise OSError(f"it has more than {most_bytes} bytes")
    return content


def check_writable(folder: Path, what: str, remedy: str, *, make: bool = True) -> None:
    """Check that a file can be written in a folder; the folder is made if it is missing.

    Raises:
        BenchError: none can; the message begins with `what` and ends with `remedy`.

    """
    try:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BenchError(
            f"{what} cannot be written in {folder} ({reason_of(error)}); {remedy}"
        ) from error


def in_folder(folder: Path, name: str) -> Path:
    """Return the path of a name in a folder, and never one outside it.

    A name from outside was checked as it was read (`files.names`); this is the last check of a name
    that was made from several.

    Raises:
        BenchError: the name is not that of a file in this folder, or is too long.

    """
    size = len(name.encode(errors="surrogateescape"))
    if name in {"", ".", ".."} or any(sign in name for sign in _NO_FILE_NAME):
        raise BenchError(f"{quoted(name)} cannot be a file name in {folder}; give another name")
    if size > _MOST_NAME_BYTES:
        raise BenchError(
            f"{quoted(name)}: this file name in {folder} would have {size} bytes, and at most "
            f"{_MOST_NAME_BYTES} are allowed; give the run or the clip a shorter name"
        )
    return folder / name


def write_new(path: Path, content: bytes) -> Path:
    """Write `content` to `path`, or to `path` with _2, _3 ... if that name is taken.

    A file that already has the same bytes is left as it is, so that writing twice gives one file.

    Raises:
        BenchError: the folder or the file cannot be written; nothing is left behind.

    """
    return write_all_new([(path, content)])[0]


def write_all_new(contents: Iterable[tuple[Path, bytes]]) -> list[Path]:
    """Write several files as `write_new` does: all of them, or none if one cannot be written.

    Raises:
        BenchError: a folder or file cannot be written; nothing is left behind.

    """
    with ExitStack() as stack:
        ready = [
            (stack.enter_context(whole(path, content)), path, content) for path, content in contents
        ]
        made: list[Path] = []
        try:
            return [_claim_free_name(*file, made) for file in ready]
        except BaseException:
            for path in made:
                remove(path)
            raise


def claim(scratch: Path, path: Path) -> bool:
    """Give a scratch file the name `path`, unless that is taken; return whether it has it now.

    Raises:
        OSError: the file system refuses.

    """
    try:
        # link fails if the name exists, even since a moment ago: nothing is overwritten
        os.link(scratch, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        return _claimed_without_link(scratch, path)
    return True


def _claim_free_name(scratch: Path, path: Path, content: bytes, made: list[Path]) -> Path:
    """Return the name that a scratch file now has; a new one is added to `made`."""
    candidate, number = path, 1
    with as_bench_error(path):
        while not claim(scratch, candidate):
            if holds(candidate, content):
                return candidate
            number += 1
            candidate = path.with_name(f"{path.stem}_{number}{path.suffix}")
    made.append(candidate)
    return candidate


def holds(path: Path, content: bytes) -> bool:
    """Tell whether a file has these bytes; a folder or a broken link has none."""
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _claimed_without_link(scratch: Path, path: Path) -> bool:
    """Take a free name with an empty file, then move the complete file there."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    scratch.replace(path)
    return True
