"""On which machines the sides ran: what one chip takes says nothing of another."""

import msgspec

from whisper_bench.gate.process import Machine, ProcessRun
from whisper_bench.gate.report import Answer, Check

_NAME = "machine"


def same_machine(baseline: ProcessRun, candidate: ProcessRun) -> list[Check]:
    """Refuse saved runs of another node or chip."""
    if baseline.machine == candidate.machine:
        return [Check(_NAME, Answer.PASS, f"the saved runs are of this one: {baseline.machine}")]
    why = f"the saved runs are of {baseline.machine}, and this one is {candidate.machine}"
    remedy = "measure the baseline here, or name the node in WHISPER_BENCH_NODE on both"
    return [Check(_NAME, Answer.FAIL, f"{why}; {remedy}")]


def same_chip(baseline: ProcessRun, candidate: ProcessRun) -> list[Check]:
    """Refuse two sides that ran on different chips; a container may have a node name of its own."""
    here, there = baseline.machine, candidate.machine
    if not differ(here, there):
        return []
    why = f"the baseline ran on {here}, the candidate on {there}"
    remedy = "run both on one machine, or name its chip for both: -- --whisper-cpu-model=NAME"
    return [Check(_NAME, Answer.FAIL, f"{why}; {remedy}")]


def differ(first: Machine, other: Machine) -> bool:
    """Tell whether two machines differ in anything but the node's name."""
    return msgspec.structs.replace(other, node=first.node) != first
