"""Is this the same measurement: no two share the latency of a round to the last digit."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from whisper_bench.case.case import Case
from whisper_bench.case.record import CaseRecord
from whisper_bench.errors import BenchError
from whisper_bench.files.json_input import ends_too_early
from whisper_bench.files.whole import read_bounded
from whisper_bench.measure.journal import RoundLine
from whisper_bench.saved.file import parse_saved, records_of
from whisper_bench.saved.find import save_name

_LATENCY = re.compile(rb'"process":\s*\d+,\s*"latency_s":\s*([0-9.e+-]+)[\s,}]')
"""A round's, in a file that cannot be parsed; a number that is cut short itself is none."""
_Key = tuple[Case, float]
"""A round: its case, and its latency in seconds."""


def saved_with(folders: Iterable[Path], rounds: Sequence[RoundLine]) -> Path | None:
    """Return the saved run that holds every one of some rounds, the newest by its number."""
    if not rounds:
        return None
    wanted = {(line.case, line.latency_s) for line in rounds}
    mark = repr(rounds[0].latency_s).encode()
    return next(
        (
            path
            for path, content in _files(folders)
            if mark in content and wanted <= _rounds_in(content, path)
        ),
        None,
    )


class SavedRounds(NamedTuple):
    """What saved runs hold of a run's rounds: one all of them and no more, some a part of them."""

    all_of_them: Path | None
    parts: list[Path]


def saved_of(folder: Path, name: str, records: Iterable[CaseRecord]) -> SavedRounds:
    """Look for the rounds of a run among the saved runs of its name, the newest first."""
    wanted = _keys(records)
    parts = []
    for path, content in _files([folder]):
        if save_name(path) != name or not (rounds := _rounds_in(content, path)) & wanted:
            continue
        if rounds == wanted:
            return SavedRounds(path, [])
        parts.append(path)
    return SavedRounds(None, parts)


def half_written(folders: Iterable[Path], name: str, rounds: Sequence[RoundLine]) -> list[Path]:
    """List the files of a save name that a kill has cut short while these rounds were saved.

    They hold a part of these rounds, or none yet, and no others.
    """
    latencies_s = {line.latency_s for line in rounds}
    return [
        path
        for path, content in _files(folders)
        if save_name(path) == name
        and is_cut_short(content)
        and {float(number) for number in _LATENCY.findall(content)} <= latencies_s
    ]


def is_cut_short(content: bytes) -> bool:
    """Tell whether bytes are the beginning of a JSON document and no whole one."""
    text = content.rstrip(b"\0").strip()  # zero bytes are what a power cut leaves
    return not text or ends_too_early(text)


def _files(folders: Iterable[Path]) -> Iterator[tuple[Path, bytes]]:
    """Yield every saved run and its bytes, the highest number first; one that is gone is left."""
    paths = [path for folder in folders for path in folder.glob("*.json")]
    for path in sorted(paths, key=lambda path: path.name, reverse=True):
        try:
            content = read_bounded(path)
        except OSError:
            continue
        yield path, content


def _rounds_in(content: bytes, path: Path) -> set[_Key]:
    try:
        return _keys(records_of(parse_saved(content, str(path)), str(path)))
    except BenchError:  # cut short, edited or another tool's: what it holds does not count
        return set()


def _keys(records: Iterable[CaseRecord]) -> set[_Key]:
    return {(record.case, measured.latency_s) for record in records for measured in record.rounds}
