"""What must hold of the candidate whatever the time: each check both ways, and what it says."""

import msgspec
import pytest

from support.gates import MACHINE, measured_case, process, several
from support.samples import LIMIT
from whisper_bench.case.decoding import Decoding
from whisper_bench.errors import BenchError
from whisper_bench.gate.checks import (
    answers_right,
    check_allowed,
    notes,
    same_cases,
    same_identity,
    steady,
)
from whisper_bench.gate.report import Answer

BASE = process()
OTHER_NODE = msgspec.structs.replace(MACHINE, node="n2")
OTHER_CHIP = msgspec.structs.replace(MACHINE, cpu_model="Another")
OTHER, TWO_THREADS = ("base", 1, "other"), ("base", 2, "vi_30s")
ALSO = "test_transcribe[base-t1-other]"
TWO = several(measured_case(), measured_case(case=OTHER))


def weights(sha256):
    return msgspec.structs.replace(BASE.cases[0].record.weights, sha256=sha256)


def config(sha256):
    files = {**BASE.cases[0].record.weights.files, "config.json": sha256}
    return msgspec.structs.replace(BASE.cases[0].record.weights, files=files)


def clip(sha256):
    return msgspec.structs.replace(BASE.cases[0].record.clip, sha256=sha256)


def limited(cpus, source="cgroup v2 quota"):
    return msgspec.structs.replace(LIMIT, cpus=cpus, quota_cpus=cpus, source=source)


HERE = "test_transcribe[base-t1-vi_30s]"
MISSING = f"missing in the candidate: {HERE}; only in the candidate: "
RENAMED = "; measure the same cases on both sides"


@pytest.mark.parametrize(
    ("baseline", "candidate", "answer", "message"),
    [
        (BASE, process(2.0), Answer.PASS, f"both sides measure {HERE}"),
        (
            BASE,
            process(name="test_new"),
            Answer.FAIL,
            f"{MISSING}test_new[base-t1-vi_30s]{RENAMED}",
        ),
        (
            BASE,
            process(case=OTHER),
            Answer.FAIL,
            f"{MISSING}test_transcribe[base-t1-other]{RENAMED}",
        ),
        (TWO, BASE, Answer.FAIL, f"missing in the candidate: {ALSO}{RENAMED}"),
        (BASE, TWO, Answer.FAIL, f"only in the candidate: {ALSO}{RENAMED}"),
        (BASE, process(case=TWO_THREADS), Answer.FAIL, f"{MISSING}test_transcribe[base-t2-vi_30s]"),
    ],
)
def test_both_sides_measure_the_same_cases(baseline, candidate, answer, message):
    check = same_cases(baseline, candidate)
    assert (check.name, check.answer) == ("cases", answer)
    assert message in check.message


DIFFERENT = {
    "model_sha256": ({"weights": weights("b" * 64)}, f"{'a' * 64} became {'b' * 64}"),
    "weights.config.json": (
        {"weights": config("d" * 64)},
        f"{'e' * 64} became {'d' * 64}",
    ),
    "clip_sha256": ({"clip": clip("d" * 64)}, f"{'c' * 64} became {'d' * 64}"),
    "compute_type": ({"compute_type": "float32"}, "int8 became float32"),
    "compute_type_in_use": ({"compute_type_in_use": "int8"}, "int8_float32 became int8"),
    "decoding.beam_size": ({"decoding": Decoding("vi", beam_size=1)}, "5 became 1"),
    "cpu_limit": ({"limit": limited(2.0)}, "1.0 became 2.0"),
    "tokens": ({"tokens": 4}, "3 became 4"),
    "transcript": ({"transcript": "một hai"}, "'một hai bốn' became 'một hai'"),
}


@pytest.mark.parametrize("field", DIFFERENT)
def test_what_must_be_the_same_is_named_with_both_values(field):
    changes, printed = DIFFERENT[field]
    (check,) = same_identity(BASE, process(**changes), allow=[])
    assert (check.name, check.answer) == (field, Answer.FAIL)
    assert check.message == f"{field} of base-t1-vi_30s: {printed}"


@pytest.mark.parametrize("field", DIFFERENT)
def test_what_is_let_through_is_told(field):
    changes, _ = DIFFERENT[field]
    check_allowed([field])
    (check,) = same_identity(BASE, process(**changes), allow=[field])
    assert check.answer is Answer.PASS
    assert check.message.startswith(f"allowed to differ: {field}: ")


