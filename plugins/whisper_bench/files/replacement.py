"""Several files in the place of what was there: all of them, or none."""

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from whisper_bench.errors import BenchError
from whisper_bench.files.scratch import (
    NO_LINKS,
    RESULTS_OPTIONS,
    remove,
    scratch_name,
    telling,
    whole,
)


def write_over(path: Path, content: bytes) -> Path:
    """Write `content` under `path`, in the place of what was there; see `write_all_over`."""
    write_all_over({path: content})
    return path


def write_all_over(contents: Mapping[Path, bytes], *, option: str = RESULTS_OPTIONS) -> None:
    """Write several files in the place of what was there: all of them, or none where one cannot be.

    A link stays one, and its file is written; a file that was there keeps its mode. `option` is
    what names another place, for the message.

    Raises:
        BenchError: a folder or file cannot be written; what was there is as it was.

    """
    with ExitStack() as stack:
        ready = [
            stack.enter_context(_ready(path, place, contents[path], option))
            for path, place in _places(contents, option).items()
        ]
        begun: list[_Ready] = []
        try:
            for each in ready:
                begun.append(each)
                with telling(each.path, option):
                    each.scratch.replace(each.place)
        except BaseException as error:
            if lost := [trouble for each in reversed(begun) if (trouble := each.put_back())]:
                raise BenchError("; ".join([str(error), *lost])) from error
            raise


@dataclass(slots=True)
class _Ready:
    """A file to be put in its place, and a second name (`old`) of what is there now, if any."""

    path: Path
    place: Path
    scratch: Path
    old: Path | None
    is_lost: bool = False

    def put_back(self) -> str | None:
        """Have what was there before; say where it is if that cannot be."""
        if self.scratch.exists():  # the new file is not in its place: what was there still is
            return None
        try:
            if self.old is None:
                self.place.unlink(missing_ok=True)
            else:
                self.old.replace(self.place)
        except OSError as error:
            self.is_lost = True
            kept = f"what was there is kept in {self.old}" if self.old else "remove it"
            return f"{self.path} could not be put back ({error.strerror or error}): {kept}"
        return None


@contextmanager
def _ready(path: Path, place: Path, content: bytes, option: str) -> Iterator[_Ready]:
    with telling(path, option):
        like = place.stat() if place.exists() else None
    with whole(place, content, like=like, option=option) as scratch:
        with telling(path, option):
            old = None if like is None else _second_name(place)
        ready = _Ready(path, place, scratch, old)
        try:
            yield ready
        finally:
            if old is not None and not ready.is_lost:
                remove(old)


def _second_name(place: Path) -> Path:
    """Give a file a second name beside it; a copy where the file system has no hard links."""
    old = scratch_name(place.parent)
    try:
        os.link(place, old)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        try:
            shutil.copy2(place, old)
        except BaseException:
            remove(old)
            raise
    return old


def _places(paths: Mapping[Path, bytes], option: str) -> dict[Path, Path]:
    """Return where each file goes, links followed; what cannot be a file's place is told now."""
    places: dict[Path, Path] = {}
    for path in paths:
        with telling(path, option):
            # not resolve(): it raises other errors than the system's of a link to itself
            place = Path(os.path.realpath(path))
            _check_place(path, place)
        if place in places.values():
            twin = next(other for other, its in places.items() if its == place)
            raise BenchError(
                f"cannot write {path}: it is the same file as {twin}, through a link; remove the "
                f"link, or name another folder ({option})"
            )
        places[path] = place
    return places


def _check_place(path: Path, place: Path) -> None:
    try:
        kind = stat.S_IFMT(place.lstat().st_mode)
    except FileNotFoundError:
        if path.is_symlink() and not place.parent.is_dir():
            raise  # the user's link leads nowhere; a folder made there would be a surprise
        return
    if kind == stat.S_IFDIR:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if kind == stat.S_IFLNK:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if kind != stat.S_IFREG:
        raise BenchError(
            f"cannot write {path}: it is not a regular file; name a regular file, "
            "or one that does not exist yet"
        )
