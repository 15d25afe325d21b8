import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.samples import CASE, LIMIT, NO_LIMIT, evidence, plan, ready, round_line
from whisper_bench.case.case import Case
from whisper_bench.machine.counters import CpuCounters
from whisper_bench.machine.cpu_limit import BusyThreads, CpuLimit
from whisper_bench.measure.gather import gathered
from whisper_bench.measure.measurement import FinishedRounds
from whisper_bench.throttling.judge import judged
from whisper_bench.throttling.text import throttling_lines, trouble_lines, verdict_lines
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
    ("judgement", "verdict", "told"),
    [
        (case(), "OK", "0 of 200 periods throttled (0.0%)"),
        (throttled(200, 9), "OK", "9 of 200 periods throttled (4.5%)"),
        (throttled(200, 10), "OK", "warning: 10 of 200 periods throttled (5.0%)"),
        (throttled(200, 50), "QUOTA_THROTTLED", "50 of 200 periods throttled (25.0%)"),
        (throttled(99, 99), "UNKNOWN", "fewer than 100 periods, measure more rounds"),
        (throttled(0, 0), "UNKNOWN", "without readable counters"),
        (case(counters=None, throttled_share=None), "UNKNOWN", "without readable counters"),
        (case(cpu_limit=NO_LIMIT, counters=None), "OK", "no quota in force, so nothing throttles"),
        (case(cpu_limit=MAC, counters=None), "UNKNOWN", f"is in force is not known ({TROUBLE}); look at the CPU limit of the task"),
        (case(cpu_limit=AFFINITY, counters=None), "CPUSET_SERIALISED", "take turns on 1 CPU(s)"),
        (case(cpu_limit=AFFINITY, counters=None, threads=1), "OK", "no quota in force"),
        (case(cpu_limit=msgspec.structs.replace(AFFINITY, quota_trouble="x"), counters=None, threads=1),
         "UNKNOWN", "is not known (x)"),
        (case(cpu_limit=msgspec.structs.replace(LIMIT, quota_trouble="x")), "UNKNOWN", "not known (x)"),
        (case(cpu_factor=None), "OK", "CPU-seconds not compared: that needs 1 thread"),
        (case(latency_factor=2.01), "LATENCY_BLOWUP", "latency 2.01 times that of fewer threads"),
        (case(latency_factor=2.0), "OK", "periods throttled"),
        (case(latency_factor=3.0, contended_rounds=5), "UNKNOWN", "measure again on a quiet machine"),
        (case(cpu_factor=WASTE), "SPIN_WASTE", "1.50 times the CPU-seconds of one thread"),
        (case(cpu_factor=CpuFactor(1.5, 1.05, 2.1, 0.95, samples=(2, 2))), "OK", "interval 1.05 to 2.10"),
        (case(contended_rounds=2), "CONTENDED", "2 of 10 rounds got less CPU"),
        (case(contended_rounds=1), "OK", "periods throttled"),
        # a quota of one CPU that the rounds did not get: throttling could not show
        (case(contended_rounds=3), "UNKNOWN", "in up to 3 of 10 rounds a neighbour may have taken"),
        (case(contended_rounds=10, threads=1), "UNKNOWN", "measure again on a quiet machine"),
        (throttled(200, 20, contended_rounds=1), "OK", "20 of 200 periods throttled"),
        (throttled(200, 20, contended_rounds=2), "UNKNOWN", "measure again on a quiet machine"),
        (throttled(200, 50, contended_rounds=10), "QUOTA_THROTTLED", "50 of 200 periods throttled"),
        (case(contended_rounds=None, untold_rounds=10, cpu_limit=TWO_CPUS, threads=4), "UNKNOWN", "in up to 10 of 10"),
        (case(contended_rounds=None, untold_rounds=10, cpu_limit=TWO_CPUS), "OK", "cannot be told"),
        # two threads do not reach a quota of four CPUs, and no neighbour hides that
        (case(contended_rounds=10, cpu_limit=msgspec.structs.replace(LIMIT, cpus=4.0, quota_cpus=4.0)),
         "CONTENDED", "10 of 10 rounds got less CPU"),
        (case(contended_rounds=10, cpu_limit=NO_LIMIT, counters=None, throttled_share=None), "CONTENDED", "no quota"),
        # groups above that cannot be seen
        (case(cpu_limit=PART, counters=None, throttled_share=None), "UNKNOWN",
         f"whether a quota is in force is not known: {HIDDEN}; look at the CPU limit of the task"),
        (case(cpu_limit=msgspec.structs.replace(PART, busy=HALF), counters=None, throttled_share=None),
         "UNKNOWN", "2 busy thread(s) got 1.00 CPU for 2.0 s, a neighbour or a quota took the rest"),
        (case(cpu_limit=msgspec.structs.replace(PART, busy=ALL), counters=None, throttled_share=None),
         "OK", "no quota that would throttle: 2 busy thread(s) got 1.99 CPU for 2.0 s"),
        (case(cpu_limit=msgspec.structs.replace(PART, busy=ALL), counters=None, throttled_share=None,
              contended_rounds=3), "UNKNOWN", "measure again on a quiet machine"),
        (case(cpu_limit=msgspec.structs.replace(AFFINITY, tree=HIDDEN), counters=None,
              throttled_share=None, threads=1), "UNKNOWN", "is not known: the control groups above"),
        (case(cpu_limit=PART_OF_QUOTA), "OK", f"a smaller quota would show as contended rounds ({HIDDEN})"),
        (case(cpu_limit=msgspec.structs.replace(PART_OF_QUOTA, quota_cpus=4.0), contended_rounds=3),
         "UNKNOWN", "in up to 3 of 10 rounds"),
        (case(cpu_limit=PART_OF_QUOTA, contended_rounds=None, untold_rounds=10), "UNKNOWN", "in up to 10 of 10"),
        (case(cpu_limit=msgspec.structs.replace(NO_LIMIT, tree=None), counters=None, throttled_share=None),
         "OK", "(as far as was seen: this run was saved before it was asked)"),
        # a hidden quota would have shown so in a run that was saved before
        (case(cpu_limit=msgspec.structs.replace(NO_LIMIT, tree=None), counters=None, throttled_share=None,
              contended_rounds=3), "UNKNOWN", "in up to 3 of 10 rounds"),
        (case(cpu_limit=msgspec.structs.replace(NO_LIMIT, tree=None), counters=None, throttled_share=None,
              contended_rounds=None, untold_rounds=10, threads=16), "UNKNOWN", "in up to 10 of 10"),
    ],
)  # fmt: skip
def test_a_case_has_its_verdict_and_the_evidence_for_it(judgement, verdict, told):
    assert judgement.verdict == verdict
    assert any(told in text for text in judgement.evidence)


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
        found = case(latency_factor=latency_factor, contended_rounds=rounds).findings
        return bool(FAILING & set(found))

    worse = min(10, contended + further)
    if red(factor, contended):
        assert red(factor + more, contended)
        assert red(factor, worse)
    verdicts = [
        SERIOUSNESS[case(latency_factor=figure, contended_rounds=contended).verdict]
        for figure in (factor, factor + more)
    ]
    assert verdicts == sorted(verdicts)


