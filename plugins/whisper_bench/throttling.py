"""Is a case throttled? Judged by the kernel's counters, and by latency and CPU-seconds beside them.

A Pod that is throttled in every period may be only 1.45 times slower (measured: int8, 2 threads
under one CPU), so that latency alone tells nothing.
"""

import statistics
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from whisper_bench.contention import MANY_CONTENDED
from whisper_bench.counters import CpuCounters, total_counters
from whisper_bench.cpu_limit import CpuLimit
from whisper_bench.record import CaseRecord, contended_rounds
from whisper_bench.welch import RatioInterval, ratio_interval

THROTTLED_SHARE = 0.25
"""Share of throttled periods that is a verdict. A single thread under one CPU scores 0 to 0.3 %,
two threads 100 % (measured: 1 of 343 periods, 202 of 202)."""
THROTTLED_SHARE_WARN = 0.05
"""Share of throttled periods that is worth a warning."""
FEWEST_PERIODS = 100
"""Periods below which a share says nothing: 10 s at the kernel's usual 100 ms."""
LATENCY_FACTOR = 2.0
"""Latency over that of fewer threads, from the design's own rule."""
CPU_FACTOR = 1.10
"""CPU-seconds a request over one thread's: identical runs differ by 3.6 % between processes."""
SAME_LATENCY = 1.05
"""Latencies within this factor are the same when threads are recommended: fewer win."""


class Verdict(StrEnum):
    """What a case suffers from, the least serious first."""

    OK = "OK"
    CONTENDED = "CONTENDED"
    SPIN_WASTE = "SPIN_WASTE"
    UNKNOWN = "UNKNOWN"
    LATENCY_BLOWUP = "LATENCY_BLOWUP"
    CPUSET_SERIALISED = "CPUSET_SERIALISED"
    QUOTA_THROTTLED = "QUOTA_THROTTLED"


SERIOUSNESS = {verdict: place for place, verdict in enumerate(Verdict)}
FAILING = frozenset({Verdict.QUOTA_THROTTLED, Verdict.LATENCY_BLOWUP, Verdict.UNKNOWN})
"""Findings that turn a stress test red. UNKNOWN is one: what could not be judged has not passed."""


class CaseVerdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case's verdict and its evidence.

    `verdict` is the most serious of `findings`; factors are over one thread (CPU-seconds) and over
    the fastest case of fewer threads (latency); `throttled_share` is of periods, in [0, 1].
    """

    model: str
    clip: str
    threads: int
    verdict: Verdict
    findings: list[Verdict]
    evidence: list[str]
    latency_s: float
    latency_factor: float | None
    cpu_s: float
    cpu_factor: RatioInterval | None
    cpu_limit: CpuLimit
    counters: CpuCounters | None
    throttled_share: float | None
    contended_rounds: int | None
    rounds: int


class Recommendation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The thread count to deploy for a model and clip; None where no case is fit."""

    model: str
    clip: str
    threads: int | None
    reason: str


class ThrottlingReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The verdicts of a run."""

    cases: list[CaseVerdict]
    recommended: list[Recommendation]
    throttled: bool


def judged(records: Sequence[CaseRecord]) -> ThrottlingReport:
    """Return a verdict for each case of a run, compared with its own fewer threads."""
    cases = [_verdict(record, _siblings(record, records)) for record in records]
    groups = dict.fromkeys((case.model, case.clip) for case in cases)
    return ThrottlingReport(
        cases=cases,
        recommended=[
            _recommended([case for case in cases if _group(case) == group]) for group in groups
        ],
        throttled=any(FAILING & set(case.findings) for case in cases),
    )


def _verdict(record: CaseRecord, siblings: list[CaseRecord]) -> CaseVerdict:
    counters = total_counters([process.counters for process in record.processes])
    share = counters.throttled_periods / counters.periods if counters and counters.periods else None
    latency_s = _mean_latency_s(record)
    fewer = [_mean_latency_s(each) for each in siblings if each.threads < record.threads]
    draft = CaseVerdict(
        model=record.model,
        clip=record.clip.name,
        threads=record.threads,
        verdict=Verdict.OK,
        findings=[],
        evidence=[],
        latency_s=latency_s,
        latency_factor=latency_s / min(fewer) if fewer else None,
        cpu_s=statistics.fmean(each.cpu_s for each in record.rounds),
        cpu_factor=_cpu_factor(record, siblings),
        cpu_limit=record.cpu_limit,
        counters=counters,
        throttled_share=share,
        contended_rounds=contended_rounds(record),
        rounds=len(record.rounds),
    )
    return with_findings(draft)


def with_findings(case: CaseVerdict) -> CaseVerdict:
    """Judge a case by its figures alone, whatever its verdict and findings said before."""
    told = [*_quota(case), *_cpuset(case), *_latency(case), *_waste(case), *_contention(case)]
    findings = [verdict for verdict, _ in told if verdict is not None]
    return msgspec.structs.replace(
        case,
        verdict=max(findings, key=SERIOUSNESS.__getitem__, default=Verdict.OK),
        findings=findings,
        evidence=[text for _, text in told],
    )


Told = Iterable[tuple[Verdict | None, str]]


def _quota(case: CaseVerdict) -> Told:
    limit, counters, share = case.cpu_limit, case.counters, case.throttled_share
    if limit.quota_cpus is None:
        if limit.source.startswith(("unknown", "none:")):
            yield Verdict.UNKNOWN, f"whether a quota is in force is not known ({limit.source})"
        else:
            yield None, "no quota in force, so nothing throttles"
        return
    if counters is None or share is None:
        yield Verdict.UNKNOWN, f"a quota of {limit.quota_cpus:g} CPU without readable counters"
        return
    text = (
        f"{counters.throttled_periods} of {counters.periods} periods throttled ({share:.1%}), "
        f"{counters.throttled_s:.2f} s in all, quota {limit.quota_cpus:g} CPU"
    )
    if counters.periods < FEWEST_PERIODS:
        yield Verdict.UNKNOWN, f"{text}: fewer than {FEWEST_PERIODS} periods, measure more rounds"
    elif share >= THROTTLED_SHARE:
        yield Verdict.QUOTA_THROTTLED, f"{text}: {THROTTLED_SHARE:.0%} or more"
    elif share >= THROTTLED_SHARE_WARN:
        yield None, f"warning: {text}: {THROTTLED_SHARE_WARN:.0%} or more"
    else:
        yield None, text


def _cpuset(case: CaseVerdict) -> Told:
    limit = case.cpu_limit
    if limit.source == "affinity" and limit.cpus is not None and case.threads > limit.cpus:
        text = f"{case.threads} threads take turns on {limit.cpus:g} CPU(s) of the affinity"
        yield Verdict.CPUSET_SERIALISED, f"{text}, which no counter shows"


def _latency(case: CaseVerdict) -> Told:
    if case.latency_factor is None or case.latency_factor <= LATENCY_FACTOR:
        return
    text = f"latency {case.latency_factor:.2f} times that of fewer threads"
    if _is_contended(case):
        yield None, f"{text}, in contended rounds: not held against the threads"
    else:
        yield Verdict.LATENCY_BLOWUP, f"{text}: more than {LATENCY_FACTOR:g}"


def _waste(case: CaseVerdict) -> Told:
    factor = case.cpu_factor
    if factor is None:
        return
    text = (
        f"{factor.ratio:.2f} times the CPU-seconds of one thread "
        f"({factor.confidence:.0%} interval {factor.low:.2f} to {factor.high:.2f})"
    )
    wasteful = factor.low > CPU_FACTOR
    yield (Verdict.SPIN_WASTE if wasteful else None), text


def _contention(case: CaseVerdict) -> Told:
    if case.counters is not None and case.counters.pressure_s is not None:
        yield None, f"{case.counters.pressure_s:.2f} s of CPU pressure, as the kernel counts it"
    if case.contended_rounds is None:
        yield None, "whether a neighbour disturbed the rounds cannot be told"
    elif _is_contended(case):
        text = f"{case.contended_rounds} of {case.rounds} rounds got less CPU than they asked for"
        yield Verdict.CONTENDED, text


def _is_contended(case: CaseVerdict) -> bool:
    throttled = case.throttled_share is not None and case.throttled_share >= THROTTLED_SHARE
    contended = case.contended_rounds
    return contended is not None and not throttled and contended >= MANY_CONTENDED * case.rounds


def _recommended(cases: list[CaseVerdict]) -> Recommendation:
    model, clip = _group(cases[0])
    fit = [case for case in cases if not FAILING & set(case.findings)]
    if not fit:
        reason = "no case is free of throttling"
        return Recommendation(model, clip, None, f"{reason}; raise the CPU limit")
    best_s = min(case.latency_s for case in fit)
    chosen = min(
        (case for case in fit if case.latency_s <= SAME_LATENCY * best_s),
        key=lambda case: case.threads,
    )
    reason = (
        f"{chosen.latency_s:.3f} s and {chosen.cpu_s:.3f} CPU-s a request, the fastest without "
        f"throttling (fewer threads win within {SAME_LATENCY - 1:.0%})"
    )
    if any(Verdict.CONTENDED in case.findings for case in cases):
        reason += "; measured beside a busy neighbour, measure again on a quiet machine"
    return Recommendation(model, clip, chosen.threads, reason)


def _cpu_factor(record: CaseRecord, siblings: list[CaseRecord]) -> RatioInterval | None:
    single = next((each for each in siblings if each.threads == 1), None)
    if single is None or record.threads == 1:
        return None
    above, below = ([process.mean_cpu_s for process in each.processes] for each in (record, single))
    return ratio_interval(above, below)


def _siblings(record: CaseRecord, records: Sequence[CaseRecord]) -> list[CaseRecord]:
    return [
        each for each in records if (each.model, each.clip.name) == (record.model, record.clip.name)
    ]


def _mean_latency_s(record: CaseRecord) -> float:
    return statistics.fmean(each.latency_s for each in record.rounds)


def _group(case: CaseVerdict) -> tuple[str, str]:
    return case.model, case.clip
