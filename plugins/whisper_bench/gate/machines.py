"""On which machines the sides ran: what one chip takes says nothing of another."""

from whisper_bench.gate.process import ProcessRun
from whisper_bench.gate.report import Answer, Check

_NAME = "machine"


def same_machine(baseline: ProcessRun, candidate: ProcessRun) -> list[Check]:
    """Refuse saved runs of another node or chip."""
    saved, this = baseline.machine, candidate.machine
    if saved.node == this.node and saved.kind == this.kind:
        return [Check(_NAME, Answer.PASS, f"the saved runs are of this one: {saved}")]
    why = f"the saved runs are of {saved}, and this one is {this}"
    remedy = "measure the baseline here, or name the node in WHISPER_BENCH_NODE on both"
    return [Check(_NAME, Answer.FAIL, f"{why}; {remedy}")]


def same_chip(baseline: ProcessRun, candidate: ProcessRun) -> list[Check]:
    """Refuse two sides that ran on different chips; a container may have a node name of its own."""
    here, there = baseline.machine, candidate.machine
    if here.kind == there.kind:
        return []
    why = f"the baseline ran on {here}, the candidate on {there}"
    remedy = "run both on one machine, or name its chip for both: -- --whisper-cpu-model=NAME"
    return [Check(_NAME, Answer.FAIL, f"{why}; {remedy}")]
