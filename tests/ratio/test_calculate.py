"""The ratio of two runs: figures, validity, headline, and what cannot agree."""

import json
import math
import statistics

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from support.documents import encoded, result_of, saved_document
from support.ratios import M4, XEON, m4, record, run, xeon
from whisper_bench import calculate_ratio
from whisper_bench.errors import BenchError
from whisper_bench.ratio.load import run_of_saved
from whisper_bench.ratio.report import Validity
from whisper_bench.saved.file import parse_saved

LATENCIES = st.lists(st.floats(0.05, 50), min_size=4, max_size=20)


def means(latencies_s):
    """The logarithms of the means of processes of two rounds."""
    pairs = [latencies_s[place : place + 2] for place in range(0, len(latencies_s), 2)]
    return [math.log(statistics.fmean(pair)) for pair in pairs]


def test_ratio_of_one_case_is_scipys_welch_on_the_processes_means():
    report = calculate_ratio(m4(), xeon())
    (case,) = report.cases
    theirs = stats.ttest_ind(means(XEON), means(M4), equal_var=False).confidence_interval(0.95)
    assert case.ratio == pytest.approx(case.target.latency_s / case.reference.latency_s)
    assert case.low == pytest.approx(math.exp(theirs.low), rel=1e-9)
    assert case.high == pytest.approx(math.exp(theirs.high), rel=1e-9)
    assert (case.validity, case.samples, case.reason) == (Validity.VALID, "processes", None)
    assert (case.reference.processes, case.reference.rounds) == (3, 6)
    assert report.headline.value == pytest.approx(case.ratio)
    assert (report.headline.low, report.headline.high) == pytest.approx((case.low, case.high))


@given(LATENCIES, LATENCIES)
def test_any_data_agrees_with_scipy_to_nine_digits(here, there):
    report = calculate_ratio(m4(record(*here)), xeon(record(*there)))
    (case,) = report.cases
    logs = means(there), means(here)
    if min(statistics.variance(side) for side in logs) < 1e-6:
        return
    theirs = stats.ttest_ind(*logs, equal_var=False).confidence_interval(0.95)
    assert case.low == pytest.approx(math.exp(theirs.low), rel=1e-9)
    assert case.high == pytest.approx(math.exp(theirs.high), rel=1e-9)


@given(LATENCIES, LATENCIES)
def test_swapping_the_sides_inverts_ratio_and_interval(here, there):
    forth = calculate_ratio(m4(record(*here)), xeon(record(*there)))
    back = calculate_ratio(xeon(record(*there)), m4(record(*here)))
    for one, other in ((forth.cases[0], back.cases[0]),):
        assert one.ratio == pytest.approx(1 / other.ratio)
        assert one.low == pytest.approx(1 / other.high)
        assert one.high == pytest.approx(1 / other.low)
    assert forth.headline.value == pytest.approx(1 / back.headline.value)
    assert forth.headline.low == pytest.approx(1 / back.headline.high)


def test_headline_is_the_geometric_mean_and_its_interval_is_narrower_than_a_cases():
    other = ("base", 2, "vi_30s")
    report = calculate_ratio(
        m4(record(*M4), record(*M4, case=other)), xeon(record(*XEON), record(*XEON, case=other))
    )
    ratios = [case.ratio for case in report.cases]
    assert report.headline.value == pytest.approx(statistics.geometric_mean(ratios))
    assert report.cases[0].low < report.headline.low < report.headline.high < report.cases[0].high


def test_one_process_on_a_side_is_marked_as_within_run_only():
    report = calculate_ratio(m4(record(*M4, per_process=6)), xeon())
    (case,) = report.cases
    assert (case.validity, case.samples) == (Validity.WITHIN_RUN, "rounds")
    assert "the interval is from rounds" in case.reason
    theirs = stats.ttest_ind(
        [math.log(item) for item in XEON], [math.log(item) for item in M4], equal_var=False
    ).confidence_interval(0.95)
    assert (case.low, case.high) == pytest.approx((math.exp(theirs.low), math.exp(theirs.high)))
    assert case.target.latency.size == 6


def test_one_round_gives_no_interval_and_so_no_ratio():
    report = calculate_ratio(m4(record(1.0)), xeon())
    (case,) = report.cases
    assert case.validity is Validity.INVALID
    assert (case.ratio, case.low, case.high) == (None, None, None)
    assert case.reason == (
        "1 and 6 round(s) are too few for an interval; measure with "
        "--whisper-processes=5 on both sides"
    )
    assert (report.headline, report.validity) == (None, Validity.INVALID)
    assert report.invalid == [case]


def test_cpu_seconds_have_a_ratio_and_none_where_a_clock_was_too_coarse():
    report = calculate_ratio(m4(), xeon())
    assert report.cases[0].cpu.value == pytest.approx(report.cases[0].ratio)
    still = record(*XEON)
    coarse = msgspec.structs.replace(
        still, rounds=[msgspec.structs.replace(item, cpu_s=0.0) for item in still.rounds]
    )
    report = calculate_ratio(m4(), xeon(coarse))
    assert report.cases[0].cpu is None
    assert report.cases[0].target.cpu_s is None
    assert report.cases[0].validity is Validity.VALID