def record(threads, latency_s, cpu_s=None, *, periods=(50, 0), limit=LIMIT):
    cell = Case("base", threads, "vi_30s")
    lines = [
        round_line(process, latency_s * (1 + process / 1000), cpu_s, case=cell,
                   counters=CpuCounters(*periods, 0.0))
        for process in (1, 1, 2, 2)
    ]  # fmt: skip
    found = FinishedRounds([ready(process, cell, limit) for process in (1, 2)], lines)
    return gathered(plan(cell, rounds=4), found)


SWEEP = [record(1, 4.6), record(2, 6.7, 6.7, periods=(67, 67)), record(4, 7.65, periods=(76, 76))]

GOLDEN = """\
case            latency  x fewer  CPU-s        x 1 thread  periods throttled          verdict
base-t1-vi_30s  4.607 s           4.607                                0/200               OK
base-t2-vi_30s  6.710 s     1.46  6.700  1.45 (1.45-1.46)            268/268  QUOTA_THROTTLED
base-t4-vi_30s  7.661 s     1.66  7.661  1.66 (1.66-1.67)            304/304  QUOTA_THROTTLED
  base-t1-vi_30s: 0 of 200 periods throttled (0.0%), 0.00 s in all, quota 1 CPU
  base-t2-vi_30s: 268 of 268 periods throttled (100.0%), 0.00 s in all, quota 1 CPU: 25% or more
  base-t2-vi_30s: 1.45 times the CPU-seconds of one thread (95% interval 1.45 to 1.46)
  base-t4-vi_30s: 304 of 304 periods throttled (100.0%), 0.00 s in all, quota 1 CPU: 25% or more
  base-t4-vi_30s: 1.66 times the CPU-seconds of one thread (95% interval 1.66 to 1.67)
deploy base on vi_30s with 1 thread(s): 4.607 s and 4.607 CPU-s a request, the fastest without throttling (fewer threads win within 5%)"""


