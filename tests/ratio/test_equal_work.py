"""The ratio at equal work: kernels that decode a few tokens more do the same work in the ratio."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.ratios import M4, m4, record, run, work_record, xeon
from whisper_bench import calculate_matrix, calculate_ratio
from whisper_bench.errors import BenchError
from whisper_bench.ratio.comparable import NotComparableError
from whisper_bench.ratio.config import load_config, save_config
from whisper_bench.ratio.matrix_text import matrix_lines
from whisper_bench.ratio.merge import merge_runs
from whisper_bench.ratio.report import Validity
from whisper_bench.ratio.text import AS_MEASURED, ratio_lines

HERE = (0.5, 0.010), (0.52, 0.0098), (0.49, 0.0101)
THERE = (1.0, 0.015), (1.1, 0.0148), (0.95, 0.0155)
SIDES = ("reference", "target")
SECONDS = st.floats(0.001, 10)


def ratio(*there, tokens, here=HERE, here_tokens=100):
    """Return the only case of the ratio of two runs."""
    reference = m4(work_record(*here, tokens=here_tokens))
    return calculate_ratio(reference, xeon(work_record(*there, tokens=tokens))).cases[0]


@given(SECONDS, SECONDS, SECONDS, SECONDS, st.integers(90, 110))
def test_the_ratio_is_that_of_the_same_tokens_whatever_the_target_decoded(
    encode_s, token_s, encode_there_s, token_there_s, tokens
):
    here, there = 3 * [(encode_s, token_s)], 3 * [(encode_there_s, token_there_s)]
    case = ratio(*there, tokens=tokens, here=here)
    true = ratio(*there, tokens=100, here=here)
    assert case.ratio == pytest.approx(true.ratio, rel=1e-9)
    assert (case.low, case.high) == pytest.approx((true.low, true.high), rel=1e-9)
    assert case.encoder.value == pytest.approx(encode_there_s / encode_s)
    assert case.decoder.value == pytest.approx(token_there_s / token_s)
    assert case.plain.value == pytest.approx(case.target.latency_s / case.reference.latency_s)


def test_cpu_seconds_are_compared_at_equal_work_as_well():
    case = ratio(*THERE, tokens=108)
    assert case.cpu.value == pytest.approx(
        case.target.work.cpu.value / case.reference.cpu.value, rel=1e-9
    )
    assert case.target.work.cpu.value < case.target.cpu.value


def test_equal_tokens_leave_the_ratio_as_measured():
    case = ratio(*THERE, tokens=100)
    assert case.estimate == case.plain
    assert case.reference.work.latency == case.reference.latency


def test_both_token_counts_and_the_ratios_of_the_parts_are_shown():
    case = ratio(*THERE, tokens=108)
    report = calculate_ratio(m4(work_record(*HERE)), xeon(work_record(*THERE, tokens=108)))
    (line,) = [line for line in ratio_lines(report) if "100 and 108" in line]
    for part in (case.plain, case.encoder, case.decoder):
        assert str(part) in line


@pytest.mark.parametrize("tokens", [86, 116])
def test_more_than_15_percent_apart_is_another_answer(tokens):
    with pytest.raises(NotComparableError, match=f"tokens: 100 against {tokens}"):
        ratio(*THERE, tokens=tokens)
    here, there = m4(work_record(*HERE)), xeon(work_record(*THERE, tokens=tokens))
    report = calculate_ratio(here, there, allow_mismatch=["tokens"])
    assert [mismatch.field for mismatch in report.allowed_mismatches] == ["tokens"]
    assert report.cases[0].is_at_equal_work


def test_a_side_without_a_split_is_compared_as_measured_and_says_so():
    report = calculate_ratio(m4(record(*M4)), xeon(work_record(*THERE, tokens=3)))
    (case,) = report.cases
    assert case.estimate == case.plain
    assert case.reference.work is case.target.work is case.encoder is case.decoder is None
    assert f"! {AS_MEASURED} [base-t1-vi_30s]" in ratio_lines(report)


def test_a_matrix_at_equal_work_says_nothing_of_it():
    runs = [
        m4(work_record(*HERE)),
        xeon(work_record(*THERE, tokens=108)),
        xeon(work_record(*THERE, tokens=104), name="other", where="other.json"),
    ]
    assert not any(AS_MEASURED in line for line in matrix_lines(calculate_matrix(runs)))


def test_a_side_without_a_split_may_differ_by_2_percent_of_tokens_only():
    unsplit = work_record(*HERE, tokens=100)
    unsplit = msgspec.structs.replace(
        unsplit,
        rounds=[msgspec.structs.replace(measured, split=None) for measured in unsplit.rounds],
    )
    calculate_ratio(m4(unsplit), xeon(work_record(*THERE, tokens=102)))
    with pytest.raises(NotComparableError, match="tokens: 100 against 103"):
        calculate_ratio(m4(unsplit), xeon(work_record(*THERE, tokens=103)))


@pytest.fixture
def config(tmp_path):
    """A kept ratio at equal work, as a document."""
    report = calculate_ratio(m4(work_record(*HERE)), xeon(work_record(*THERE, tokens=108)))
    path = save_config(report, tmp_path)
    kept = load_config(path)
    assert kept.schema_version == 2
    assert (kept.cases, kept.headline) == (report.cases, report.headline)
    return path, json.loads(path.read_text())


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        (lambda case: case["plain"].update(value=9), "plain ratio does not follow"),
        (lambda case: case.update(plain=None), "plain ratio does not follow"),
        (lambda case: case["encoder"].update(low=9), "encoder ratio does not follow"),
        (lambda case: case.update(decoder=None), "decoder ratio does not follow"),
        (lambda case: case["target"].update(work=None), "ratio does not follow"),
        (lambda case: [case[side].update(work=None) for side in SIDES], "ratio does not follow"),
        (lambda case: case["target"]["work"]["latency"].update(mean=9), "ratio does not follow"),
        (lambda case: case["target"].update(tokens=150), "target at equal work does not follow"),
        (lambda case: case["reference"].update(tokens=99), "reference has tokens of another round"),
    ],
)
def test_an_edited_ratio_at_equal_work_is_refused(config, change, trouble):
    path, document = config
    change(document["cases"][0])
    path.write_text(json.dumps(document))
    with pytest.raises(BenchError, match=rf"base-t1-vi_30s's .*{trouble}"):
        load_config(path)


def test_a_ratio_kept_before_the_work_was_recorded_is_read(config):
    path, _ = config
    report = calculate_ratio(m4(), xeon())
    document = json.loads(save_config(report, path.parent).read_text())
    document["schema_version"] = 1
    for case in document["cases"]:
        for name in ("plain", "encoder", "decoder"):
            del case[name]
        for side in ("reference", "target"):
            del case[side]["work"]
    path.write_text(json.dumps(document))
    kept = load_config(path)
    assert kept.cases[0].estimate == report.cases[0].estimate
    assert not kept.cases[0].is_at_equal_work


def test_rounds_as_samples_are_moved_like_their_process():
    case = ratio(THERE[0], tokens=108, here=HERE[:1])
    true = ratio(THERE[0], tokens=100, here=HERE[:1])
    assert case.validity is Validity.WITHIN_RUN
    assert case.samples == "rounds"
    assert case.ratio == pytest.approx(true.ratio, rel=1e-3)


def test_each_run_of_several_is_brought_to_the_same_tokens():
    def merged(side, *tokens):
        return merge_runs(
            [
                run(
                    work_record(*[(a + 0.01 * day, b) for a, b in side], tokens=count),
                    name="m4", where=f"{day}.json",
                )
                for day, count in enumerate(tokens)
            ]
        )  # fmt: skip

    (case,) = calculate_ratio(merged(HERE, 100, 100), merged(THERE, 104, 108)).cases
    (true,) = calculate_ratio(merged(HERE, 100, 100), merged(THERE, 100, 100)).cases
    assert case.samples == "runs"
    assert case.ratio == pytest.approx(true.ratio, rel=1e-9)
    assert case.low == pytest.approx(true.low, rel=1e-9)
