"""A case's verdict, and the evidence for it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.samples import LIMIT, NO_LIMIT
from whisper_bench.machine.counters import CpuCounters
from whisper_bench.machine.cpu_limit import BusyThreads, CpuLimit
from whisper_bench.throttling.verdict import (
    FAILING,
    SERIOUSNESS,
    CaseVerdict,
    CpuFactor,
    Verdict,
    with_findings,
)

AFFINITY = CpuLimit(1.0, "affinity", None, None, 1, 8)


TROUBLE = "this system has no cgroup tree"


HIDDEN = "the control groups above /sys/fs/cgroup are hidden from here"


PART = msgspec.structs.replace(NO_LIMIT, tree=HIDDEN, source=f"unknown: {HIDDEN}")


PART_OF_QUOTA = msgspec.structs.replace(LIMIT, tree=HIDDEN)


ALL, HALF = BusyThreads(2, 3.98, 2.0), BusyThreads(2, 2.0, 2.0)


TWO_CPUS = msgspec.structs.replace(LIMIT, cpus=2.0, quota_cpus=2.0)


MAC = CpuLimit(None, f"unknown: {TROUBLE}", None, None, None, 10, TROUBLE)


def case(**changes):
    plain = CaseVerdict(
        model="base", clip="vi_30s", threads=2, verdict=Verdict.OK, findings=[], evidence=[],
        latency_s=5.0, latency_factor=1.1, cpu_s=5.0, cpu_factor=None, cpu_limit=LIMIT,
        counters=CpuCounters(200, 0, 0.0), throttled_share=0.0, contended_rounds=0, rounds=10,
    )  # fmt: skip
    return with_findings(msgspec.structs.replace(plain, **changes))


def throttled(periods, throttled_periods, **changes):
    counters = CpuCounters(periods, throttled_periods, 0.05 * throttled_periods)
    share = throttled_periods / periods if periods else None
    return case(counters=counters, throttled_share=share, **changes)


WASTE = CpuFactor(1.5, 1.3, 1.7, 0.95, samples=(5, 5))


@pytest.mark.parametrize(
    ("judgement", "verdict", "message"),
    [
        (case(), "OK", "0 of 200 periods throttled (0.0%)"),
        (throttled(200, 9), "OK", "9 of 200 periods throttled (4.5%)"),
        (throttled(200, 10), "OK", "warning: 10 of 200 periods throttled (5.0%)"),
        (throttled(200, 50), "QUOTA_THROTTLED", "50 of 200 periods throttled (25.0%)"),
        (throttled(99, 99), "UNKNOWN", "fewer than 100 periods, measure more rounds"),
        (throttled(0, 0), "UNKNOWN", "without readable counters"),
        (case(counters=None, throttled_share=None), "UNKNOWN", "without readable counters"),
        (case(cpu_limit=NO_LIMIT, counters=None), "OK", "no quota in force, so no throttling"),
        (case(cpu_limit=MAC, counters=None), "UNKNOWN", f"is in force ({TROUBLE}); look at the CPU limit of the task"),
        (case(cpu_limit=AFFINITY, counters=None), "CPUSET_SERIALISED", "take turns on 1 CPU(s)"),
        (case(cpu_limit=AFFINITY, counters=None, threads=1), "OK", "no quota in force"),
        (case(cpu_limit=msgspec.structs.replace(AFFINITY, quota_trouble="x"), counters=None, threads=1),
         "UNKNOWN", "is in force (x)"),
        (case(cpu_limit=msgspec.structs.replace(LIMIT, quota_trouble="x")), "UNKNOWN", "is in force (x)"),
        (case(cpu_factor=None), "OK", "CPU-seconds not compared: that needs 1 thread"),
        (case(latency_factor=2.01), "LATENCY_BLOWUP", "latency 2.01 times that of fewer threads"),
        (case(latency_factor=2.0), "OK", "periods throttled"),
        (case(latency_factor=3.0, contended_rounds=5), "UNKNOWN", "measure again on a quiet machine"),
        (case(cpu_factor=WASTE), "SPIN_WASTE", "1.50 times the CPU-seconds of one thread"),
        (case(cpu_factor=CpuFactor(1.5, 1.05, 2.1, 0.95, samples=(2, 2))), "OK", "interval 1.05 to 2.10"),
        (case(contended_rounds=2), "CONTENDED", "2 of 10 rounds got less CPU"),
        (case(contended_rounds=1), "OK", "periods throttled"),
        # a quota of one CPU that the rounds did not get: throttling could not show
        (case(contended_rounds=3), "UNKNOWN", "in up to 3 of 10 rounds other processes may have taken"),
        (case(contended_rounds=10, threads=1), "UNKNOWN", "measure again on a quiet machine"),
        (throttled(200, 20, contended_rounds=1), "OK", "20 of 200 periods throttled"),
        (throttled(200, 20, contended_rounds=2), "UNKNOWN", "measure again on a quiet machine"),
        (throttled(200, 50, contended_rounds=10), "QUOTA_THROTTLED", "50 of 200 periods throttled"),
        (case(contended_rounds=None, untold_rounds=10, cpu_limit=TWO_CPUS, threads=4), "UNKNOWN", "in up to 10 of 10"),
        (case(contended_rounds=None, untold_rounds=10, cpu_limit=TWO_CPUS), "OK", "it is unknown if other processes"),
        # two threads do not reach a quota of four CPUs, and no neighbour hides that
        (case(contended_rounds=10, cpu_limit=msgspec.structs.replace(LIMIT, cpus=4.0, quota_cpus=4.0)),
         "CONTENDED", "10 of 10 rounds got less CPU"),
        (case(contended_rounds=10, cpu_limit=NO_LIMIT, counters=None, throttled_share=None), "CONTENDED", "no quota"),
        # groups above that cannot be seen
        (case(cpu_limit=PART, counters=None, throttled_share=None), "UNKNOWN",
         f"it is unknown if a quota is in force: {HIDDEN}; look at the CPU limit of the task"),
        (case(cpu_limit=msgspec.structs.replace(PART, busy=HALF), counters=None, throttled_share=None),
         "UNKNOWN", "2 busy thread(s) got 1.00 CPU for 2.0 s, other processes or a quota took the rest"),
        (case(cpu_limit=msgspec.structs.replace(PART, busy=ALL), counters=None, throttled_share=None),
         "OK", "no quota that would throttle: 2 busy thread(s) got 1.99 CPU for 2.0 s"),
        (case(cpu_limit=msgspec.structs.replace(PART, busy=ALL), counters=None, throttled_share=None,
              contended_rounds=3), "UNKNOWN", "measure again on a quiet machine"),
        (case(cpu_limit=msgspec.structs.replace(AFFINITY, tree=HIDDEN), counters=None,
              throttled_share=None, threads=1), "UNKNOWN", "is in force: the control groups above"),
        (case(cpu_limit=PART_OF_QUOTA), "OK", f"a smaller quota would show as contended rounds ({HIDDEN})"),
        (case(cpu_limit=msgspec.structs.replace(PART_OF_QUOTA, quota_cpus=4.0), contended_rounds=3),
         "UNKNOWN", "in up to 3 of 10 rounds"),
        (case(cpu_limit=PART_OF_QUOTA, contended_rounds=None, untold_rounds=10), "UNKNOWN", "in up to 10 of 10"),
        (case(cpu_limit=msgspec.structs.replace(NO_LIMIT, tree=None), counters=None, throttled_share=None),
         "OK", "(this run was saved before hidden quotas were checked)"),
        # a hidden quota would have shown so in a run that was saved before
        (case(cpu_limit=msgspec.structs.replace(NO_LIMIT, tree=None), counters=None, throttled_share=None,
              contended_rounds=3), "UNKNOWN", "in up to 3 of 10 rounds"),
        (case(cpu_limit=msgspec.structs.replace(NO_LIMIT, tree=None), counters=None, throttled_share=None,
              contended_rounds=None, untold_rounds=10, threads=16), "UNKNOWN", "in up to 10 of 10"),
    ],
)  # fmt: skip
def test_a_case_has_its_verdict_and_the_evidence_for_it(judgement, verdict, message):
    assert judgement.verdict == verdict
    assert any(message in text for text in judgement.evidence)


COUNTS = st.integers(100, 2000).flatmap(
    lambda periods: st.tuples(st.just(periods), st.integers(0, periods), st.integers(0, periods))
)


@given(
    COUNTS,
    st.sampled_from([None, WASTE]),
    st.sampled_from([None, 1.0, 2.5]),
    st.integers(0, 10),
    st.sampled_from([LIMIT, msgspec.structs.replace(AFFINITY, quota_cpus=2.0)]),
)
def test_more_throttled_periods_never_make_a_verdict_better(
    counts, waste, latency, contended, limit
):
    periods, *shares = counts
    few, many = (
        throttled(
            periods, count, cpu_factor=waste, latency_factor=latency, contended_rounds=contended,
            cpu_limit=limit,
        )
        for count in sorted(shares)
    )  # fmt: skip
    assert SERIOUSNESS[many.verdict] >= SERIOUSNESS[few.verdict]


FIGURES = st.floats(0.1, 10)


@given(FIGURES, st.floats(0, 10), st.integers(0, 10), st.integers(0, 10))
def test_higher_latency_or_contention_never_turns_red_to_green(factor, more, contended, further):
    def red(latency_factor, rounds):
        actual = case(latency_factor=latency_factor, contended_rounds=rounds).findings
        return bool(FAILING & set(actual))

    worse = min(10, contended + further)
    if red(factor, contended):
        assert red(factor + more, contended)
        assert red(factor, worse)
    verdicts = [
        SERIOUSNESS[case(latency_factor=figure, contended_rounds=contended).verdict]
        for figure in (factor, factor + more)
    ]
    assert verdicts == sorted(verdicts)


@given(st.integers(0, 10), st.integers(0, 10), st.integers(1, 8), st.floats(0, 1), st.booleans())
def test_more_contended_rounds_never_turn_red_to_green(contended, untold, threads, share, part):
    limit = PART_OF_QUOTA if part else LIMIT
    rounds = contended + untold + 1

    def red(contended_rounds, untold_rounds):
        counters = CpuCounters(1000, int(1000 * share), 0.0)
        actual = case(
            counters=counters, throttled_share=share, contended_rounds=contended_rounds,
            untold_rounds=untold_rounds, rounds=rounds, threads=threads, cpu_limit=limit,
        )  # fmt: skip
        return bool(FAILING & set(actual.findings))

    if red(contended, untold):
        assert red(contended + 1, untold)
        assert red(contended, untold + 1)
