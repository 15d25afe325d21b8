"""One case's verdict, from its figures alone: the thresholds and what each finding rests on."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from whisper_bench.case.case import Case
from whisper_bench.case.contention import MANY_CONTENDED
from whisper_bench.machine.counters import CpuCounters
from whisper_bench.machine.cpu_limit import WHERE_TO_LOOK, CpuLimit
from whisper_bench.ranges import (
    Count,
    Latency,
    NotNegative,
    Ordinal,
    Positive,
    Seconds,
)
from whisper_bench.stats.interval import Estimate

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


_QUIET = "measure again on a quiet machine"


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


class CpuFactor(Estimate, frozen=True, forbid_unknown_fields=True):
    """CPU-seconds over those of one thread; `samples` counts the processes of both."""

    value: float = msgspec.field(name="ratio")
    samples: tuple[int, int]


class CaseVerdict(Case, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One case's verdict and its evidence.

    `verdict` is the most serious of `findings`; factors are over one thread (CPU-seconds) and over
    the fastest case of fewer threads (latency); `throttled_share` is of periods, in [0, 1].
    """

    verdict: Verdict
    findings: list[Verdict]
    evidence: list[str]
    latency_s: Latency
    latency_factor: Positive | None
    cpu_s: Seconds
    cpu_factor: CpuFactor | None
    cpu_limit: CpuLimit
    counters: CpuCounters | None
    throttled_share: NotNegative | None
    contended_rounds: Count | None
    rounds: Ordinal
    untold_rounds: Count = 0
    """Rounds where other processes may have kept threads from reaching the quota."""

    @property
    def no_periods(self) -> str:
        """Say why there are no periods to show."""
        if self.cpu_limit.quota_cpus:
            return "no counters"
        return "no quota" if self.cpu_limit.unknown is None else "unknown"


def most_serious(findings: Iterable[Verdict]) -> Verdict:
    """Return the verdict that findings make; OK if there are none."""
    return max(findings, key=SERIOUSNESS.__getitem__, default=Verdict.OK)


def with_findings(case: CaseVerdict) -> CaseVerdict:
    """Judge a case by its figures alone; its earlier verdict and findings are replaced."""
    judgements = [*_quota(case), *_cpuset(case), *_latency(case), *_waste(case), *_contention(case)]
    findings = [verdict for verdict, _ in judgements if verdict is not None]
    return msgspec.structs.replace(
        case,
        verdict=most_serious(findings),
        findings=findings,
        evidence=[text for _, text in judgements],
    )


Told = Iterable[tuple[Verdict | None, str]]


def _quota(case: CaseVerdict) -> Told:
    limit = case.cpu_limit
    if limit.quota_trouble is not None:
        text = f"it is unknown if another quota is in force ({limit.quota_trouble})"
        yield Verdict.UNKNOWN, f"{text}; {WHERE_TO_LOOK}"
    elif limit.hides_a_quota:
        text = f"it is unknown if a quota is in force: {limit.unseen}"
        yield Verdict.UNKNOWN, f"{text}{_busy(limit)}; {WHERE_TO_LOOK}"
    elif limit.quota_cpus is None:
        yield None, _no_quota(limit)
    if limit.quota_cpus is not None:
        yield from _counted(case, limit.quota_cpus)
        if limit.unseen is not None:
            yield None, f"a smaller quota would show as contended rounds ({limit.unseen})"
    if hidden_by_contention(case):
        rounds = (case.contended_rounds or 0) + case.untold_rounds
        text = f"in up to {rounds} of {case.rounds} rounds other processes may have taken the CPU"
        yield Verdict.UNKNOWN, f"{text}, which hides throttling: {_QUIET}"


def _no_quota(limit: CpuLimit) -> str:
    text = "no quota in force, so no throttling"
    if limit.unseen is not None:
        return f"no quota that would throttle: {limit.busy} ({limit.unseen})"
    if limit.tree is None:
        return f"{text} (this run was saved before hidden quotas were checked)"
    return text


