"""From a saved run to a sizing: the case chosen, and what is warned of."""

import msgspec
import pytest

from support.ratios import XEON
from support.samples import LIMIT, NO_LIMIT
from support.size_runs import (
    THROTTLED,
    XEON_FACTS,
    full,
    judged_record,
    on_xeon,
)
from whisper_bench import size_run
from whisper_bench.errors import BenchError
from whisper_bench.sizing import candidates
from whisper_bench.sizing.candidates import HardClips
from whisper_bench.sizing.decision import decide
from whisper_bench.sizing.demand import Demand, Load, Objective
from whisper_bench.sizing.policy import Policy
from whisper_bench.throttling.verdict import Verdict


def test_a_run_of_the_production_machine_is_sized_as_measured():
    report = on_xeon()
    assert report.sizing.feasible
    assert report.basis.extrapolated is False
    assert report.basis.factor == 1.0
    assert report.basis.case == "base-t1-vi_30s"
    assert report.sizing.pod.measured_on == "xeon, x86_64, A test's Xeon"
    assert report.sizing.memory_mib == 384  # 300 MiB and a quarter, in steps of 64
    assert report.sizing.mean_service_s == pytest.approx(2.5)
    assert [item.changed for item in report.sizing.sensitivity].count("ratio") == 0


def test_the_threads_that_take_the_fewest_cpus_are_chosen():
    two = judged_record(
        *XEON, case=("base", 2, "vi_30s"), limit=msgspec.structs.replace(LIMIT, cpus=2.0)
    )
    fast = judged_record(
        *(item / 4 for item in XEON),
        case=("base", 4, "vi_30s"),
        limit=msgspec.structs.replace(LIMIT, cpus=2.0),
    )
    report = on_xeon(judged_record(*XEON), two, fast)
    assert report.basis.case == "base-t4-vi_30s"
    assert (report.sizing.threads, report.sizing.cpu) == (4, 2)
    cpus = {item.case: item.cpus_in_all for item in report.candidates}
    assert cpus["base-t4-vi_30s"] == min(cpus.values())


def test_one_thread_under_a_limit_of_four_cpus_is_not_given_all_of_them():
    limit = msgspec.structs.replace(LIMIT, cpus=4.0)
    one = judged_record(*XEON, limit=limit)
    four = judged_record(*(item / 2 for item in XEON), case=("base", 4, "vi_30s"), limit=limit)
    report = on_xeon(one, four)
    # four threads are twice as fast on four times the CPUs
    assert report.basis.case == "base-t1-vi_30s"
    assert (report.sizing.cpu, report.sizing.pod.measured_limit_cpus) == (1, 4.0)
    sizes = {item.threads: (item.cpu, item.cpus_in_all) for item in report.candidates}
    assert sizes[1] == (1, report.sizing.replicas)
    assert sizes[4][0] == 4
    assert sizes[1][1] < sizes[4][1]
    assert report.sizing.hpa_utilisation_percent == int(100 * report.sizing.utilisation)
    (message,) = (item for item in report.warnings if "measured under a limit" in item)
    assert (
        "base-t1-vi_30s: measured under a limit of 4 CPUs, of which 1 thread can use 1" in message
    )
    assert "--whisper-cpu-limit=1" in message
    fit = on_xeon(judged_record(*XEON))
    assert not any("measured under a limit" in item for item in fit.warnings)
    two = on_xeon(judged_record(*XEON, case=("base", 2, "vi_30s"), limit=limit))
    assert any("2 threads can use 2" in item for item in two.warnings)


def test_more_threads_than_the_machine_had_cpus_are_given_no_more_than_those():
    limit = msgspec.structs.replace(NO_LIMIT, affinity_cpus=2, online_cpus=2)
    report = on_xeon(judged_record(*XEON, case=("base", 4, "vi_30s"), limit=limit))
    assert (report.sizing.threads, report.sizing.cpu) == (4, 2)
    assert report.sizing.pod.measured_limit_cpus is None
    assert not any("measured under a limit" in item for item in report.warnings)


def test_each_case_is_decided_once_and_the_chosen_one_not_again(monkeypatch):
    decided = []

    def counted(service, demand):
        decided.append(service.samples_s)
        return decide(service, demand)

    monkeypatch.setattr(candidates, "decide", counted)
    report = on_xeon(judged_record(*XEON), judged_record(*XEON, case=("base", 2, "vi_30s")))
    assert len(decided) == len(report.candidates) == 2


def test_a_throttled_case_is_never_sized_on():
    fast = judged_record(
        *(item / 3 for item in XEON), case=("base", 2, "vi_30s"), counters=THROTTLED
    )
    report = on_xeon(judged_record(*XEON), fast)
    assert report.basis.case == "base-t1-vi_30s"
    (unfit,) = [item for item in report.candidates if item.threads == 2]
    assert (unfit.verdict, unfit.replicas, unfit.cpus_in_all) == (
        Verdict.QUOTA_THROTTLED,
        None,
        None,
    )
    with pytest.raises(BenchError, match="base-t2-vi_30s QUOTA_THROTTLED"):
        on_xeon(fast)


