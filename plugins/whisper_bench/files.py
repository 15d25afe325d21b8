"""Files that are written whole or not at all, and never over one another."""

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.text import quoted

_NO_FILE_NAME = "/\\\0"
_MOST_NAME_BYTES = 240
"""Of 255 that file systems take; the rest is for what tells a file apart that is being written."""
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK}
"""What file systems without hard links answer (exFAT, some network volumes)."""


UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises of a file that is not what it should be."""


def sha256_of(path: Path) -> str:
    """Return the hexadecimal sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
            f"{what} cannot be written in {folder} ({error.strerror or error}); {remedy}"
        ) from error


def in_folder(folder: Path, name: str) -> Path:
    """Return the path of a name in a folder, and never one outside it.

    Whoever takes a name from outside has checked it (`whisper_bench.names`); this is the last look
    at what was put together from several.

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
    with _whole(path, content) as scratch:
        return _claim_free_name(scratch, path, content)


def write_over(path: Path, content: bytes) -> Path:
    """Write `content` under `path`, in the place of what was there; see `write_all_over`."""
    write_all_over({path: content})
    return path


def write_all_over(contents: Mapping[Path, bytes]) -> None:
    """Write several files in the place of what was there: all of them, or none where one cannot be.

    A link stays one, and its file is written; a file that was there keeps its mode.

    Raises:
        BenchError: a folder or file cannot be written; what was there is as it was.

    """
    with ExitStack() as stack:
        ready = []
        for path, content in contents.items():
            place = path.resolve()
            scratch = stack.enter_context(_whole(place, content))
            if place.exists():
                scratch.chmod(stat.S_IMODE(place.stat().st_mode))
            ready.append((scratch, place))
        for scratch, place in ready:
            scratch.replace(place)


@contextmanager
def _whole(path: Path, content: bytes) -> Iterator[Path]:
    """Give a whole file beside `path`, on the disk, to be moved there; nothing is left of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        scratch = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            _flush_to_disk(scratch)
            scratch.chmod(0o644)
            yield scratch
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise BenchError(
            f"cannot write {path}: {error.strerror or error}; free the disk or name another "
            "folder (--whisper-results, --results)"
        ) from error


def _claim_free_name(scratch: Path, path: Path, content: bytes) -> Path:
    candidate, number = path, 1
    while not _claimed(scratch, candidate, content):
        number += 1
        candidate = path.with_name(f"{path.stem}_{number}{path.suffix}")
    return candidate


def _claimed(scratch: Path, candidate: Path, content: bytes) -> bool:
    try:
        # link fails where the name exists, even one made a moment ago: nothing is overwritten
        os.link(scratch, candidate)
    except FileExistsError:
        return candidate.read_bytes() == content
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _claimed_without_link(scratch, candidate, content)
    return True


def _claimed_without_link(scratch: Path, candidate: Path, content: bytes) -> bool:
    """Take a free name by making an empty file of it, then put the whole file in its place."""
    try:
        candidate.touch(exist_ok=False)
    except FileExistsError:
        return candidate.read_bytes() == content
    scratch.replace(candidate)
    return True


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
