"""Sizing on a ratio: its bad end, its machine, and refusals."""

from functools import partial

import msgspec
import pytest

from support.ratios import M4, XEON, facts, m4, xeon
from support.samples import LIMIT
from support.size_runs import (
    XEON_FACTS,
    full,
    judged_record,
    kept,
    on_m4,
    quick,
)
from whisper_bench import calculate_ratio
from whisper_bench.errors import BenchError
from whisper_bench.ratio.comparable import NotComparableError
from whisper_bench.ratio.config import StaleError, config_of
from whisper_bench.ratio.report import Validity
from whisper_bench.report.outputs import sized


def test_a_ratio_to_another_architecture_or_limit_is_refused():
    back = config_of(
        calculate_ratio(xeon(judged_record(*XEON)), m4(judged_record(*M4))), facts().moment
    )
    with pytest.raises(
        BenchError, match="m4.* ARM64.* production is x86_64: .*--production-architecture"
    ):
        quick([judged_record(*XEON)], XEON_FACTS, config=back, most_days=1e6)
    unlike = calculate_ratio(
        m4(judged_record(*M4)),
        xeon(judged_record(*XEON, limit=msgspec.structs.replace(LIMIT, cpus=2.0))),
        allow_mismatch=["cpu_limit"],
    )
    with pytest.raises(BenchError, match="ratio.* cpu_limit .*measure both"):
        on_m4(config_of(unlike, facts().moment))


def test_an_allowed_mismatch_is_a_warning_of_the_sizing():
    other = judged_record(*M4, compute_type="float32")
    report = quick(
        [other], facts(where="m4b.json"),
        config=kept(), most_days=1e6, allow_mismatch=["compute_type"],
    )  # fmt: skip
    assert (
        "allowed to differ: compute_type: int8 against float32 [base-t1-vi_30s]" in report.warnings
    )


def test_the_ratios_allowed_mismatches_are_warnings_of_the_sizing():
    unlike = calculate_ratio(
        m4(judged_record(*M4)), xeon(judged_record(*XEON, tokens=200)), allow_mismatch=["tokens"]
    )
    warnings = on_m4(config_of(unlike, facts().moment)).warnings
    assert "allowed to differ in the ratio: tokens: 3 against 200 [base-t1-vi_30s]" in warnings


def test_an_m4_run_is_sized_on_the_upper_end_of_the_ratio():
    config = kept()
    report = on_m4(config, evidence=True)
    ratio = config.cases[0]
    assert report.basis.extrapolated
    assert report.basis.factor == ratio.high > ratio.ratio
    assert report.sizing.mean_service_s == pytest.approx(sum(M4) / 6 * ratio.high)
    assert report.sizing.pod.measured_on == "xeon, x86_64, A test's Xeon"
    ends = [item for item in report.sizing.sensitivity if item.changed == "ratio"]
    assert [item.value for item in ends] == [ratio.low, ratio.ratio, ratio.high]
    assert ends[-1].replicas == report.sizing.replicas
    annotations = sized(report).annotations
    assert annotations["whisper-bench/ratio"].startswith(
        f"xeon/m4 {ratio.ratio:.3f} ({ratio.low:.3f} to {ratio.high:.3f}), 2026-11-24"
    )


def test_a_case_that_the_ratio_lacks_is_left_out_if_allowed():
    both = [judged_record(*M4), judged_record(*M4, case=("base", 2, "vi_30s"))]
    asked = partial(quick, both, facts(where="m4b.json"), config=kept(), most_days=1e6)
    with pytest.raises(NotComparableError, match="cases: none against base-t2-vi_30s"):
        asked()
    report = asked(allow_mismatch=["cases"])
    assert [item.case for item in report.candidates] == ["base-t1-vi_30s"]


def test_a_clip_under_another_name_is_the_same_clip():
    renamed = judged_record(*M4, case=("base", 1, "mine"))
    report = quick([renamed], facts(), config=kept(), most_days=1e6)
    assert report.basis.case == "base-t1-mine"
    assert report.basis.extrapolated


def test_a_ratio_without_an_interval_is_refused():
    config = kept()
    cut = msgspec.structs.replace(config.cases[0], low=None, validity=Validity.INVALID)
    with pytest.raises(BenchError, match="base-t1-vi_30s: the ratio is INVALID.*make it again"):
        on_m4(msgspec.structs.replace(config, cases=[cut]))


def test_memory_is_that_of_the_production_machine():
    config = kept()
    bigger = msgspec.structs.replace(config.cases[0].target, peak_rss_bytes=700 * 2**20)
    config = msgspec.structs.replace(
        config, cases=[msgspec.structs.replace(config.cases[0], target=bigger)]
    )
    assert on_m4(config).sizing.memory_mib == 896


def test_an_m4_run_without_a_ratio_is_refused():
    with pytest.raises(BenchError, match="m4 .*ARM64.* production is x86_64: .*--ratio-config"):
        on_m4()
    assert on_m4(production="ARM64").sizing.feasible


def test_a_stale_or_foreign_ratio_is_refused():
    with pytest.raises(StaleError, match="too old"):
        quick(
            [judged_record(*M4)],
            facts(),
            config=kept(moment=facts().moment.replace(year=2020)),
        )
    with pytest.raises(StaleError, match="cpu_model of m4 is 'Apple M4', of m4 'Apple M1'"):
        quick([judged_record(*M4)], facts(cpu_model="Apple M1"), config=kept(), most_days=1e6)
    with pytest.raises(NotComparableError, match="compute_type: int8 against float32"):
        quick(
            [judged_record(*M4, compute_type="float32")],
            facts(),
            config=kept(),
            most_days=1e6,
        )


@pytest.mark.parametrize(("copies", "alone"), [((1, 4), False), ((4, 1), True)])
def test_the_node_is_that_of_the_ratios_target(copies, alone):
    here, there = (
        judged_record(*times) if number == 1 else full(*times)
        for times, number in zip((M4, XEON), copies, strict=True)
    )
    ratio = calculate_ratio(m4(here), xeon(there), allow_mismatch=["copies"])
    config = config_of(ratio, facts().moment)
    now = facts("m4", where="m4b.json")
    sized_on = partial(quick, [here], now, config=config, most_days=1e6)
    report = sized_on()
    assert (report.basis.copies, report.basis.is_alone) == (copies[1], alone)
    if alone:
        assert sized_on(slowdown=1.8).basis.slowdown == 1.8
    else:
        with pytest.raises(BenchError, match="nothing to assume"):
            sized_on(slowdown=1.8)
