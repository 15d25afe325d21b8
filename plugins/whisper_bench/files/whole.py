"""Files that are written whole or not at all, and never over one another."""

import os
import stat
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.files.scratch import NO_LINKS, remove, telling, whole
from whisper_bench.files.write_errors import reason_of
from whisper_bench.text.plain import quoted

_NO_FILE_NAME = "/\\\0"
_MOST_NAME_BYTES = 240
"""Of 255 that file systems take; the rest is for what tells a file apart that is being written."""

MOST_FILE_BYTES = 2**28
"""Of a saved run, a journal, a result file or a ratio_config.json. A run of 100,000 rounds, which
take a day at a second each, has 48 MiB saved; a round's line in its journal had 1.9 KB here."""

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises of a file that is not what it should be."""


def read_bounded(path: Path, most_bytes: int | None = None) -> bytes:
    """Read a plain file of at most so many bytes: a pipe or a device may never end.

    Raises:
        OSError: it cannot be read, is larger (than `MOST_FILE_BYTES`), or is not a regular file.

    """
    most_bytes = MOST_FILE_BYTES if most_bytes is None else most_bytes
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # to open a pipe may already wait without end
        raise OSError("it is not a regular file")
    with path.open("rb") as file:
        content = file.read(min(status.st_size, most_bytes) + 1)
    if len(content) > most_bytes:
        raise OSError(f"it has more than {most_bytes} bytes")
    return content


def check_writable(folder: Path, what: str, remedy: str, *, make: bool = True) -> None:
    """Find out now that nothing could be written in a folder; it is made where it is not there.

    Raises:
        BenchError: nothing can; `what` names it and `remedy` what helps.

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

    Whoever takes a name from outside has checked it (`files.names`); this is the last look at what
    was put together from several.

    Raises:
        BenchError: the name is none of a file in this folder, or longer than one can be.

    """
    size = len(name.encode(errors="surrogateescape"))
    if name in {"", ".", ".."} or any(sign in name for sign in _NO_FILE_NAME):
        raise BenchError(f"{quoted(name)} is no name of a file in {folder}; give another name")
    if size > _MOST_NAME_BYTES:
        raise BenchError(
            f"{quoted(name)}: the name of a file in {folder} would have {size} bytes, "
            f"{_MOST_NAME_BYTES} are the most; give the run or the clip a shorter name"
        )
    return folder / name


def write_new(path: Path, content: bytes) -> Path:
    """Write `content` under `path`, or under `path` with _2, _3 ... where that name is taken.

    A file that already holds these very bytes is left as it is, so that writing twice is one file.

    Raises:
        BenchError: the folder or the file cannot be written; nothing is left behind.

    """
    return write_all_new([(path, content)])[0]


def write_all_new(contents: Iterable[tuple[Path, bytes]]) -> list[Path]:
    """Write several files as `write_new` does each: all of them, or none where one cannot be.

    Raises:
        BenchError: a folder or file cannot be written; nothing is left behind.

    """
    with ExitStack() as stack:
        ready = [
            (stack.enter_context(whole(path, content)), path, content) for path, content in contents
        ]
        made: list[Path] = []
        try:
            return [_claim_free_name(*each, made) for each in ready]
        except BaseException:
            for path in made:
                remove(path)
            raise


def claim(scratch: Path, path: Path) -> bool:
    """Give a scratch file the name `path`, unless that is taken; tell whether it has it now.

    Raises:
        OSError: the file system refuses.

    """
    try:
        # link fails where the name exists, even one made a moment ago: nothing is overwritten
        os.link(scratch, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        return _claimed_without_link(scratch, path)
    return True


def _claim_free_name(scratch: Path, path: Path, content: bytes, made: list[Path]) -> Path:
    """Return the name that a scratch file now has; one that is new goes into `made`."""
    candidate, number = path, 1
    with telling(path):
        while not claim(scratch, candidate):
            if holds(candidate, content):
                return candidate
            number += 1
            candidate = path.with_name(f"{path.stem}_{number}{path.suffix}")
    made.append(candidate)
    return candidate


def holds(path: Path, content: bytes) -> bool:
    """Tell whether these very bytes are there; a folder or a link to nothing holds none."""
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def _claimed_without_link(scratch: Path, path: Path) -> bool:
    """Take a free name by making an empty file of it, then put the whole file in its place."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    scratch.replace(path)
    return True