def test_a_case_that_is_infeasible_is_reported_and_not_raised():
    report = size_run(
        [
            judged_record(*XEON),
            judged_record(*(2 * item for item in XEON), case=("base", 2, "vi_30s")),
        ],
        XEON_FACTS,
        Demand(Load(2.0), Objective(95, 1.0)),
    )
    assert not report.sizing.feasible
    assert report.basis.case == "base-t1-vi_30s"
    assert [item.replicas for item in report.candidates] == [None, None]


def test_several_models_are_refused_until_one_is_chosen():
    both = [judged_record(*XEON), judged_record(*XEON, case=("small", 1, "vi_30s"))]
    with pytest.raises(BenchError, match="xeon .*base, small; .*--model"):
        on_xeon(*both)
    assert on_xeon(*both, model="small").basis.case == "small-t1-vi_30s"
    with pytest.raises(BenchError, match="xeon .*base, small .*large; .*--model"):
        on_xeon(*both, model="large")


def test_of_several_clips_the_shortest_is_sized_on_with_a_warning():
    long = judged_record(*XEON, case=("base", 1, "vi_60s"))
    long = msgspec.structs.replace(long, clip=msgspec.structs.replace(long.clip, windows=2))
    report = on_xeon(long, judged_record(*XEON))
    assert report.basis.case == "base-t1-vi_30s"
    assert "the sizing uses the clip vi_30s; also measured: vi_60s" in report.warnings


def test_a_percentile_of_few_rounds_is_warned_of():
    assert any("6 rounds: p95 of the service time needs 59" in item for item in on_xeon().warnings)
    many = judged_record(*(XEON * 10))
    assert not any("of the service time needs" in item for item in on_xeon(many).warnings)
    loose = size_run([judged_record(*XEON)], XEON_FACTS, Demand(Load(2.0)))
    assert not any("of the service time needs" in item for item in loose.warnings)


def test_workers_multiply_a_pods_size_and_hard_clips_the_service_time():
    report = on_xeon(
        demand=Demand(Load(2.0), policy=Policy(concurrency=2)), hard=HardClips(0.1, 3.0)
    )
    assert (report.sizing.cpu, report.sizing.memory_mib) == (2, 768)
    assert report.sizing.service.hard_share == 0.1
    assert report.sizing.mean_service_s == pytest.approx(2.5 * 1.2)


def test_warnings_of_the_measurement_are_carried():
    bare = judged_record(*XEON, limit=msgspec.structs.replace(LIMIT, cpus=None, source="none"))
    assert "base-t1-vi_30s: no CPU limit in force (none)" in on_xeon(bare).warnings
    assert any("3 processes: 5 or more" in item for item in on_xeon().warnings)


def test_the_fullest_node_that_was_measured_counts():
    slow = tuple(1.8 * item for item in XEON)
    report = on_xeon(judged_record(*XEON), full(*slow), full(*XEON, copies=2))
    assert report.basis.case == "base-t1-vi_30s-x4"
    assert (report.basis.copies, report.basis.is_alone) == (4, False)
    assert report.sizing.mean_service_s == pytest.approx(1.8 * 2.5)
    assert [item.case for item in report.candidates] == ["base-t1-vi_30s-x4"]


def test_a_lone_worker_is_called_so_and_a_slowdown_is_assumed():
    lone = on_xeon()
    assert lone.basis.is_alone
    assumed = on_xeon(slowdown=1.8)
    assert (assumed.basis.slowdown, assumed.basis.is_alone) == (1.8, False)
    assert assumed.basis.factor == 1.0
    assert assumed.sizing.mean_service_s == pytest.approx(1.8 * 2.5)
    assert assumed.sizing.replicas > lone.sizing.replicas


def test_a_slowdown_beside_a_measured_full_node_is_refused():
    with pytest.raises(BenchError, match=r"--assume-slowdown 1\.8: .*base-t1-vi_30s-x4"):
        on_xeon(full(*XEON), slowdown=1.8)


def test_a_slowdown_is_assumed_of_lone_workers_beside_a_full_node():
    two = judged_record(*(item / 4 for item in XEON), case=("base", 2, "vi_30s"))
    report = on_xeon(full(*XEON), two, slowdown=1.8)
    assert report.basis.case == "base-t2-vi_30s"
    assert report.basis.slowdown == 1.8
    means = {item.case: item.mean_s for item in report.candidates}
    assert means["base-t2-vi_30s"] == pytest.approx(1.8 * 2.5 / 4)
    assert means["base-t1-vi_30s-x4"] == pytest.approx(2.5)
