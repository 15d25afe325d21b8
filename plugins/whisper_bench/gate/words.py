"""A gate's figures as text, the same in the terminal, in Markdown and in JUnit XML."""

from whisper_bench.gate.report import GateReport
from whisper_bench.stats.interval import Estimate
from whisper_bench.text.amounts import clock_time


def change(ratio: float) -> str:
    """Return a slowdown in percent."""
    return f"{100 * (ratio - 1):+.1f} %"


def change_within(estimate: Estimate | None) -> str:
    """Return a slowdown with its interval, in percent."""
    if estimate is None:
        return "n/a"
    return f"{change(estimate.value)} ({change(estimate.low)} to {change(estimate.high)})"


def waits_text(wall: Estimate | None, reason: str) -> str:
    """Say why a case does not pass by its CPU-seconds: its wall time is clearly slower."""
    return (
        f"the candidate waits, or other processes slow one side: {change_within(wall)} wall time, "
        f"but {reason}"
    )


def allowed_text(report: GateReport) -> str:
    """Say what is allowed, how often the gate is wrong at that limit, and what it took."""
    return (
        f"{change(1 + report.limit)} allowed, error rate {report.error_rate:.0%}; "
        f"{len(report.turns)} processes in {clock_time(report.elapsed_s)}"
    )


def one_line(report: GateReport) -> str:
    """Say the answer and why, in one line."""
    return f"{report.answer}: {' '.join(report.reason.split())}"
