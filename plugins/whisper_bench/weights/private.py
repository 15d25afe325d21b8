"""A copy of weights that no other user can change, while they are being loaded."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from whisper_bench.errors import BenchError
from whisper_bench.weights.cache import CACHE_VARIABLE, cache_folder
from whisper_bench.weights.contents import files_in, open_regular
from whisper_bench.weights.ownership import changeable_by_others

_PREFIX = "whisper-bench-private-"
_COPY_CHUNK_BYTES = 1 << 22


@contextmanager
def private_copy(folder: Path, culprit: Path) -> Iterator[Path]:
    """Copy the files of `folder`, since another user can change `culprit`; remove them at the end.

    The copy is made in the cache or, if that is full or not ours, in the folder for temporary
    files. It is locked; the kernel releases the lock of a killed process, so that what it left can
    be removed.

    Raises:
        BenchError: there is no space, or no folder that only this user can change.

    """
    remove_left_copies()
    copy, lock = _made(folder, culprit)
    try:
        yield copy
    finally:
        _remove(copy, lock)


def remove_left_copies() -> None:
    """Remove the copies that killed processes of this user have left."""
    for place in _places():
        for copy in place.glob(f"{_PREFIX}*"):
            with suppress(OSError):
                lock = os.open(copy, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    os.close(lock)
                else:
                    _remove(copy, lock)


def _places() -> tuple[Path, ...]:
    return cache_folder(), Path(tempfile.gettempdir())


def _made(folder: Path, culprit: Path) -> tuple[Path, int]:
    reasons = []
    for place in _places():
        try:
            place.mkdir(parents=True, exist_ok=True)
            other = changeable_by_others([place])
            if other is None:
                return _copied(folder, place)
            reasons.append(f"{place}: another user can change {other}")
        except OSError as error:
            reasons.append(f"{place}: {error.strerror or error}")
    raise BenchError(
        f"weights in {folder}: another user can change {culprit}, and a private copy cannot "
        f"be made ({'; '.join(reasons)}); remove that permission (chmod go-w, chown), or set "
        f"{CACHE_VARIABLE} or TMPDIR to a folder with space for the copy"
    )


def _copied(folder: Path, place: Path) -> tuple[Path, int]:
    made = Path(tempfile.mkdtemp(prefix=".whisper-bench-", dir=place))  # mode 0700
    lock = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
    # locked before it gets its name: without the lock it would be removed as left by a kill
    fcntl.flock(lock, fcntl.LOCK_EX)
    copy = made.rename(made.with_name(f"{_PREFIX}{made.name.rpartition('-')[2]}"))
    try:
        for name in files_in(folder):
            with open_regular(folder / name) as source, (copy / name).open("xb") as target:
                shutil.copyfileobj(source, target, _COPY_CHUNK_BYTES)
    except BaseException:
        _remove(copy, lock)
        raise
    return copy, lock


def _remove(copy: Path, lock: int) -> None:
    shutil.rmtree(copy, ignore_errors=True)
    os.close(lock)
