"""The work of a transcription: encoder windows and decoded tokens, and what one of each costs.

A transcription takes windows x encoder + tokens x decoder, and a small rest for features and text
(docs/work.md has what was measured). The two constants of a case come from the means of its
processes, as every figure with an interval does.
"""

import math
import statistics
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from whisper_bench.case.record import CaseRecord
from whisper_bench.ranges import Ordinal, Positive, Seconds
from whisper_bench.stats.interval import Estimate
from whisper_bench.stats.welch import CONFIDENCE, Term, log_mean, product_of

NO_SPLIT = "measured before rounds were split, or by an engine that does not tell its phases"
NO_TOKENS = "no token was decoded"


class Constant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one window or one token takes: seconds and CPU-seconds, geometric means of processes.

    `interval` is of the seconds, from the processes' means; None with fewer than two.
    """

    wall_s: Positive
    cpu_s: Seconds
    interval: Estimate | None


class CaseWork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The work of one round of a case and its two constants: a window's and a token's.

    `rest_s` is the mean of what a round takes beside its two phases.
    """

    windows: Ordinal
    tokens: Ordinal
    window: Constant
    token: Constant
    rest_s: Seconds


class WorkTimes(NamedTuple):
    """Seconds and CPU-seconds of a round, of one of its windows, and of one of its tokens.

    Those of a process are the means of its rounds.
    """

    windows: int
    round_s: float
    round_cpu_s: float
    window_s: float
    window_cpu_s: float
    token_s: float
    token_cpu_s: float


def work_of(record: CaseRecord) -> CaseWork | None:
    """Return the work and the constants of a case; None where they are unknown (`no_work`)."""
    rounds = round_times(record)
    if not rounds:
        return None
    processes, windows = process_times(record, rounds), rounds[0].windows
    parts_s = [times.window_s * windows + times.token_s * record.tokens for times in rounds]
    return CaseWork(
        windows=windows,
        tokens=record.tokens,
        window=_constant([(times.window_s, times.window_cpu_s) for times in processes]),
        token=_constant([(times.token_s, times.token_cpu_s) for times in processes]),
        rest_s=statistics.fmean(
            max(0.0, times.round_s - part_s) for times, part_s in zip(rounds, parts_s, strict=True)
        ),
    )


def no_work(record: CaseRecord) -> str:
    """Say why the work of a case is unknown."""
    return NO_TOKENS if record.tokens == 0 else NO_SPLIT


def round_times(record: CaseRecord) -> list[WorkTimes]:
    """Return the times of each round; none if one lacks its split, or decoded no token."""
    rounds, tokens = [], record.tokens
    for measured in record.rounds:
        split = measured.split
        if split is None or not (tokens and split.encode_s and split.decode_s):
            return []
        rounds.append(
            WorkTimes(
                split.windows,
                measured.latency_s,
                measured.cpu_s,
                split.encode_s / split.windows,
                split.encode_cpu_s / split.windows,
                split.decode_s / tokens,
                split.decode_cpu_s / tokens,
            )
        )
    return rounds


def process_times(record: CaseRecord, rounds: Sequence[WorkTimes]) -> list[WorkTimes]:
    """Return the times of each process, from those of the record's rounds."""
    by_process: dict[int, list[WorkTimes]] = {}
    for measured, times in zip(record.rounds, rounds, strict=True):
        by_process.setdefault(measured.process, []).append(times)
    return [
        WorkTimes(group[0].windows, *(math.fsum(times) / len(group) for times in _columns(group)))
        for group in by_process.values()
    ]


def _columns(group: Sequence[WorkTimes]) -> Iterator[tuple[float, ...]]:
    """Yield each kind of time of a group of rounds."""
    return islice(zip(*group, strict=True), 1, None)


def times_at(record: CaseRecord, tokens: int) -> list[tuple[float, float]]:
    """Return seconds and CPU-seconds of each round, had it decoded `tokens` tokens.

    As measured, if it did or if the work is unknown.
    """
    more = tokens - record.tokens
    rounds = round_times(record) if more else []
    if not rounds:
        return [(measured.latency_s, measured.cpu_s) for measured in record.rounds]
    return [
        (times.round_s + more * times.token_s, times.round_cpu_s + more * times.token_cpu_s)
        for times in rounds
    ]


def _constant(processes: Sequence[tuple[float, float]]) -> Constant:
    sample = log_mean([wall_s for wall_s, _ in processes])
    return Constant(
        wall_s=sample.value,
        cpu_s=statistics.fmean(cpu_s for _, cpu_s in processes),
        interval=product_of([Term(1, sample)], CONFIDENCE),
    )
