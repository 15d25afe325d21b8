"""Several files written over older ones: all of them, or none."""

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
    as_bench_error,
    remove,
    scratch_name,
    whole,
)


def write_over(path: Path, content: bytes) -> Path:
    """Write `content` to `path`, over an older file if there is one; see `write_all_over`."""
    write_all_over({path: content})
    return path


def write_all_over(contents: Mapping[Path, bytes], *, option: str = RESULTS_OPTIONS) -> None:
    """Write several files over older ones: all of them, or none if one cannot be written.

    A link stays a link, and its target is written; an older file's mode is kept. `option` is the
    option that chooses another folder, for the message.

    Raises:
        BenchError: a folder or file cannot be written; the older files are unchanged.

    """
    with ExitStack() as stack:
        ready = [
            stack.enter_context(_ready(path, place, contents[path], option))
            for path, place in _places(contents, option).items()
        ]
        begun: list[_Ready] = []
        try:
            for file in ready:
                begun.append(file)
                with as_bench_error(file.path, option):
                    file.scratch.replace(file.place)
        except BaseException as error:
            if lost := [trouble for file in reversed(begun) if (trouble := file.put_back())]:
                raise BenchError("; ".join([str(error), *lost])) from error
            raise


@dataclass(slots=True)
class _Ready:
    """A file to be moved to its place, and a second name (`old`) of the older file, if any."""

    path: Path
    place: Path
    scratch: Path
    old: Path | None
    is_lost: bool = False

    def put_back(self) -> str | None:
        """Restore the older file; say where it is kept if that fails."""
        if self.scratch.exists():  # the new file was not moved: the older one is in its place
            return None
        try:
            if self.old is None:
                self.place.unlink(missing_ok=True)
            else:
                self.old.replace(self.place)
        except OSError as error:
            self.is_lost = True
            kept = f"the older file is kept in {self.old}" if self.old else "remove it"
            return f"{self.path} could not be restored ({error.strerror or error}): {kept}"
        return None


@contextmanager
def _ready(path: Path, place: Path, content: bytes, option: str) -> Iterator[_Ready]:
    with as_bench_error(path, option):
        like = place.stat() if place.exists() else None
    with whole(place, content, like=like, option=option) as scratch:
        with as_bench_error(path, option):
            old = None if like is None else _second_name(place)
        ready = _Ready(path, place, scratch, old)
        try:
            yield ready
        finally:
            if old is not None and not ready.is_lost:
                remove(old)


def _second_name(place: Path) -> Path:
    """Give a file a second name beside it; a copy if the file system has no hard links."""
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
    """Return where each file goes, links followed; refuse a place that no file can have."""
    places: dict[Path, Path] = {}
    for path in paths:
        with as_bench_error(path, option):
            # not resolve(): for a link to itself it raises another error than the system's
            place = Path(os.path.realpath(path))
            _check_place(path, place)
        if place in places.values():
            twin = next(other for other, other_place in places.items() if other_place == place)
            raise BenchError(
                f"cannot write {path}: it is the same file as {twin}, through a link; remove the "
                f"link, or choose another folder ({option})"
            )
        places[path] = place
    return places


def _check_place(path: Path, place: Path) -> None:
    try:
        kind = stat.S_IFMT(place.lstat().st_mode)
    except FileNotFoundError:
        if path.is_symlink() and not place.parent.is_dir():
            raise  # the user's link is broken; making a folder there would be a surprise
        return
    if kind == stat.S_IFDIR:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if kind == stat.S_IFLNK:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if kind != stat.S_IFREG:
        raise BenchError(
            f"cannot write {path}: it is not a regular file; pass a regular file, "
            "or one that does not exist yet"
        )
