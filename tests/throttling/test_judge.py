"""A run's cases judged: the sweep, the recommendation, and what is not known."""

import msgspec
import pytest

from support.samples import CASE, LIMIT, NO_LIMIT, evidence, plan, ready, round_line
from whisper_bench.case.case import Case
from whisper_bench.machine.counters import CpuCounters
from whisper_bench.machine.cpu_limit import CpuLimit
from whisper_bench.measure.gather import gathered
from whisper_bench.measure.measurement import FinishedRounds
from whisper_bench.throttling.judge import judged
from whisper_bench.throttling.text import throttling_lines, trouble_lines, verdict_lines
from whisper_bench.throttling.verdict import Verdict

TROUBLE = "this system has no cgroup tree"
HIDDEN = "the control groups above /sys/fs/cgroup are hidden from here"
PART = msgspec.structs.replace(NO_LIMIT, tree=HIDDEN, source=f"unknown: {HIDDEN}")
MAC = CpuLimit(None, f"unknown: {TROUBLE}", None, None, None, 10, TROUBLE)


def record(threads, latency_s, cpu_s=None, *, periods=(50, 0), limit=LIMIT):
    cell = Case("base", threads, "vi_30s")
    lines = [
        round_line(process, latency_s * (1 + process / 1000), cpu_s, case=cell,
                   counters=CpuCounters(*periods, 0.0))
        for process in (1, 1, 2, 2)
    ]  # fmt: skip
    actual = FinishedRounds([ready(process, cell, limit) for process in (1, 2)], lines)
    return gathered(plan(cell, rounds=4), actual)


SWEEP = [record(1, 4.6), record(2, 6.7, 6.7, periods=(67, 67)), record(4, 7.65, periods=(76, 76))]


def test_a_sweep_throttled_in_every_period_fails_though_latency_stays_below_double(golden):
    report = judged(SWEEP)
    assert [item.verdict for item in report.cases] == ["OK", "QUOTA_THROTTLED", "QUOTA_THROTTLED"]
    assert all((item.latency_factor or 0) < 2 for item in report.cases)
    assert report.failed
    assert report.cases[1].findings == ["QUOTA_THROTTLED", "SPIN_WASTE"]
    golden("throttling.txt", [*throttling_lines(report), verdict_lines(report)[-1]])
    assert [line.partition(":")[0] for line in trouble_lines(report)] == [
        "! base-t2-vi_30s", "! base-t4-vi_30s",
    ]  # fmt: skip


def test_the_fewest_threads_within_5_percent_of_the_fastest_are_recommended():
    free = {"limit": NO_LIMIT, "periods": (0, 0)}
    faster = judged(
        [record(1, 11.1, **free), record(2, 6.4, 6.5, **free), record(4, 6.3, 6.6, **free)]
    )
    assert [item.threads for item in faster.recommended] == [2]
    assert not faster.failed
    assert verdict_lines(faster)[-1].startswith("stress test passed: ")


def test_at_a_quarter_of_a_cpu_no_thread_count_is_recommended():
    quarter = msgspec.structs.replace(LIMIT, cpus=0.25, quota_cpus=0.25)
    report = judged([record(1, 18.4, 4.6, periods=(184, 184), limit=quarter)])
    assert report.recommended[0].threads is None
    answer, _, remedy = throttling_lines(report)[-1].partition("; ")
    assert "base on vi_30s" in answer
    assert "CPU limit" in remedy
    assert verdict_lines(report)[0] == answer.partition(":")[0]


def test_without_counters_the_verdict_is_unknown_and_fails():
    report = judged([gathered(plan(CASE, rounds=2), evidence(4.5, 4.5, limit=MAC))])
    assert [item.verdict for item in report.cases] == ["UNKNOWN"]
    assert report.failed


def test_counters_missing_in_one_process_make_the_case_unknown():
    actual = evidence(4.5, 4.5, 4.5, 4.5)
    actual.rounds[3] = round_line(2, 4.5, counters=None)
    report = judged([gathered(plan(CASE, rounds=4), actual)])
    assert report.cases[0].verdict is Verdict.UNKNOWN
    assert "no counters" in throttling_lines(report)[1]


def test_no_case_a_missing_case_or_a_cut_one_never_passes():
    assert judged([]).failed
    (failed,) = verdict_lines(judged([]))
    assert failed.startswith("stress test FAILED")
    assert failed.endswith(": no case")
    alone = judged([record(1, 4.6)])
    (incomplete,) = verdict_lines(alone, missing=["base-t2-vi_30s"])
    assert incomplete.startswith("stress test INCOMPLETE: base-t1-vi_30s OK; ")
    assert incomplete.endswith(": base-t2-vi_30s")
    assert verdict_lines(alone)[-1].partition(" OK; ")[2].startswith("only one number of threads")
    cut = msgspec.structs.replace(record(1, 4.6), planned_rounds=50)
    assert judged([cut]).failed
    assert verdict_lines(judged([cut]))[-1].startswith("stress test INCOMPLETE")


def test_a_case_that_cannot_be_judged_is_not_called_throttled():
    report = judged([gathered(plan(CASE, rounds=2), evidence(4.5, 4.5, limit=MAC))])
    assert "throttl" not in report.recommended[0].reason
    assert verdict_lines(report, only_warn=True)[-1].startswith("stress test WARNING")


def test_a_verdict_counts_rounds_of_unknown_contention():
    actual = evidence(4.5, 4.5, limit=msgspec.structs.replace(LIMIT, cpus=2.0, quota_cpus=2.0))
    four = Case("base", 4, "vi_30s")
    lines = [
        round_line(1, 4.5, 6.0, case=four), round_line(1, 4.5, 9.0, case=four)
    ]  # fmt: skip
    lines[0] = msgspec.structs.replace(
        lines[0], measured=msgspec.structs.replace(lines[0].measured, wait_s=3.0)
    )
    limits = [msgspec.structs.replace(line, case=four) for line in actual.processes]
    (judged_case,) = judged([gathered(plan(four, rounds=2), FinishedRounds(limits, lines))]).cases
    assert (judged_case.contended_rounds, judged_case.untold_rounds) == (0, 1)
    assert judged_case.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("limit", "periods"), [(NO_LIMIT, "no quota"), (PART, "unknown")])
def test_the_table_says_unknown_where_the_quota_was_not_seen(limit, periods):
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
    rounds = [msgspec.structs.replace(item, wait_s=wait_s) for item in measured.rounds]
    (actual,) = judged([msgspec.structs.replace(measured, rounds=rounds)]).cases
    assert actual.verdict == verdict
    if verdict == "UNKNOWN":
        assert any("which hides throttling" in text for text in actual.evidence)


def test_copies_are_compared_with_the_same_number_and_named():
    full = [
        msgspec.structs.replace(
            one, copies=2, planned_rounds=2 * len(one.rounds),
            rounds=[
                msgspec.structs.replace(measured, copy=copy, start_s=0.0)
                for measured in one.rounds for copy in (1, 2)
            ],
        )
        for one in (record(1, 9.2), record(2, 9.3))
    ]  # fmt: skip
    report = judged([record(1, 4.6), *full])
    factors = {item.label: item.latency_factor for item in report.cases}
    assert factors["base-t1-vi_30s-x2"] is None
    assert factors["base-t2-vi_30s-x2"] == pytest.approx(9.3 / 9.2, rel=1e-3)
    assert [item.copies for item in report.recommended] == [1, 2]
    assert any("vi_30s, 2 copies at once, with" in line for line in verdict_lines(report))
