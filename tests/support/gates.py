"""Processes of a gate's sides, made from evidence and not measured; and a gate's own machinery."""

import random
import subprocess
from dataclasses import dataclass, field

import msgspec
import numpy as np

from support.runs import wait_until
from support.samples import CLIP, LIMIT, ready, round_line
from support.samples import plan as sample_plan
from whisper_bench.case.case import Case
from whisper_bench.gate.gate import Gate, Rules
from whisper_bench.gate.process import NamedCase, ProcessRun
from whisper_bench.gate.side import Conditions, Side, SideKind
from whisper_bench.machine.counters import CpuCounters
from whisper_bench.machine.identity import Machine
from whisper_bench.measure.gather import gathered
from whisper_bench.measure.measurement import FinishedRounds

MACHINE = Machine("x86_64", "A test's Xeon", "n1", "Linux", "6.1", "3.11.4")
SIDES = (Side(SideKind.IMAGE, "suite:main"), Side(SideKind.IMAGE, "suite:new"))
ENOUGH = CpuCounters(50, 0, 0.0)
"""Periods of a round, of which two are enough to judge throttling by."""
RULES = Rules(
    max_slowdown=0.1,
    most_pairs=12,
    allow_mismatch=[],
    memory_limit_bytes=None,
    cpus=1.0,
)


def rules(**changes):
    return msgspec.structs.replace(RULES, **changes)


def conditions(**changes):
    made = Conditions(
        cpus=1.0, rounds=2, suite="benchmarks", engine="docker", node="node-7", options=[]
    )
    return msgspec.structs.replace(made, **changes)


def measured_case(
    *latencies_s, cpu_s=None, case=("base", 1, "vi_30s"), name="test_transcribe",
    limit=LIMIT, counters=ENOUGH, peak_rss_bytes=None, **changes,
):  # fmt: skip
    """Return a case as one process measured it; `changes` are of its record's fields."""
    case = Case(*case)
    latencies_s = latencies_s or (1.0,)
    rounds = [round_line(1, item, cpu_s, case, counters=counters) for item in latencies_s]
    clip = msgspec.structs.replace(CLIP, name=case.clip)
    plan = sample_plan(case, rounds=len(rounds), processes=1, clip=clip)
    record = gathered(plan, FinishedRounds([ready(1, case, limit)], rounds))
    if peak_rss_bytes is not None:
        (process,) = record.processes
        changes["processes"] = [msgspec.structs.replace(process, peak_rss_bytes=peak_rss_bytes)]
    return NamedCase(name, msgspec.structs.replace(record, **changes))


def process(*latencies_s, machine=MACHINE, **settings):
    """Return what a process with one case measured; settings as in `measured_case`."""
    return ProcessRun(machine, [measured_case(*latencies_s, **settings)])


def several(*cases):
    return ProcessRun(MACHINE, list(cases))


def around(mean_s, *, spread=0.003, cpu_share=1.0, seed=1, **settings):
    """Return a side that measures about a mean, the same each time it is asked for a process."""

    def measure(number):
        latency_s = mean_s * random.Random(f"{seed} {mean_s} {number}").gauss(1, spread)
        return process(latency_s, cpu_s=cpu_share * latency_s, **settings)

    return measure


@dataclass
class Played:
    """Sides that were never run: a function of the process's number each, or what it raises."""

    baseline: object
    candidate: object
    order: list = field(default_factory=list)
    said: list = field(default_factory=list)

    def __call__(self, side):
        name = "baseline" if side == SIDES[0] else "candidate"
        self.order.append(name)
        return getattr(self, name)(self.order.count(name))

    def gate(self, checks=(), **changes):
        return Gate(SIDES, rules(**changes), measure=self, say=self.said.append).run(checks)


def sides(blocks):
    """Part the processes of blocks, in the order in which they ran (ABBA), into the two sides."""
    first, second, third, fourth = np.asarray(blocks).T
    baseline, candidate = ([first, fourth], [second, third])
    return tuple(np.ravel(side, order="F").tolist() for side in (baseline, candidate))


def all_ended(group):
    """Wait until the kernel has taken away the processes of a group that were killed."""
    return wait_until(lambda: not in_group(group), lambda: f"left: {in_group(group)}")


def in_group(group):
    """Return the processes of a group that run, without those that only wait to be reaped."""
    message = subprocess.run(
        ["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True
    )
    lines = [line.split() for line in message.stdout.splitlines()]
    return [int(pid) for pid, number, state in lines if number == str(group) and state[0] != "Z"]
