"""The throttling report in lines of text: a table, the evidence, and the verdict to end with."""

from collections.abc import Sequence

from whisper_bench.text.table import table_lines
from whisper_bench.throttling.judge import Recommendation, ThrottlingReport
from whisper_bench.throttling.verdict import CaseVerdict, Verdict

_HEAD = ("case", "latency", "x fewer", "CPU-s", "x 1 thread", "periods throttled", "verdict")


def throttling_lines(report: ThrottlingReport) -> list[str]:
    """Return the comparison table, the evidence of each case, and the threads to deploy."""
    table = table_lines([_HEAD, *map(_row, report.cases)])
    evidence = [f"  {case.label}: {text}" for case in report.cases for text in case.evidence]
    advice = [f"{_deploy(advice)}: {advice.reason}" for advice in report.recommended]
    return [*table, *evidence, *advice]


def trouble_lines(report: ThrottlingReport) -> list[str]:
    """Return a line for each case that has a finding, for a run that is no stress test."""
    return [
        f"! {case.label}: {case.verdict}: {'; '.join(case.evidence)}"
        for case in report.cases
        if case.verdict is not Verdict.OK
    ]


def verdict_lines(
    report: ThrottlingReport, *, missing: Sequence[str] = (), only_warn: bool = False
) -> list[str]:
    """Return what a reader should take along; `missing` names cases that were not measured."""
    unmeasured = list(dict.fromkeys([*missing, *report.incomplete]))
    verdicts = ", ".join(f"{case.label} {case.verdict}" for case in report.cases) or "no case"
    if unmeasured:
        verdicts += f"; not measured completely: {', '.join(unmeasured)}"
        return [f"stress test INCOMPLETE: {verdicts}"]
    word = "passed" if not report.failed else "WARNING" if only_warn else "FAILED"
    cause = ", throttling or no evidence" if report.failed else ""
    if len({case.threads for case in report.cases}) == 1:
        verdicts += "; only one number of threads, so nothing to compare with"
    return [*map(_deploy, report.recommended), f"stress test {word}{cause}: {verdicts}"]


def _deploy(advice: Recommendation) -> str:
    case = f"{advice.model} on {advice.clip}"
    if advice.copies > 1:
        case += f", {advice.copies} copies at once,"
    if advice.threads is None:
        return f"no number of threads to deploy for {case}"
    return f"deploy {case} with {advice.threads} thread(s)"


def _row(case: CaseVerdict) -> Sequence[str]:
    factor = case.cpu_factor
    return (
        case.label,
        f"{case.latency_s:.3f} s",
        "" if case.latency_factor is None else f"{case.latency_factor:.2f}",
        f"{case.cpu_s:.3f}",
        "" if factor is None else f"{factor.value:.2f} ({factor.low:.2f}-{factor.high:.2f})",
        _periods(case),
        case.verdict,
    )


def _periods(case: CaseVerdict) -> str:
    if case.counters is not None:
        return f"{case.counters.throttled_periods}/{case.counters.periods}"
    return case.no_periods
