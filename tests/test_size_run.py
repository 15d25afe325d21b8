"""From a saved run to a sizing: the case chosen, the ratio's bad end, refusals."""

from functools import partial

import msgspec
import pytest

from ratios import M4, XEON, facts, m4, record, xeon
from samples import LIMIT
from whisper_bench import calculate_ratio, calculate_sizing, generate_report, size_run
from whisper_bench.counters import CpuCounters
from whisper_bench.errors import BenchError
from whisper_bench.ratio.comparable import NotComparableError
from whisper_bench.ratio.config import StaleError, config_of
from whisper_bench.sizing.candidates import HardClips
from whisper_bench.sizing.demand import Objective, Policy
from whisper_bench.sizing.outputs import sized, with_price
from whisper_bench.sizing.simulate import Balancing
from whisper_bench.verdict import Verdict

ASKED = partial(
    calculate_sizing,
    2.0,
    objective=Objective(95, 10.0),
    policy=Policy(balancing=Balancing.SHARED),
)


def quick(*, evidence, **settings):
    """Size without the curves and the sensitivity, which take a second."""
    return ASKED(evidence=False, **settings)


XEON_FACTS = facts("xeon", architecture="x86_64", cpu_model="A test's Xeon")
QUIET = CpuCounters(200, 0, 0.0)
THROTTLED = CpuCounters(200, 200, 50.0)


def judged_record(*latencies_s, counters=QUIET, **settings):
    made = record(*latencies_s, **settings)
    processes = [msgspec.structs.replace(each, counters=counters) for each in made.processes]
    return msgspec.structs.replace(made, processes=processes)


def on_xeon(*records, **settings):
    return size_run(records or [judged_record(*XEON)], XEON_FACTS, quick, **settings)


def test_a_run_of_the_production_machine_is_sized_as_measured():
    report = on_xeon()
    assert report.sizing.feasible
    assert report.basis.extrapolated is False
    assert report.basis.factor == 1.0
    assert report.basis.case == "base-t1-vi_30s"
    assert report.sizing.pod.measured_on == "xeon, x86_64, A test's Xeon"
    assert report.sizing.memory_mib == 384  # 300 MiB and a quarter, in steps of 64
    assert report.sizing.mean_service_s == pytest.approx(2.5)
    assert [each.changed for each in report.sizing.sensitivity].count("ratio") == 0


def test_the_threads_that_take_the_fewest_cpus_are_chosen():
    two = judged_record(
        *XEON, case=("base", 2, "vi_30s"), limit=msgspec.structs.replace(LIMIT, cpus=2.0)
    )
    fast = judged_record(
        *(each / 4 for each in XEON),
        case=("base", 4, "vi_30s"),
        limit=msgspec.structs.replace(LIMIT, cpus=2.0),
    )
    report = on_xeon(judged_record(*XEON), two, fast)
    assert report.basis.case == "base-t4-vi_30s"
    assert (report.sizing.threads, report.sizing.cpu) == (4, 2)
    cpus = {each.case: each.cpus_in_all for each in report.candidates}
    assert cpus["base-t4-vi_30s"] == min(cpus.values())


def test_a_throttled_case_is_no_candidate():
    fast = judged_record(
        *(each / 3 for each in XEON), case=("base", 2, "vi_30s"), counters=THROTTLED
    )
    report = on_xeon(judged_record(*XEON), fast)
    assert report.basis.case == "base-t1-vi_30s"
    (unfit,) = [each for each in report.candidates if each.threads == 2]
    assert (unfit.verdict, unfit.replicas, unfit.cpus_in_all) == (
        Verdict.QUOTA_THROTTLED,
        None,
        None,
    )
    with pytest.raises(BenchError, match="no case is fit to be sized on .base-t2-vi_30s QUOTA_THR"):
        on_xeon(fast)


def test_a_case_that_is_infeasible_is_reported_and_not_raised():
    report = size_run(
        [
            judged_record(*XEON),
            judged_record(*(2 * each for each in XEON), case=("base", 2, "vi_30s")),
        ],
        XEON_FACTS,
        partial(calculate_sizing, 2.0, objective=Objective(95, 1.0)),
    )
    assert not report.sizing.feasible
    assert report.basis.case == "base-t1-vi_30s"
    assert [each.replicas for each in report.candidates] == [None, None]


def test_a_model_is_chosen_where_there_are_several():
    both = [judged_record(*XEON), judged_record(*XEON, case=("small", 1, "vi_30s"))]
    with pytest.raises(
        BenchError, match="xeon has the models base, small; choose one with --model"
    ):
        on_xeon(*both)
    assert on_xeon(*both, model="small").basis.case == "small-t1-vi_30s"
    with pytest.raises(BenchError, match="xeon has the models base, small and not large"):
        on_xeon(*both, model="large")


