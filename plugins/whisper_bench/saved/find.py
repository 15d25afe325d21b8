"""Saved runs, found by name, number, pattern or path in the folders of every machine."""

import re
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from whisper_bench.errors import BenchError

STORAGE = Path(".benchmarks")
_PATTERN = re.compile(r"[*?\[]")


class _Dated(msgspec.Struct, frozen=True):
    """As little of a saved run as tells the newest; the rest is skipped, not built."""

    datetime: str


def find_saved(name: str, storage: Path = STORAGE) -> Path:
    """Return the newest saved run called `name` (`m4`, `0001_m4`, `0001`, `*m4`), or the path.

    All machine folders are searched: an arm64 container and a Xeon share one, and each folder
    counts for itself, so that the newest is told by the date inside the files.

    Raises:
        BenchError: there is none; the names that are there are listed.

    """
    found = _found(name, storage)
    return found[0] if len(found) == 1 else _newest(found)


def find_all_saved(name: str, storage: Path = STORAGE) -> list[Path]:
    """Return every saved run that a pattern fits (`*node*`); of a plain name the newest.

    Raises:
        BenchError: there is none; the names that are there are listed.

    """
    if not _PATTERN.search(name) or Path(name).is_file():
        return [find_saved(name, storage)]
    return _found(name, storage)


def save_name(path: Path) -> str:
    """Return the name a run was saved under: `m4` for `0001_m4.json`."""
    number, _, name = path.stem.partition("_")
    return name if number.isdigit() and name else path.stem


def _found(name: str, storage: Path) -> list[Path]:
    path = Path(name)
    if path.suffix == ".json" and path.is_file():
        return [path]
    saved = sorted(storage.glob("*/[0-9][0-9][0-9][0-9]*_*.json"))
    found = [each for each in saved if any(fnmatchcase(word, name) for word in _names_of(each))]
    if not found:
        raise _no_such(name, storage, saved)
    return found


def _no_such(name: str, storage: Path, saved: list[Path]) -> BenchError:
    known = ", ".join(sorted({save_name(path) for path in saved})) or "none"
    return BenchError(
        f"no saved run {name!r} in {storage}; saved there: {known}; save one with "
        f"pytest benchmarks --benchmark-save={_savable(name)}"
    )


def _savable(name: str) -> str:
    stem = Path(name).stem
    return stem if re.fullmatch(r"[\w.-]+", stem) else "NAME"


def _newest(paths: list[Path]) -> Path:
    """Return the newest by the date inside; a broken file beside whole ones is passed over."""
    dated = []
    for path in paths:
        try:
            dated.append((_moment(path), path))
        except (OSError, ValueError):  # msgspec's errors are ValueErrors
            continue
    # a broken one is named by whoever reads it
    return max(dated, key=lambda each: (each[0], each[1].name))[1] if dated else paths[0]


def _moment(path: Path) -> datetime:
    found = msgspec.json.decode(path.read_bytes(), type=_Dated)
    return datetime.fromisoformat(found.datetime).astimezone(UTC)


def _names_of(path: Path) -> tuple[str, str, str]:
    return save_name(path), path.stem, path.stem.partition("_")[0]
