"""A journal read back: what an earlier run has finished, for the run that continues it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from whisper_bench.case.case import Case
from whisper_bench.errors import BenchError
from whisper_bench.files.json_input import fault_of
from whisper_bench.files.whole import UNREADABLE, read_bounded
from whisper_bench.files.write_errors import reason_of, remedy_in_place
from whisper_bench.measure.journal import (
    Line,
    ReadyLine,
    RoundLine,
    RunLine,
    WrongLine,
    whole_bytes,
)


class Held(NamedTuple):
    """What a journal holds of a run, each in the order of its lines."""

    processes: list[ReadyLine]
    rounds: list[RoundLine]
    wrong: list[WrongLine]


def resume(path: Path, identity: RunLine) -> Held:
    """Return the processes, finished rounds and wrong answers of a journal.

    Raises:
        BenchError: it is no journal, or its run was of another identity; the field is named.

    """
    lines = list(_read(path))
    earlier = identity_of(path).facts
    for field, now in identity.facts.items():
        then = earlier.get(field)
        if then != now:
            raise BenchError(
                f"--whisper-resume: the unfinished run in {path} had {field} {then!r}, this one "
                f"has {now!r}; run with the same, or without --whisper-resume"
            )
    processes = [line for line in lines if isinstance(line, ReadyLine)]
    rounds = _whole_sets([line for line in lines if isinstance(line, RoundLine)])
    _check_lines(path, processes, rounds)
    return Held(processes, rounds, [line for line in lines if isinstance(line, WrongLine)])


def _check_lines(path: Path, processes: list[ReadyLine], rounds: list[RoundLine]) -> None:
    """Refuse lines that cannot be of one run: a process twice, a round of none, a part too long."""
    known = Counter((line.case, line.process) for line in processes)
    troubles = [
        *(f"process {number} of {case.label} is there twice"
          for (case, number), times in known.items() if times > 1),
        *(f"a round of process {line.process} of {line.case.label}, which is not there"
          for line in rounds if (line.case, line.process) not in known),
        *(f"a round of copy {line.copy} of {line.case.label}"
          for line in rounds if line.copy > line.case.copies),
        *(f"a round of {line.case.label} with a latency of {line.latency_s:g} s, shorter than its "
          f"{line.measured.transcription.wall_s:g} s in the worker"
          for line in rounds if line.latency_s < line.measured.transcription.wall_s),
    ]  # fmt: skip
    for trouble in troubles:
        raise BenchError(f"{path}: {trouble}; delete the file and measure again")


def _whole_sets(rounds: list[RoundLine]) -> list[RoundLine]:
    """Leave out rounds of copies whose set was cut: the kill came between their lines."""
    ended = Counter((line.case, line.process, line.copy) for line in rounds)
    seen: Counter[tuple[Case, int, int]] = Counter()
    whole = []
    for line in rounds:
        seen[line.case, line.process, line.copy] += 1
        copies = range(1, line.case.copies + 1)
        sets = min(ended[line.case, line.process, copy] for copy in copies)
        if seen[line.case, line.process, line.copy] <= sets:
            whole.append(line)
    return whole


def identity_of(path: Path) -> RunLine:
    """Return the identity of the run that a journal is of.

    Raises:
        BenchError: it is no journal.

    """
    first = next(_read(path), None)
    if not isinstance(first, RunLine):
        raise BenchError(f"{path}: it has no first line of a run; delete it and measure again")
    return first


def _read(path: Path) -> Iterator[Line]:
    try:
        content = read_bounded(path)
    except OSError as error:
        raise BenchError(
            f"{path}: {reason_of(error)}; {remedy_in_place(error)}, or run without --whisper-resume"
        ) from error
    for number, line in enumerate(content[: whole_bytes(content)].splitlines(), start=1):
        try:
            # zero bytes before a line are what an older version left of an append that failed
            yield msgspec.json.decode(line.lstrip(b"\0"), type=Line)
        except UNREADABLE as error:
            raise BenchError(
                f"{path}, line {number}: {fault_of(line, error)}; delete the file and measure again"
            ) from error