def test_a_sweep_throttled_in_every_period_fails_though_latency_stays_below_double():
    report = judged(SWEEP)
    assert [each.verdict for each in report.cases] == ["OK", "QUOTA_THROTTLED", "QUOTA_THROTTLED"]
    assert all((each.latency_factor or 0) < 2 for each in report.cases)
    assert report.failed
    assert report.cases[1].findings == ["QUOTA_THROTTLED", "SPIN_WASTE"]
    assert throttling_lines(report) == GOLDEN.splitlines()
    assert verdict_lines(report)[-1] == (
        "stress test FAILED, throttling or no evidence: base-t1-vi_30s OK, base-t2-vi_30s "
        "QUOTA_THROTTLED, base-t4-vi_30s QUOTA_THROTTLED"
    )
    assert [line.partition(":")[0] for line in trouble_lines(report)] == [
        "! base-t2-vi_30s", "! base-t4-vi_30s",
    ]  # fmt: skip


def test_the_fewest_threads_within_5_percent_of_the_fastest_are_recommended():
    free = {"limit": NO_LIMIT, "periods": (0, 0)}
    faster = judged(
        [record(1, 11.1, **free), record(2, 6.4, 6.5, **free), record(4, 6.3, 6.6, **free)]
    )
    assert [each.threads for each in faster.recommended] == [2]
    assert not faster.failed
    assert verdict_lines(faster)[-1].startswith("stress test passed: ")


def test_at_a_quarter_of_a_cpu_no_thread_count_is_recommended():
    quarter = msgspec.structs.replace(LIMIT, cpus=0.25, quota_cpus=0.25)
    report = judged([record(1, 18.4, 4.6, periods=(184, 184), limit=quarter)])
    assert report.recommended[0].threads is None
    assert throttling_lines(report)[-1] == (
        "deploy base on vi_30s with no thread(s): no case is free of throttling; raise the CPU limit"
    )
    assert verdict_lines(report)[0] == "deploy base on vi_30s with no thread(s)"


def test_without_counters_the_verdict_is_unknown_and_fails():
    report = judged([gathered(plan(CASE, rounds=2), evidence(4.5, 4.5, limit=MAC))])
    assert [each.verdict for each in report.cases] == ["UNKNOWN"]
    assert report.failed


def test_counters_missing_in_one_process_make_the_case_unknown():
    found = evidence(4.5, 4.5, 4.5, 4.5)
    found.rounds[3] = round_line(2, 4.5, counters=None)
    report = judged([gathered(plan(CASE, rounds=4), found)])
    assert report.cases[0].verdict is Verdict.UNKNOWN
    assert "no counters" in throttling_lines(report)[1]


