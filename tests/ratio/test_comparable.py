"""Which runs may be compared: every field, both values, and what is let through."""

import msgspec
import pytest

from support.ratios import M4, XEON, facts, m4, record, run, xeon
from support.samples import FILES, NO_LIMIT
from whisper_bench import calculate_ratio
from whisper_bench.case.decoding import Decoding
from whisper_bench.case.record import ClipIdentity, ModelFacts
from whisper_bench.errors import BenchError
from whisper_bench.machine.cpu_limit import CpuLimit
from whisper_bench.ratio.comparable import NotComparableError, comparable_pairs

MODEL = ModelFacts("model-dir", "revision", "b" * 64, True, False)  # noqa: FBT003


def weights(files):
    return ModelFacts("model-dir", "revision", "a" * 64, True, False, files)  # noqa: FBT003


CHANGES = {
    "model_sha256": ({"weights": MODEL}, f"model_sha256: {'a' * 64} against {'b' * 64}"),
    "clip_sha256": (
        {"clip": ClipIdentity("vi_30s", "d" * 64, 30.0, 1)},
        f"clip_sha256: {'c' * 64} against {'d' * 64}",
    ),
    "compute_type": ({"compute_type": "float32"}, "compute_type: int8 against float32"),
    "compute_type_in_use": (
        {"compute_type_in_use": "int8"},
        "compute_type_in_use: int8_float32 against int8",
    ),
    "decoding.beam_size": (
        {"decoding": Decoding("vi", beam_size=1)},
        "decoding.beam_size: 5 against 1",
    ),
    "decoding.language": (
        {"decoding": Decoding(language="en")},
        "decoding.language: vi against en",
    ),
    "cpu_limit": ({"cpu_limit": NO_LIMIT}, "cpu_limit: 1.0 against none"),
    "versions.ctranslate2": (
        {"versions": {"ctranslate2": "5"}},
        "versions.ctranslate2: 4 against 5",
    ),
    "versions.numpy": (
        {"versions": {"ctranslate2": "4", "numpy": "2"}},
        "versions.numpy: none against 2",
    ),
    "weights.config.json": (
        {"weights": weights({**FILES, "config.json": "f" * 64})},
        f"weights.config.json: {'e' * 64} against {'f' * 64}",
    ),
    "weights.preprocessor_config.json": (
        {"weights": weights({**FILES, "preprocessor_config.json": "f" * 64})},
        f"weights.preprocessor_config.json: none against {'f' * 64}",
    ),
    "tokens": ({"tokens": 103}, "tokens: 100 against 103"),
}


def sides(changes):
    return m4(record(*M4, tokens=100)), xeon(record(*XEON, **{"tokens": 100, **changes}))


@pytest.mark.parametrize("field", CHANGES)
def test_a_field_that_differs_is_an_error_with_both_values(field):
    changes, message = CHANGES[field]
    with pytest.raises(NotComparableError) as caught:
        calculate_ratio(*sides(changes))
    assert f"m4 and xeon are not comparable:\n  {message} [base-t1-vi_30s]\n" in str(caught.value)
    assert f"--allow-mismatch {field}" in str(caught.value)
    assert [item.field for item in caught.value.mismatches] == [field]
    assert caught.value.exit_status == 1


@pytest.mark.parametrize("field", CHANGES)
def test_an_allowed_mismatch_is_recorded(field):
    changes, message = CHANGES[field]
    for allow in ({field}, {field.partition(".")[0]}):
        report = calculate_ratio(*sides(changes), allow_mismatch=allow)
        assert [str(item) for item in report.allowed_mismatches] == [f"{message} [base-t1-vi_30s]"]
        assert report.cases[0].identity.tokens == 100


def test_an_allowed_mismatch_allows_no_other_field():
    changes = {"tokens": 103, "compute_type": "float32"}
    with pytest.raises(NotComparableError) as caught:
        calculate_ratio(*sides(changes), allow_mismatch=["tokens"])
    assert [item.field for item in caught.value.mismatches] == ["compute_type"]


def test_a_run_saved_before_every_file_was_hashed_is_compared_by_model_bin():
    report = calculate_ratio(*sides({"weights": weights(None)}))
    assert report.allowed_mismatches == []
    with pytest.raises(NotComparableError, match="model_sha256"):
        calculate_ratio(*sides({"weights": MODEL}))


@pytest.mark.parametrize(("tokens", "agree"), [(102, True), (98, False), (99, True), (103, False)])
def test_tokens_may_differ_by_two_percent_of_the_fewer(tokens, agree):
    if agree:
        assert calculate_ratio(*sides({"tokens": tokens})).allowed_mismatches == []
    else:
        with pytest.raises(NotComparableError):
            calculate_ratio(*sides({"tokens": tokens}))