def test_a_field_lets_no_other_through():
    candidate = process(transcript="khác", tokens=9)
    (check,) = same_identity(BASE, candidate, allow=["transcript"])
    assert (check.name, check.answer) == ("tokens", Answer.FAIL)


def test_a_whole_lets_its_parts_through():
    candidate = process(decoding=Decoding("vi", beam_size=1))
    assert [item.answer for item in same_identity(BASE, candidate, ["decoding"])] == [Answer.PASS]


def test_the_same_has_the_same_identity():
    (check,) = same_identity(BASE, process(2.0), allow=[])
    assert (check.name, check.answer) == ("identity", Answer.PASS)
    assert "tokens and transcript are the same" in check.message


def test_every_difference_of_every_case_is_told():
    candidate = several(
        measured_case(transcript="khác"), measured_case(case=OTHER, tokens=9, transcript="khác")
    )
    checks = same_identity(TWO, candidate, allow=[])
    assert {(item.name, "base-t1-other" in item.message) for item in checks} == {
        ("transcript", False),
        ("transcript", True),
        ("tokens", True),
    }


def test_a_node_of_another_name_is_noted():
    assert notes(BASE, process(machine=OTHER_NODE)) == ["node: n1 before, n2 now"]


def test_library_versions_differ_and_are_told():
    candidate = process(versions={"ctranslate2": "5"}, warmup_rounds=0)
    (check,) = same_identity(BASE, candidate, allow=[])
    assert check.answer is Answer.PASS
    printed = notes(BASE, candidate)
    assert "versions.ctranslate2: 4 before, 5 now" in printed
    assert "warmup_rounds: 1 before, 0 now" in printed
    assert notes(BASE, BASE) == []


@pytest.mark.parametrize("field", ["transcript", "tokens", "decoding.beam_size", "versions.numpy"])
def test_what_may_be_let_through(field):
    check_allowed([field])


@pytest.mark.parametrize("field", ["latency", "decoding.speed", "transcripts", ""])
def test_what_is_never_compared_cannot_be_let_through(field):
    with pytest.raises(BenchError, match="no such field is compared"):
        check_allowed([field])


@pytest.mark.parametrize(
    ("later", "message"),
    [
        (process(3.0), None),
        (process(tokens=4), "a later process differs from the first: tokens of base-t1-vi_30s: 3"),
        (process(versions={"ctranslate2": "5"}), "versions.ctranslate2 of base-t1-vi_30s: 4 bec"),
        (process(transcript="khác"), "transcript of base-t1-vi_30s: 'một hai bốn' became 'khác'"),
        (process(case=OTHER), "a later process measured other cases than the first"),
        (process(name="test_renamed"), "a later process measured other cases than the first"),
        (TWO, "a later process measured other cases than the first"),
        (process(machine=OTHER_CHIP), "the first process ran on n1, A test's Xeon (x86_64, Linux)"),
        (process(machine=OTHER_NODE), ""),
    ],
)
def test_a_later_process_is_held_to_the_first(later, message):
    checks = steady(BASE, later)
    assert bool(checks) == bool(message)
    for check in checks:
        assert (check.name, check.answer) == ("steady", Answer.FAIL)
        assert message in check.message


def answered(rate, bound=0.75):
    return process(word_error_rate=rate, word_error_rate_bound=bound)


@pytest.mark.parametrize(
    ("before", "now", "bound", "answer", "message"),
    [
        (0.33, 0.33, 0.75, Answer.PASS, "0.330, within the bounds"),
        (0.33, 0.35, 0.75, Answer.PASS, "0.350, within the bounds"),
        (0.33, 0.351, 0.75, Answer.FAIL, "word error rate 0.351, but the baseline has 0.330"),
        (0.74, 0.751, 0.75, Answer.FAIL, "word error rate 0.751, above the bound 0.750"),
        (0.5, 0.2, None, Answer.PASS, "0.200, within"),
        (None, None, None, Answer.PASS, "no text"),
        (None, 0.8, 0.75, Answer.FAIL, "above the bound 0.750"),
    ],
)
def test_answers_are_held_to_the_bound_and_to_the_baseline(before, now, bound, answer, message):
    check = answers_right(answered(before), answered(now, bound))
    assert (check.name, check.answer) == ("word error rate", answer)
    assert message in check.message


def test_a_candidate_cannot_take_the_text_away():
    assert answers_right(answered(0.33), answered(None, None)).answer is Answer.FAIL
