"""Whether the sides ran on the same machine: times of different chips are not comparable."""

from whisper_bench.gate.process import ProcessRun
from whisper_bench.gate.report import Answer, Check

_NAME = "machine"


def same_machine(baseline: ProcessRun, candidate: ProcessRun) -> list[Check]:
    """Refuse saved runs of another node or chip."""
    saved, this = baseline.machine, candidate.machine
    if saved.node == this.node and saved.kind == this.kind:
        return [Check(_NAME, Answer.PASS, f"the saved runs are of this machine: {saved}")]
    why = f"the saved runs are of {saved}, but this machine is {this}"
    remedy = "measure the baseline here, or set WHISPER_BENCH_NODE to the same name for both"
    return [Check(_NAME, Answer.FAIL, f"{why}; {remedy}")]


def same_chip(baseline: ProcessRun, candidate: ProcessRun) -> list[Check]:
    """Refuse two sides that ran on different chips; a container may have its own node name."""
    here, there = baseline.machine, candidate.machine
    if here.kind == there.kind:
        return []
    why = f"the baseline ran on {here}, the candidate on {there}"
    remedy = (
        "run both on one machine, or pass its chip's name for both: -- --whisper-cpu-model=NAME"
    )
    return [Check(_NAME, Answer.FAIL, f"{why}; {remedy}")]