@pytest.mark.parametrize("wrong", ["nonsense", "decoding.size", "cases.base", "version"])
def test_allow_mismatch_refuses_a_field_that_is_not_compared(wrong):
    with pytest.raises(BenchError, match=f"--allow-mismatch {wrong}: .*model_sha256"):
        calculate_ratio(m4(), xeon(), allow_mismatch=[wrong])


def test_a_case_on_one_side_only_is_a_mismatch_unless_allowed():
    two = ("base", 2, "vi_30s")
    lonely = m4(record(*M4), record(*M4, case=two)), xeon()
    with pytest.raises(NotComparableError, match="cases: base-t2-vi_30s against none"):
        calculate_ratio(*lonely)
    with pytest.raises(NotComparableError, match="cases: none against base-t2-vi_30s"):
        calculate_ratio(*reversed(lonely))
    report = calculate_ratio(*lonely, allow_mismatch=["cases"])
    assert [case.label for case in report.cases] == ["base-t1-vi_30s"]
    assert [item.field for item in report.allowed_mismatches] == ["cases"]


def test_cases_that_differ_in_threads_alone_are_compared_if_allowed():
    here, there = m4(), xeon(record(*XEON, case=("base", 2, "vi_30s")))
    with pytest.raises(NotComparableError) as caught:
        calculate_ratio(here, there)
    assert "threads: 1 against 2 [base-t1-vi_30s and base-t2-vi_30s]" in str(caught.value)
    assert len(calculate_ratio(here, there, allow_mismatch=["threads"]).cases) == 1


def test_a_clip_under_another_name_is_the_same_clip():
    renamed = xeon(record(*XEON, case=("base", 1, "mine")))
    assert calculate_ratio(m4(), renamed).allowed_mismatches == []


def test_several_thread_counts_are_not_matched_by_a_guess():
    here = m4(record(*M4), record(*M4, case=("base", 2, "vi_30s")))
    there = xeon(record(*XEON, case=("base", 4, "vi_30s")))
    with pytest.raises(NotComparableError) as caught:
        calculate_ratio(here, there)
    assert [item.field for item in caught.value.mismatches] == ["cases"] * 3


def test_runs_without_a_common_case_are_refused():
    there = xeon(record(*XEON, case=("small", 2, "other")))
    with pytest.raises(BenchError, match="m4 and xeon .*no case"):
        calculate_ratio(m4(), there, allow_mismatch=["cases"])


def test_a_mismatch_of_several_cases_is_listed_once():
    two = ("base", 2, "vi_30s")
    here = m4(record(*M4), record(*M4, case=two))
    there = xeon(
        record(*XEON, compute_type="float32"), record(*XEON, case=two, compute_type="float32")
    )
    with pytest.raises(NotComparableError) as caught:
        calculate_ratio(here, there)
    (mismatch,) = caught.value.mismatches
    assert mismatch.cases == ["base-t1-vi_30s", "base-t2-vi_30s"]


def test_facts_of_a_machine_are_no_mismatch():
    there = xeon(python="3.13.0")
    assert msgspec.structs.replace(there.facts, name="m4") != facts()
    assert calculate_ratio(m4(), there).allowed_mismatches == []


def test_an_unknown_limit_is_not_the_same_as_no_limit():
    """A quota may be in force in groups that the one run could not see."""
    hidden = msgspec.structs.replace(NO_LIMIT, tree="the groups above are hidden")
    bare = m4(record(*M4, limit=NO_LIMIT))
    with pytest.raises(NotComparableError, match="cpu_limit: none against unknown"):
        calculate_ratio(bare, xeon(record(*XEON, limit=hidden)))
    unread = msgspec.structs.replace(NO_LIMIT, quota_trouble="/x: Permission denied")
    with pytest.raises(NotComparableError, match="cpu_limit: none against unknown"):
        calculate_ratio(bare, xeon(record(*XEON, limit=unread)))
    macos = CpuLimit(None, "unknown: no tree", None, None, None, 10, "no tree")
    assert calculate_ratio(bare, xeon(record(*XEON, limit=macos))).allowed_mismatches == []
    both = calculate_ratio(m4(record(*M4, limit=hidden)), xeon(record(*XEON, limit=hidden)))
    assert "no CPU limit in force can be seen" in str(both)


def test_another_number_of_copies_is_named_and_allowed_only_when_asked():
    alone = m4()
    full = run(msgspec.structs.replace(full_record(), copies=4), name="xeon")
    with pytest.raises(NotComparableError, match="copies: 1 against 4") as refused:
        comparable_pairs(alone, full)
    assert refused.value.fields == ["copies"]
    ((here, there),), allowed = comparable_pairs(alone, full, ["copies"])
    assert (here.copies, there.copies) == (1, 4)
    assert [mismatch.field for mismatch in allowed] == ["copies"]


def full_record():
    made = record(*XEON)
    rounds = [
        msgspec.structs.replace(one, copy=1 + number % 4, start_s=float(number))
        for number, one in enumerate(made.rounds)
    ]
    return msgspec.structs.replace(made, rounds=rounds)