def test_no_case_a_missing_case_or_a_cut_one_never_passes():
    assert judged([]).failed
    assert verdict_lines(judged([])) == ["stress test FAILED, throttling or no evidence: no case"]
    alone = judged([record(1, 4.6)])
    assert verdict_lines(alone, missing=["base-t2-vi_30s"]) == [
        "stress test INCOMPLETE: base-t1-vi_30s OK; not measured, or not to the end: base-t2-vi_30s"
    ]
    assert verdict_lines(alone)[-1].endswith("OK; one number of threads, so none to compare with")
    cut = msgspec.structs.replace(record(1, 4.6), planned_rounds=50)
    assert judged([cut]).failed
    assert verdict_lines(judged([cut]))[-1].startswith("stress test INCOMPLETE")


def test_a_case_that_cannot_be_judged_is_not_called_throttled():
    report = judged([gathered(plan(CASE, rounds=2), evidence(4.5, 4.5, limit=MAC))])
    assert report.recommended[0].reason == "no case could be judged; see the evidence of each"
    assert verdict_lines(report, only_warn=True)[-1].startswith(
        "stress test WARNING, throttling or"
    )


@given(st.integers(0, 10), st.integers(0, 10), st.integers(1, 8), st.floats(0, 1), st.booleans())
def test_more_contended_rounds_never_turn_red_to_green(contended, untold, threads, share, part):
    limit = PART_OF_QUOTA if part else LIMIT
    rounds = contended + untold + 1

    def red(contended_rounds, untold_rounds):
        counters = CpuCounters(1000, int(1000 * share), 0.0)
        found = case(
            counters=counters, throttled_share=share, contended_rounds=contended_rounds,
            untold_rounds=untold_rounds, rounds=rounds, threads=threads, cpu_limit=limit,
        )  # fmt: skip
        return bool(FAILING & set(found.findings))

    if red(contended, untold):
        assert red(contended + 1, untold)
        assert red(contended, untold + 1)


def test_a_verdict_counts_rounds_of_unknown_contention():
    found = evidence(4.5, 4.5, limit=msgspec.structs.replace(LIMIT, cpus=2.0, quota_cpus=2.0))
    four = Case("base", 4, "vi_30s")
    lines = [
        round_line(1, 4.5, 6.0, case=four), round_line(1, 4.5, 9.0, case=four)
    ]  # fmt: skip
    lines[0] = msgspec.structs.replace(
        lines[0], measured=msgspec.structs.replace(lines[0].measured, wait_s=3.0)
    )
    limits = [msgspec.structs.replace(line, case=four) for line in found.processes]
    (judged_case,) = judged([gathered(plan(four, rounds=2), FinishedRounds(limits, lines))]).cases
    assert (judged_case.contended_rounds, judged_case.untold_rounds) == (0, 1)
    assert judged_case.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("limit", "periods"), [(NO_LIMIT, "no quota"), (PART, "not known")])
def test_the_table_says_not_known_where_the_quota_was_not_seen(limit, periods):
    record = gathered(plan(CASE, rounds=1), evidence(4.5, limit=limit))
    bare = msgspec.structs.replace(
        record, processes=[msgspec.structs.replace(record.processes[0], counters=None)]
    )
    assert periods in throttling_lines(judged([bare]))[1]


@pytest.mark.parametrize(
    ("threads", "wait_s", "verdict"),
    [(2, 3.0, "UNKNOWN"), (2, 0.0, "OK"), (2, None, "OK"), (1, 3.0, "OK")],
)
def test_threads_that_wait_at_their_quota_are_unknown(threads, wait_s, verdict):
    """Beside two busy loops on two CPUs two threads get 0.97 of a quota of one CPU, and wait."""
    measured = record(threads, 4.6, 4.5, periods=(140, 7))
    rounds = [msgspec.structs.replace(each, wait_s=wait_s) for each in measured.rounds]
    (found,) = judged([msgspec.structs.replace(measured, rounds=rounds)]).cases
    assert found.verdict == verdict
    if verdict == "UNKNOWN":
        assert any("so that throttling could not show" in text for text in found.evidence)