def test_of_several_clips_the_shortest_is_sized_on_and_said():
    long = judged_record(*XEON, case=("base", 1, "vi_60s"))
    long = msgspec.structs.replace(long, clip=msgspec.structs.replace(long.clip, windows=2))
    report = on_xeon(long, judged_record(*XEON))
    assert report.basis.case == "base-t1-vi_30s"
    assert "sized on the clip vi_30s, the shortest; also measured: vi_60s" in report.warnings


def test_a_percentile_of_few_rounds_is_warned_of():
    assert any("6 rounds: p95 of the service time needs 59" in each for each in on_xeon().warnings)
    many = judged_record(*(XEON * 10))
    assert not any("of the service time needs" in each for each in on_xeon(many).warnings)
    loose = size_run([judged_record(*XEON)], XEON_FACTS, partial(calculate_sizing, 2.0))
    assert not any("of the service time needs" in each for each in loose.warnings)


def test_a_ratio_that_leads_elsewhere_is_refused():
    back = config_of(
        calculate_ratio(xeon(judged_record(*XEON)), m4(judged_record(*M4))), facts().moment
    )
    with pytest.raises(
        BenchError, match="the ratio leads to m4, which is ARM64, and production is"
    ):
        size_run([judged_record(*XEON)], XEON_FACTS, quick, config=back, most_days=1e6)
    unlike = calculate_ratio(
        m4(judged_record(*M4)),
        xeon(judged_record(*XEON, limit=msgspec.structs.replace(LIMIT, cpus=2.0))),
        allow_mismatch=["cpu_limit"],
    )
    with pytest.raises(BenchError, match="the ratio was made with another cpu_limit on each side"):
        on_m4(config_of(unlike, facts().moment))


def test_what_is_let_through_is_told():
    other = judged_record(*M4, compute_type="float32")
    report = size_run(
        [other], facts(where="m4b.json"), quick,
        config=kept(), most_days=1e6, allow_mismatch=["compute_type"],
    )  # fmt: skip
    assert "let through: compute_type: int8 against float32 [base-t1-vi_30s]" in report.warnings


def test_what_the_ratio_let_through_is_told_again():
    unlike = calculate_ratio(
        m4(judged_record(*M4)), xeon(judged_record(*XEON, tokens=200)), allow_mismatch=["tokens"]
    )
    warnings = on_m4(config_of(unlike, facts().moment)).warnings
    assert "let through by the ratio: tokens: 3 against 200 [base-t1-vi_30s]" in warnings


def test_both_reports_are_written(tmp_path):
    paths = generate_report(on_xeon(), tmp_path / "out")
    assert [path.name for path in paths] == ["sizing_report.md", "sizing_report.html"]
    assert all(path.read_text().strip() for path in paths)


def test_the_annotation_tells_the_whole_question():
    report = size_run(
        [judged_record(*XEON)],
        XEON_FACTS,
        partial(
            calculate_sizing, 2.0, burstiness=2.0, windows={1: 0.5, 2: 0.5},
            policy=Policy(concurrency=2),
        ),
        hard=HardClips(0.1, 3.0),
        concurrency=2,
    )  # fmt: skip
    assert (
        sized(report)
        .annotations["whisper-bench/sizing"]
        .startswith(
            "2 requests/s, burstiness 2, windows 0.5 of 1, 0.5 of 2, 0.1 hard, random, 2 at a time, "
            "at most 80% busy, 1 spare; "
        )
    )


def kept(**settings):
    return config_of(
        calculate_ratio(m4(judged_record(*M4)), xeon(judged_record(*XEON), **settings)),
        facts().moment.replace(hour=20),
    )


def on_m4(config=None, sizer=quick, **settings):
    now = facts("m4", moment=facts().moment.replace(hour=10), where="m4b.json")
    return size_run([judged_record(*M4)], now, sizer, config=config, most_days=1e6, **settings)


def test_an_m4_run_is_sized_on_the_bad_end_of_the_ratio():
    config = kept()
    report = on_m4(config, ASKED)
    ratio = config.cases[0]
    assert report.basis.extrapolated
    assert report.basis.factor == ratio.high > ratio.ratio
    assert report.sizing.mean_service_s == pytest.approx(sum(M4) / 6 * ratio.high)
    assert report.sizing.pod.measured_on == "xeon, x86_64, A test's Xeon"
    ends = [each for each in report.sizing.sensitivity if each.changed == "ratio"]
    assert [each.value for each in ends] == [ratio.low, ratio.ratio, ratio.high]
    assert ends[-1].replicas == report.sizing.replicas
    annotations = sized(report).annotations
    assert annotations["whisper-bench/ratio"].startswith(
        "xeon/m4 2.459 (2.313 to 2.615), 2026-11-24"
    )


