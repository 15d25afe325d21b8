"""Weights while they are loaded: hashed by the process that loads them, and not to change."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.weights.contents import READ_FILES, files_in, hashed_files, refuse_replaced
from whisper_bench.weights.ownership import changeable_by_others
from whisper_bench.weights.private import private_copy


class HeldWeights(msgspec.Struct, frozen=True):
    """A folder to load from, and the sha256 of each file that is read there."""

    folder: Path
    files: dict[str, str]


@contextmanager
def held_weights(folder: Path, expected: Mapping[str, str] | None = None) -> Iterator[HeldWeights]:
    """Give weights whose hashes are those of the bytes that the `with` block loads.

    If another user can change them, a private copy is hashed and loaded. A change by this user or
    root meanwhile is noticed by inode, size and times of change.

    Raises:
        BenchError: a file is missing, is not as `expected`, or changed while it was loaded.

    """
    with ExitStack() as stack:
        culprit = changeable_by_others(folder / name for name in files_in(folder))
        place = stack.enter_context(private_copy(folder, culprit)) if culprit else folder
        before = _states(place)
        files = hashed_files(place)
        if expected is not None:
            refuse_replaced(folder, expected, files)
        yield HeldWeights(place, files)
        _refuse_changed(folder, before, _states(place))


_States = dict[str, tuple[int, ...] | None]


def _states(folder: Path) -> _States:
    """Return what changes with a file; of its folder too, which a rename changes."""
    return {name: _state(folder / name) for name in (*READ_FILES, ".")}


def _state(path: Path) -> tuple[int, ...] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - of a link's target
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _refuse_changed(folder: Path, before: _States, after: _States) -> None:
    changed = [name for name in before if before[name] != after[name]]
    if changed:
        names = ", ".join("the folder" if name == "." else name for name in changed)
        raise BenchError(
            f"weights in {folder}: {names} changed while they were loaded, so it is not known what "
            "was loaded; make sure that nothing writes there, and measure again"
        )
