"""Predictions from a new run and a kept ratio; refusals of what does not belong together."""

import math
import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from scipy import stats

from support.ratios import M4, XEON, m4, record, xeon
from whisper_bench import calculate_ratio
from whisper_bench.case.record import ModelFacts
from whisper_bench.ratio.comparable import NotComparableError
from whisper_bench.ratio.config import StaleError, config_of
from whisper_bench.ratio.predict import predict, run_to_come
from whisper_bench.ratio.report import Validity
from whisper_bench.ratio.text import prediction_lines
from whisper_bench.stats.welch import log_mean

OTHER = ModelFacts("model-dir", "revision", "b" * 64, True, False)  # noqa: FBT003
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NEW = (1.1, 1.12, 1.08, 1.1, 1.13, 1.11)


def config():
    return config_of(calculate_ratio(m4(), xeon()), NOW)


def test_predicts_latency_and_rps_of_the_target():
    report = predict(m4(record(*NEW), name="m4b"), config(), now=NOW)
    (case,) = report.cases
    kept = config().cases[0]
    assert case.ratio.value == pytest.approx(kept.ratio)
    assert case.latency_s.value == pytest.approx(case.measured_s * kept.ratio)
    assert case.rps.value == pytest.approx(1 / case.latency_s.value)
    assert case.rps.low == pytest.approx(1 / case.latency_s.high)
    assert case.rps.high == pytest.approx(1 / case.latency_s.low)
    assert case.latency_s.low < case.latency_s.value < case.latency_s.high
    assert case.validity is Validity.VALID
    assert (report.run.name, report.reference.name, report.target.name) == ("m4b", "m4", "xeon")


def test_the_interval_is_one_for_the_mean_of_a_run_to_come():
    new, reference, target = ([1.0, 1.1, 1.05], [1.0, 1.2], [2.5, 2.4, 2.6, 2.7])
    actual = run_to_come(*(log_mean(side) for side in (new, reference, target)))
    variances = [stats.tvar([math.log(item) for item in side]) for side in (new, reference, target)]
    errors = [variances[0] / 3, variances[1] / 2, variances[2] * (1 / 4 + 1 / 4)]
    freedom = sum(errors) ** 2 / (errors[0] ** 2 / 2 + errors[1] ** 2 / 1 + errors[2] ** 2 / 3)
    half = stats.t.ppf(0.975, freedom) * math.sqrt(sum(errors))
    assert math.log(actual.high / actual.value) == pytest.approx(half, rel=1e-9)
    assert math.log(actual.value / actual.low) == pytest.approx(half, rel=1e-9)


def test_a_prediction_from_one_process_is_marked_within_run():
    (case,) = predict(m4(record(*NEW, per_process=6)), config(), now=NOW).cases
    assert case.validity is Validity.WITHIN_RUN
    kept = config_of(calculate_ratio(m4(record(*M4, per_process=6)), xeon()), NOW)
    (case,) = predict(m4(record(*NEW)), kept, now=NOW).cases
    assert case.validity is Validity.WITHIN_RUN


def test_a_prediction_from_one_round_is_refused():
    with pytest.raises(StaleError, match=r"base-t1-vi_30s: 1 round\(s\) "):
        predict(m4(record(1.0)), config(), now=NOW)


def test_a_stale_ratio_is_refused():
    later = NOW + timedelta(days=100)
    with pytest.raises(StaleError, match="100 days .*90"):
        predict(m4(record(*NEW)), config(), now=later)
    assert predict(m4(record(*NEW)), config(), now=later, most_days=200).cases


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cpu_model": "Apple M1"}, "cpu_model of m4 is 'Apple M4', of m4 'Apple M1'"),
        ({"system": "Darwin"}, "system of m4 is 'Linux', of m4 'Darwin'"),
        ({"architecture": "x86_64"}, "architecture of m4 is 'ARM64', of m4 'x86_64'"),
    ],
)
def test_another_machines_ratio_is_refused(changes, message):
    with pytest.raises(StaleError, match="another machine") as caught:
        predict(m4(record(*NEW), **changes), config(), now=NOW)
    assert message in str(caught.value)


