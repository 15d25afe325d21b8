"""Is a run throttled? Judged by the kernel's counters, and by latency and CPU-seconds beside them.

A Pod that is throttled in every period may be only 1.45 times slower (measured: int8, 2 threads
under one CPU), so latency alone shows nothing.
"""

import statistics
from collections.abc import Sequence

import msgspec

from whisper_bench.case.record import CaseRecord, contended_rounds, counters_of, untold_rounds
from whisper_bench.ranges import Copies
from whisper_bench.stats.welch import ratio_interval
from whisper_bench.throttling.verdict import FAILING, CaseVerdict, CpuFactor, Verdict, with_findings

SAME_LATENCY = 1.05
"""Latencies within this factor are the same when threads are recommended: fewer win."""


class Recommendation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The thread count to deploy for a model and clip; None where no case is fit."""

    model: str
    clip: str
    threads: int | None
    reason: str
    copies: Copies = 1


class ThrottlingReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The verdicts of a run.

    `failed` is what a stress test ends red for: a failing finding, a case with fewer rounds than
    planned (named in `incomplete`), or no case at all.
    """

    cases: list[CaseVerdict]
    recommended: list[Recommendation]
    incomplete: list[str]
    failed: bool


def judged(records: Sequence[CaseRecord]) -> ThrottlingReport:
    """Return a verdict for each case of a run, compared with its own fewer threads."""
    cases = [_verdict(record, _siblings(record, records)) for record in records]
    groups = dict.fromkeys(_group(case) for case in cases)
    incomplete = [record.label for record in records if len(record.rounds) < record.planned_rounds]
    has_failure = any(FAILING & set(case.findings) for case in cases)
    return ThrottlingReport(
        cases=cases,
        recommended=[
            _recommended([case for case in cases if _group(case) == group]) for group in groups
        ],
        incomplete=incomplete,
        failed=has_failure or bool(incomplete) or not cases,
    )


def _verdict(record: CaseRecord, siblings: list[CaseRecord]) -> CaseVerdict:
    counters = counters_of(record)
    latency_s = _mean_latency_s(record)
    fewer = [_mean_latency_s(sibling) for sibling in siblings if sibling.threads < record.threads]
    draft = CaseVerdict(
        **record.case.cell,
        verdict=Verdict.OK,
        findings=[],
        evidence=[],
        latency_s=latency_s,
        latency_factor=latency_s / min(fewer) if fewer else None,
        cpu_s=statistics.fmean(measured.cpu_s for measured in record.rounds),
        cpu_factor=_cpu_factor(record, siblings),
        cpu_limit=record.cpu_limit,
        counters=counters,
        throttled_share=None if counters is None else counters.throttled_share,
        contended_rounds=contended_rounds(record),
        rounds=len(record.rounds),
        untold_rounds=untold_rounds(record),
    )
    return with_findings(draft)


def _recommended(cases: list[CaseVerdict]) -> Recommendation:
    model, clip, copies = _group(cases[0])
    fit = [case for case in cases if not FAILING & set(case.findings)]
    if not fit:
        unknown = all(Verdict.UNKNOWN in case.findings for case in cases)
        reason = (
            "no case could be judged; see each case's evidence"
            if unknown
            else "every case is throttled; raise the CPU limit"
        )
        return Recommendation(model, clip, None, reason, copies)
    best_s = min(case.latency_s for case in fit)
    chosen = min(
        (case for case in fit if case.latency_s <= SAME_LATENCY * best_s),
        key=lambda case: case.threads,
    )
    reason = (
        f"{chosen.latency_s:.3f} s and {chosen.cpu_s:.3f} CPU-s per request, the fastest without "
        f"throttling (if latencies differ by less than {SAME_LATENCY - 1:.0%}, the fewest threads)"
    )
    if any(Verdict.CONTENDED in case.findings for case in cases):
        reason += "; measured beside other busy processes, measure again on a quiet machine"
    return Recommendation(model, clip, chosen.threads, reason, copies)


def _cpu_factor(record: CaseRecord, siblings: list[CaseRecord]) -> CpuFactor | None:
    single = next((sibling for sibling in siblings if sibling.threads == 1), None)
    if single is None or record.threads == 1:
        return None
    above, below = ([process.mean_cpu_s for process in side.processes] for side in (record, single))
    estimate = ratio_interval(above, below)
    if estimate is None:
        return None
    return CpuFactor(**msgspec.structs.asdict(estimate), samples=(len(above), len(below)))


def _siblings(record: CaseRecord, records: Sequence[CaseRecord]) -> list[CaseRecord]:
    return [
        sibling
        for sibling in records
        if (sibling.model, sibling.clip.name, sibling.copies)
        == (record.model, record.clip.name, record.copies)
    ]


def _mean_latency_s(record: CaseRecord) -> float:
    return statistics.fmean(measured.latency_s for measured in record.rounds)


def _group(case: CaseVerdict) -> tuple[str, str, int]:
    return case.model, case.clip, case.copies
