"""Scratch files: whole and on the disk under a hidden name, before they get their own."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from whisper_bench.errors import BenchError
from whisper_bench.files.write_errors import reason_of, remedy_of

NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}
"""What file systems without hard links answer (exFAT, some network volumes)."""
RESULTS_OPTIONS = "--whisper-results, --results"


@contextmanager
def telling(path: Path, option: str = RESULTS_OPTIONS) -> Iterator[None]:
    """Turn the system's refusal to write `path` into ours; `option` names another folder."""
    try:
        yield
    except OSError as error:
        raise BenchError(
            f"cannot write {path}: {reason_of(error)}; {remedy_of(error, option)}"
        ) from error


def scratch_name(folder: Path) -> Path:
    """Return a hidden name that is free; short, so that it fits wherever the file's own does."""
    return folder / f".whisper-bench-{secrets.token_hex(8)}"


@contextmanager
def whole(
    path: Path,
    content: bytes,
    *,
    like: os.stat_result | None = None,
    option: str = RESULTS_OPTIONS,
) -> Iterator[Path]:
    """Give a whole file beside `path`, on the disk, to be moved there; nothing is left of it.

    Its mode and owner are those of `like`, else what the umask leaves. Folders that are missing are
    made, and removed again where what is done with the file fails.

    Raises:
        BenchError: it cannot be written.

    """
    made: list[Path] = []
    scratch = scratch_name(path.parent)
    try:
        with telling(path, option):
            _make_folders(path.parent, made)
            _write(scratch, content, like)
        yield scratch
    except BaseException:
        remove(scratch)
        for folder in reversed(made):
            with suppress(OSError):  # somebody has put a file in it
                folder.rmdir()
        raise
    remove(scratch)


def remove(path: Path) -> None:
    """Remove a file of ours, if it is there and can be: a scratch file does no harm."""
    with suppress(OSError):
        path.unlink()


def _make_folders(folder: Path, made: list[Path]) -> None:
    """Make a folder and those above it; each that is new goes into `made`."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        made.append(each)


def _write(scratch: Path, content: bytes, like: os.stat_result | None) -> None:
    # the system takes the umask off; reading it here would change it for every thread
    mode = 0o666 if like is None else 0o600
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        if like is not None:
            with suppress(OSError):  # only root gives files away
                os.fchown(descriptor, like.st_uid, like.st_gid)
            with suppress(PermissionError):  # the file system has one mode for all (exFAT)
                os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
        os.fsync(descriptor)
