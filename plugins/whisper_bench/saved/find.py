"""Saved runs, found by name, number, pattern or path in the folders of every machine."""

import re
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.files.whole import read_bounded

STORAGE = Path(".benchmarks")
_PATTERN = re.compile(r"[*?\[]")


class _Dated(msgspec.Struct, frozen=True):
    """The date of a saved run; the rest is skipped, not parsed."""

    datetime: datetime


def find_saved(name: str, storage: Path = STORAGE) -> Path:
    """Return the newest saved run called `name` (`m4`, `0001_m4`, `0001`, `*m4`), or the path.

    All machine folders are searched: an arm64 container and a Xeon share one, and each folder
    counts for itself, so the date inside the files decides which is the newest.

    Raises:
        BenchError: there is none; the names that are there are listed.

    """
    matches = _found(name, storage)
    return matches[0] if len(matches) == 1 else _newest(matches)


def find_all_saved(name: str, storage: Path = STORAGE) -> list[Path]:
    """Return every saved run that a pattern fits (`*node*`); of a plain name the newest.

    Raises:
        BenchError: there is none; the names that are there are listed.

    """
    if not _PATTERN.search(name) or _is_file(name):
        return [find_saved(name, storage)]
    return _found(name, storage)


def every_saved(name: str, storage: Path = STORAGE) -> list[Path]:
    """Return every saved run of a name, number or pattern, in the order of their files.

    Raises:
        BenchError: there is none; the names that are there are listed.

    """
    return _found(name, storage)


def save_name(path: Path) -> str:
    """Return the name a run was saved under: `m4` for `0001_m4.json`."""
    number, _, name = path.stem.partition("_")
    return name if number.isdigit() and name else path.stem


def _found(name: str, storage: Path) -> list[Path]:
    if name.endswith(".json") and _is_file(name):
        return [Path(name)]
    saved = sorted(storage.glob("*/[0-9][0-9][0-9][0-9]*_*.json"))
    matches = [path for path in saved if any(fnmatchcase(word, name) for word in _names_of(path))]
    if not matches:
        raise _no_such(name, storage, saved)
    return matches


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # longer than a name can be, or in a folder that may not be entered
        return False


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
    """Return the newest by the date inside, or a broken file that may be newer.

    Whoever reads that one names it. A broken file is older for sure where its number in its folder
    is lower than the newest whole one's.
    """
    dated, broken = [], []
    for path in paths:
        try:
            dated.append((_moment(path), path))
        # msgspec's errors are ValueErrors; a year beside 1 or 9999 overflows in another time zone
        except (OSError, OverflowError, RecursionError, ValueError):
            broken.append(path)
    if not dated:
        return broken[-1]
    newest = max(dated, key=lambda entry: (entry[0], entry[1].name))[1]
    doubtful = [path for path in broken if path.parent != newest.parent or path.name > newest.name]
    return doubtful[-1] if doubtful else newest


def _moment(path: Path) -> datetime:
    return msgspec.json.decode(read_bounded(path), type=_Dated).datetime.astimezone(UTC)


def _names_of(path: Path) -> tuple[str, str, str]:
    return save_name(path), path.stem, path.stem.partition("_")[0]