def test_another_measurements_ratio_is_refused():
    other = m4(record(*NEW, compute_type="float32"), name="m4b")
    with pytest.raises(NotComparableError, match="compute_type: int8 against float32") as caught:
        predict(other, config(), now=NOW)
    assert "m4 (the ratio's) and m4b are not comparable" in str(caught.value)
    report = predict(other, config(), now=NOW, allow_mismatch=["compute_type"])
    assert [item.field for item in report.allowed_mismatches] == ["compute_type"]


def test_a_case_that_the_ratio_lacks_is_refused_or_left_out_if_allowed():
    both = [record(*NEW), record(*NEW, case=("small", 1, "vi_30s"))]
    with pytest.raises(NotComparableError, match="cases: none against small-t1-vi_30s"):
        predict(m4(*both, name="m4b"), config(), now=NOW)
    report = predict(m4(*both, name="m4b"), config(), now=NOW, allow_mismatch=["cases"])
    assert [case.label for case in report.cases] == ["base-t1-vi_30s"]
    other = record(*NEW, case=("small", 1, "vi_30s"), weights=OTHER)
    with pytest.raises(NotComparableError, match="model_sha256: a+ against b+ "):
        predict(m4(other, name="m4b"), config(), now=NOW)


def test_a_run_with_another_set_up_than_the_ratios_is_refused():
    new = record(*NEW)
    backend = msgspec.structs.replace(new.backend, instruction_set="GENERIC")
    for changes, message in (
        ({"backend": backend}, "instruction_set of m4 is 'AVX2', of m4b 'GENERIC'"),
        ({"warmup_rounds": 0}, "warmup_rounds of m4 is '1', of m4b '0'"),
        ({"environment": {"KMP_BLOCKTIME": "0"}}, "environment.KMP_BLOCKTIME of m4 is None"),
    ):
        other = m4(msgspec.structs.replace(new, **changes), name="m4b")
        with pytest.raises(StaleError) as caught:
            predict(other, config(), now=NOW)
        assert message in str(caught.value)


@pytest.mark.parametrize("chip", ["unknown", "Apple (implementer 0x61, part 0x000)"])
def test_a_chip_without_a_model_name_is_refused(chip):
    kept = config_of(calculate_ratio(m4(cpu_model=chip), xeon()), NOW)
    with pytest.raises(StaleError, match=rf"{re.escape(chip)}.*--whisper-cpu-model"):
        predict(m4(record(*NEW), cpu_model=chip), kept, now=NOW)


def test_a_clip_under_another_name_is_the_same_clip():
    report = predict(m4(record(*NEW, case=("base", 1, "mine"))), config(), now=NOW)
    assert [case.label for case in report.cases] == ["base-t1-mine"]


def test_a_prediction_repeats_the_ratios_mismatches_and_warnings():
    kept = config_of(
        calculate_ratio(m4(), xeon(record(*XEON, tokens=200)), allow_mismatch=["tokens"]), NOW
    )
    report = predict(m4(record(*NEW), name="m4b"), kept, now=NOW)
    assert [item.field for item in report.ratio_mismatches] == ["tokens"]
    assert "the ratio's xeon, base-t1-vi_30s: 3 processes: 5 or more" in " ".join(report.warnings)
    assert "allowed by the ratio, tokens: 3 against 200" in "\n".join(prediction_lines(report))


def test_predicting_the_ratios_own_run_gives_a_warning():
    report = predict(m4(), config(), now=NOW)
    assert "m4 is the ratio's own reference: this prediction has no new data" in report.warnings


def test_cases_of_the_ratio_that_the_run_lacks_are_left_out():
    two = ("base", 2, "vi_30s")
    kept = config_of(
        calculate_ratio(
            m4(record(*M4), record(*M4, case=two)), xeon(record(*XEON), record(*XEON, case=two))
        ),
        NOW,
    )
    report = predict(m4(record(*NEW, case=two)), kept, now=NOW)
    assert [case.label for case in report.cases] == ["base-t2-vi_30s"]


def test_other_library_versions_than_the_ratios_are_refused():
    newer = record(*NEW, versions={"ctranslate2": "5"})
    with pytest.raises(NotComparableError, match=r"versions\.ctranslate2: 4 against 5"):
        predict(m4(newer), config(), now=NOW)
