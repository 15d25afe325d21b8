"""Runs to size, made from evidence and not measured."""

from functools import partial

import msgspec

from support.ratios import M4, XEON, facts, m4, record, xeon
from whisper_bench import calculate_ratio, size_run
from whisper_bench.machine.counters import CpuCounters
from whisper_bench.ratio.config import config_of
from whisper_bench.sizing.demand import Demand, Load, Objective
from whisper_bench.sizing.policy import Policy
from whisper_bench.sizing.simulate import Balancing

ASKED = Demand(Load(2.0), Objective(95, 10.0), Policy(balancing=Balancing.SHARED))
quick = partial(size_run, demand=ASKED, evidence=False)
"""Without the curves and the sensitivity, which take a second."""

XEON_FACTS = facts("xeon", architecture="x86_64", cpu_model="A test's Xeon")
QUIET = CpuCounters(200, 0, 0.0)
THROTTLED = CpuCounters(200, 200, 50.0)


def judged_record(*latencies_s, counters=QUIET, **settings):
    made = record(*latencies_s, **settings)
    processes = [msgspec.structs.replace(item, counters=counters) for item in made.processes]
    return msgspec.structs.replace(made, processes=processes)


def full(*latencies_s, copies=4):
    """Return a record as of a full node, with one copy's rounds."""
    made = judged_record(*latencies_s)
    rounds = [
        msgspec.structs.replace(one, copy=1 + number % copies, start_s=float(number))
        for number, one in enumerate(made.rounds)
    ]
    return msgspec.structs.replace(made, rounds=rounds, copies=copies)


def on_xeon(*records, **settings):
    return quick(records or [judged_record(*XEON)], XEON_FACTS, **settings)


def kept(**settings):
    return config_of(
        calculate_ratio(m4(judged_record(*M4)), xeon(judged_record(*XEON), **settings)),
        facts().moment.replace(hour=20),
    )


def on_m4(config=None, **settings):
    now = facts("m4", moment=facts().moment.replace(hour=10), where="m4b.json")
    return quick([judged_record(*M4)], now, config=config, most_days=1e6, **settings)