def test_differences_between_the_machines_are_listed_with_both_values():
    here, there = record(*M4), record(*XEON)
    backend = msgspec.structs.replace(there.backend, instruction_set="AVX512")
    there = msgspec.structs.replace(there, backend=backend)
    bare = msgspec.structs.replace(here.backend, sgemm=None)
    report = calculate_ratio(
        m4(msgspec.structs.replace(here, backend=bare)), xeon(there, kernel="6.8")
    )
    message = {item.field: (item.reference, item.target) for item in report.differences}
    assert message == {
        "architecture": ("ARM64", "x86_64"),
        "cpu_model": ("Apple M4", "A test's Xeon"),
        "kernel": ("6.1", "6.8"),
        "instruction_set": ("AVX2", "AVX512"),
        "sgemm": ("n/a", "MKL"),
    }


def test_result_files_give_the_same_ratio_as_the_saved_runs():
    here, there = (
        run_of_saved(parse_saved(encoded(*side), name), name, name)
        for side, name in ((M4, "m4"), (XEON, "xeon"))
    )
    by_run = calculate_ratio(here, there)
    results = result_of(*M4), result_of(*XEON)
    assert calculate_ratio(*results).cases == by_run.cases
    assert calculate_ratio([results[0]], [results[1]]).headline == by_run.headline


def test_result_files_of_one_run_are_put_together():
    result = result_of(*M4)
    record = msgspec.structs.replace(result.detail.record, threads=2)
    two = msgspec.structs.replace(
        result, detail=msgspec.structs.replace(result.detail, record=record)
    )
    report = calculate_ratio([result, two], [result, two])
    assert [case.label for case in report.cases] == ["base-t1-vi_30s", "base-t2-vi_30s"]


def test_a_run_without_machine_facts_is_refused():
    document = saved_document(*M4)
    del document["machine_info"]["whisper_bench"]
    saved = parse_saved(json.dumps(document).encode(), "m4")
    with pytest.raises(BenchError, match="m4: machine_info .*whisper_bench; measure again"):
        run_of_saved(saved, "m4", "m4")


def test_result_files_of_different_runs_or_none_at_all_are_refused():
    with pytest.raises(BenchError, match="different runs: m4 of 2026-11-24"):
        calculate_ratio(
            [result_of(1.0, 1.0), result_of(1.0, 1.0, moment="2026-11-25T10:30:00+00:00")],
            result_of(1.0, 1.0),
        )
    with pytest.raises(BenchError, match="a ratio needs at least one result file"):
        calculate_ratio([], result_of(1.0, 1.0))


def test_the_headline_has_the_validity_of_its_worst_case():
    two = ("base", 2, "vi_30s")
    report = calculate_ratio(
        m4(record(*M4), record(*M4, case=two, per_process=6)),
        xeon(record(*XEON), record(*XEON, case=two)),
    )
    assert report.validity is Validity.WITHIN_RUN
    assert report.headline is not None


def test_unknown_contention_stays_unknown():
    unknown = record(*M4)
    unknown = msgspec.structs.replace(
        unknown,
        rounds=[msgspec.structs.replace(item, contended=None) for item in unknown.rounds],
    )
    (case,) = calculate_ratio(m4(unknown), xeon()).cases
    assert case.reference.contended_rounds is None
    assert case.target.contended_rounds == 0


def test_a_spread_too_large_for_a_float_gives_an_invalid_ratio():
    (case,) = calculate_ratio(m4(record(1e-6, 1e6, per_process=1)), xeon(), confidence=0.9999).cases
    assert case.validity is Validity.INVALID


@pytest.mark.parametrize("wrong", [0, 1, 95, -0.5, math.nan])
def test_a_confidence_outside_0_to_1_is_refused(wrong):
    with pytest.raises(BenchError, match="give a share between 0 and 1, such as 0.95"):
        calculate_ratio(m4(), xeon(), confidence=wrong)


def test_an_edited_result_file_is_refused():
    result = result_of(1.0, 1.0)
    for changes, message in (
        ({"rounds": []}, "base-t1-vi_30s: it has no rounds on record"),
        ({"processes": []}, "base-t1-vi_30s: it has no rounds on record"),
    ):
        record = msgspec.structs.replace(result.detail.record, **changes)
        detail = msgspec.structs.replace(result.detail, record=record)
        with pytest.raises(BenchError, match=message):
            calculate_ratio(msgspec.structs.replace(result, detail=detail), result)
    with pytest.raises(BenchError, match="timestamp 2026-13-01T00:00:00Z is not a date"):
        calculate_ratio(msgspec.structs.replace(result, timestamp="2026-13-01T00:00:00Z"), result)


def test_a_run_with_a_case_twice_is_refused():
    with pytest.raises(BenchError, match=r"m4.json: the case base-t1-vi_30s is in it twice"):
        m4(record(*M4), record(*M4))


def test_a_higher_confidence_gives_a_wider_interval():
    wide = calculate_ratio(m4(), xeon(), confidence=0.99).cases[0]
    narrow = calculate_ratio(m4(), xeon(), confidence=0.8).cases[0]
    assert wide.low < narrow.low < narrow.high < wide.high
    assert wide.confidence == 0.99


def test_warnings_of_a_side_stay_with_it():
    far = record(*(1.0,) * 9, 9.0)
    (case,) = calculate_ratio(run(far), xeon()).cases
    assert any("1 of 10 rounds far out" in item for item in case.reference.warnings)
    assert not any("far out" in item for item in case.target.warnings)
