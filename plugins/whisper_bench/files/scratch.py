"""Scratch files: complete and on the disk under a hidden name, before they get their own."""

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
"""Errors of file systems without hard links (exFAT, some network volumes)."""
RESULTS_OPTIONS = "--whisper-results, --results"


@contextmanager
def as_bench_error(path: Path, option: str = RESULTS_OPTIONS) -> Iterator[None]:
    """Raise the system's error of writing `path` as ours; `option` chooses another folder."""
    try:
        yield
    except OSError as error:
        raise BenchError(
            f"cannot write {path}: {reason_of(error)}; {remedy_of(error, option)}"
        ) from error


def scratch_name(folder: Path) -> Path:
    """Return a free hidden name; short, so that it is not longer than the file's own can be."""
    return folder / f".whisper-bench-{secrets.token_hex(8)}"


@contextmanager
def whole(
    path: Path,
    content: bytes,
    *,
    like: os.stat_result | None = None,
    option: str = RESULTS_OPTIONS,
) -> Iterator[Path]:
    """Make a complete file beside `path`, to be moved there; it is removed at the end.

    Its mode and owner are those of `like`, else what the umask leaves. Missing folders are made,
    and removed again if the block fails.

    Raises:
        BenchError: it cannot be written.

    """
    made: list[Path] = []
    scratch = scratch_name(path.parent)
    try:
        with as_bench_error(path, option):
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
    """Remove a file of ours, if it can be removed: a scratch file that stays does no harm."""
    with suppress(OSError):
        path.unlink()


def _make_folders(folder: Path, made: list[Path]) -> None:
    """Make a folder and those above it; each new one is added to `made`."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        made.append(new)


def _write(scratch: Path, content: bytes, like: os.stat_result | None) -> None:
    # the system applies the umask; reading it here would change it for every thread
    mode = 0o666 if like is None else 0o600
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        if like is not None:
            with suppress(OSError):  # only root can give a file to another user
                os.fchown(descriptor, like.st_uid, like.st_gid)
            with suppress(PermissionError):  # the file system has one mode for all (exFAT)
                os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
        os.fsync(descriptor)