def _busy(limit: CpuLimit) -> str:
    return "" if limit.busy is None else f"; {limit.busy}, other processes or a quota took the rest"


def _counted(case: CaseVerdict, quota_cpus: float) -> Told:
    """Judge the counters of the group whose quota was seen."""
    counters, share = case.counters, case.throttled_share
    if counters is None or share is None:
        yield Verdict.UNKNOWN, f"a quota of {quota_cpus:g} CPU without readable counters"
        return
    text = (
        f"{counters.throttled_periods} of {counters.periods} periods throttled ({share:.1%}), "
        f"{counters.throttled_s:.2f} s in all, quota {quota_cpus:g} CPU"
    )
    if counters.periods < FEWEST_PERIODS:
        yield Verdict.UNKNOWN, f"{text}: fewer than {FEWEST_PERIODS} periods, measure more rounds"
    elif share >= THROTTLED_SHARE:
        yield Verdict.QUOTA_THROTTLED, f"{text}: {THROTTLED_SHARE:.0%} or more"
    elif share >= THROTTLED_SHARE_WARN:
        yield None, f"warning: {text}: {THROTTLED_SHARE_WARN:.0%} or more"
    else:
        yield None, text


def hidden_by_contention(case: CaseVerdict) -> bool:
    """Tell whether contended rounds may have kept a case from being throttled, or a quota hidden.

    A round that got less CPU than its quota allows cannot use it up, nor can one whose threads
    waited for a CPU while they got just about the quota. So each is taken for one
    that is throttled in every period on a quiet machine: where that would make the verdict
    another, nothing was shown.
    """
    share = case.throttled_share or 0.0
    hidden = _doubtful_rounds(case) / case.rounds
    return share < THROTTLED_SHARE <= share + hidden


def _doubtful_rounds(case: CaseVerdict) -> int:
    """Count the rounds that cannot show a quota which the case may reach.

    One that it cannot reach, with all its threads on the CPUs of its affinity, throttles nothing;
    but behind hidden groups a smaller one may, and of an older run those were not asked about.
    """
    limit, contended = case.cpu_limit, case.contended_rounds or 0
    asked = min(case.threads, limit.affinity_cpus or case.threads)
    if limit.quota_cpus is None and limit.tree is None:
        return contended + case.untold_rounds
    if limit.quota_cpus is None:
        return 0 if limit.unseen is None else contended
    if limit.unseen is not None or limit.quota_cpus < asked:
        return contended + case.untold_rounds
    return contended if limit.quota_cpus == asked else 0


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
        yield Verdict.UNKNOWN, f"{text}, in contended rounds: {_QUIET}"
    else:
        yield Verdict.LATENCY_BLOWUP, f"{text}: more than {LATENCY_FACTOR:g}"


def _waste(case: CaseVerdict) -> Told:
    factor = case.cpu_factor
    if factor is None:
        if case.threads > 1:
            yield None, "CPU-seconds not compared: that needs 1 thread and two processes per case"
        return
    text = (
        f"{factor.value:.2f} times the CPU-seconds of one thread "
        f"({factor.confidence:.0%} interval {factor.interval(2)})"
    )
    wasteful = factor.low > CPU_FACTOR
    yield (Verdict.SPIN_WASTE if wasteful else None), text


def _contention(case: CaseVerdict) -> Told:
    if case.counters is not None and case.counters.pressure_s is not None:
        pressure = f"{case.counters.pressure_s:.2f} s of CPU pressure"
        yield None, f"{pressure} (of the group, or of the system if groups have none)"
    if case.contended_rounds is None:
        yield None, "it is unknown if other processes disturbed the rounds"
    elif _is_contended(case):
        text = f"{case.contended_rounds} of {case.rounds} rounds got less CPU than they asked for"
        yield Verdict.CONTENDED, text


def _is_contended(case: CaseVerdict) -> bool:
    throttled = case.throttled_share is not None and case.throttled_share >= THROTTLED_SHARE
    contended = case.contended_rounds
    return contended is not None and not throttled and contended >= MANY_CONTENDED * case.rounds