def test_a_case_that_the_ratio_does_not_know_is_left_out_where_that_is_let_through():
    both = [judged_record(*M4), judged_record(*M4, case=("base", 2, "vi_30s"))]
    asked = partial(size_run, both, facts(where="m4b.json"), quick, config=kept(), most_days=1e6)
    with pytest.raises(NotComparableError, match="cases: none against base-t2-vi_30s"):
        asked()
    report = asked(allow_mismatch=["cases"])
    assert [each.case for each in report.candidates] == ["base-t1-vi_30s"]


def test_a_clip_under_another_name_is_the_same_clip():
    renamed = judged_record(*M4, case=("base", 1, "mine"))
    report = size_run([renamed], facts(), quick, config=kept(), most_days=1e6)
    assert report.basis.case == "base-t1-mine"
    assert report.basis.extrapolated


def test_memory_is_that_of_the_production_machine():
    config = kept()
    bigger = msgspec.structs.replace(config.cases[0].target, peak_rss_bytes=700 * 2**20)
    config = msgspec.structs.replace(
        config, cases=[msgspec.structs.replace(config.cases[0], target=bigger)]
    )
    assert on_m4(config).sizing.memory_mib == 896


def test_an_m4_run_without_a_ratio_is_refused():
    with pytest.raises(
        BenchError, match="m4 was measured on ARM64, and production is x86_64: give --ra"
    ):
        on_m4()
    assert on_m4(production="ARM64").sizing.feasible


def test_a_stale_or_foreign_ratio_is_refused():
    with pytest.raises(StaleError, match="the ratio is stale"):
        size_run(
            [judged_record(*M4)],
            facts(),
            ASKED,
            config=kept(moment=facts().moment.replace(year=2020)),
        )
    with pytest.raises(StaleError, match="of another machine or set-up"):
        size_run(
            [judged_record(*M4)], facts(cpu_model="Apple M1"), ASKED, config=kept(), most_days=1e6
        )
    with pytest.raises(NotComparableError, match="compute_type: int8 against float32"):
        size_run(
            [judged_record(*M4, compute_type="float32")],
            facts(),
            ASKED,
            config=kept(),
            most_days=1e6,
        )


def test_workers_of_a_pod_and_hard_clips():
    report = on_xeon(concurrency=2, hard=HardClips(0.1, 3.0))
    assert (report.sizing.cpu, report.sizing.memory_mib) == (2, 768)
    assert report.sizing.service.hard_share == 0.1
    assert report.sizing.mean_service_s == pytest.approx(2.5 * 1.2)


def test_warnings_of_the_measurement_are_carried():
    bare = judged_record(*XEON, limit=msgspec.structs.replace(LIMIT, cpus=None, source="none"))
    assert "base-t1-vi_30s: no CPU limit in force (none)" in on_xeon(bare).warnings
    assert any("3 processes: 5 or more" in each for each in on_xeon().warnings)


def test_a_price_an_hour_of_audio():
    report = with_price(on_xeon(), 0.4, 8)
    sizing = report.sizing
    assert sizing.price_per_audio_hour == pytest.approx(sizing.replicas / 8 * 0.4 / (2.0 * 30))
    # three Pods of 1 CPU on a node of 3.5: the half is lost
    odd = with_price(report, 0.4, 3.5).sizing.price_per_audio_hour
    assert odd == pytest.approx(sizing.replicas / 3 * 0.4 / (2.0 * 30))
    short = msgspec.structs.replace(
        report,
        sizing=msgspec.structs.replace(
            sizing, load=msgspec.structs.replace(sizing.load, audio_s=10.0)
        ),
    )
    cost = with_price(short, 0.4, 8).sizing.price_per_audio_hour
    assert cost == pytest.approx(3 * sizing.price_per_audio_hour)
    with pytest.raises(BenchError, match="a Pod of 1 CPU fits on no node of 0.5 CPUs"):
        with_price(report, 0.4, 0.5)
    for price, cpus in ((-1, 8), (1, 0)):
        with pytest.raises(BenchError, match="give a price of 0 or more and CPUs above 0"):
            with_price(report, price, cpus)
    infeasible = msgspec.structs.replace(
        report, sizing=msgspec.structs.replace(sizing, replicas=None)
    )
    assert with_price(infeasible, 1, 8) == infeasible


def test_no_deployment_of_what_is_infeasible():
    report = on_xeon()
    sizing = msgspec.structs.replace(report.sizing, replicas=None, reason="infeasible: too slow")
    with pytest.raises(BenchError, match="no Deployment can be sized: infeasible: too slow"):
        sized(msgspec.structs.replace(report, sizing=sizing))
    fields = sized(report)
    assert (fields.replicas, fields.cpu, fields.threads) == (report.sizing.replicas, 1, 1)
    assert fields.annotations == {
        "whisper-bench/sizing": (
            "2 requests/s, p95 within 10 s, shared, 1 at a time, at most 80% busy, 1 spare; "
            "base-t1-vi_30s of xeon, 2026-11-24"
        ),
        "whisper-bench/ratio": "none: the production machine was measured",
    }
