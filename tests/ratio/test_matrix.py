"""Many runs: every pair up to a dozen, each against the first above that."""

import math

import pytest

from support.ratios import M4, XEON, m4, record, run, xeon
from whisper_bench import calculate_matrix, calculate_ratio, matrix_frame
from whisper_bench.errors import BenchError
from whisper_bench.ratio.comparable import NotComparableError
from whisper_bench.ratio.matrix import MOST_IN_MATRIX, run_labels
from whisper_bench.ratio.matrix_text import NO_RATIO, matrix_lines

SLOW = tuple(2 * item for item in XEON)


def three():
    return [m4(), xeon(), run(record(*SLOW), name="old")]


def test_every_pair_is_compared_and_the_frame_is_antisymmetric():
    matrix = calculate_matrix(three())
    assert len(matrix.pairs) == 3
    frame = matrix_frame(matrix)
    assert list(frame.index) == list(frame.columns) == ["m4", "xeon", "old"]
    assert frame.loc["xeon", "m4"] == pytest.approx(calculate_ratio(m4(), xeon()).headline.value)
    for here in frame:
        for there in frame:
            assert frame.loc[here, there] * frame.loc[there, here] == pytest.approx(1)
    assert frame.loc["old", "m4"] == pytest.approx(
        frame.loc["old", "xeon"] * frame.loc["xeon", "m4"]
    )


def test_a_pair_that_cannot_be_compared_stops_the_matrix():
    other = run(record(*SLOW, compute_type="float32"), name="old")
    with pytest.raises(NotComparableError, match="m4 and old are not comparable"):
        calculate_matrix([*three()[:2], other])
    matrix = calculate_matrix([*three()[:2], other], allow_mismatch=["compute_type"])
    text = "\n".join(matrix_lines(matrix))
    assert "allowed, compute_type: int8 against float32 [base-t1-vi_30s] (m4 and old)" in text


def test_an_invalid_pair_has_no_figure():
    matrix = calculate_matrix([*three()[:2], run(record(1.0), name="once")])
    frame = matrix_frame(matrix)
    assert math.isnan(frame.loc["once", "m4"])
    text = "\n".join(matrix_lines(matrix))
    assert "INVALID" in text
    assert "! m4 and once, base-t1-vi_30s: INVALID: 6 and 1 round(s)" in text


def test_text_of_a_matrix_of_three_runs(golden):
    golden("matrix.txt", matrix_lines(calculate_matrix(three())))


def test_cases_that_only_some_runs_have_are_refused_unless_allowed():
    two = ("base", 2, "vi_30s")
    runs = [m4(record(*M4), record(*M4, case=two)), xeon(), xeon(record(*SLOW, case=two), name="b")]
    text = "\n".join(matrix_lines(calculate_matrix(runs[:2], allow_mismatch=["cases"])))
    assert "base-t2" in text
    with pytest.raises(NotComparableError):
        calculate_matrix(runs)


def test_a_case_that_a_run_lacks_has_no_ratio_in_its_column():
    two = ("base", 2, "vi_30s")
    both = xeon(record(*SLOW), record(*SLOW, case=two), name="b")
    runs = [m4(record(*M4), record(*M4, case=two)), xeon(), both]
    lines = matrix_lines(calculate_matrix(runs, allow_mismatch=["cases"]))
    (row,) = [line.split() for line in lines if line.startswith("base-t2-vi_30s ")]
    assert row[1] == NO_RATIO
    assert len(row) > 2


def test_many_are_compared_with_the_first_only(golden):
    runs = [m4(), *(xeon(name=f"x{number}") for number in range(MOST_IN_MATRIX))]
    runs[-1] = xeon(record(1.0), name="once")
    matrix = calculate_matrix(runs)
    assert len(matrix.pairs) == MOST_IN_MATRIX
    golden("against_first.txt", matrix_lines(matrix))


def test_runs_are_labelled_by_name_else_file_else_path():
    facts = [item.facts for item in three()]
    assert run_labels(facts) == ["m4", "xeon", "old"]
    same = [xeon(where="a/0001_x.json").facts, xeon(where="a/0002_x.json").facts]
    assert run_labels(same) == ["0001_x", "0002_x"]
    same = [xeon(where="a/0001_x.json").facts, xeon(where="b/0001_x.json").facts]
    assert run_labels(same) == ["a/0001_x.json", "b/0001_x.json"]


def test_a_matrix_needs_two_different_runs():
    for runs in ([], [m4()], [m4(), xeon(), m4()]):
        with pytest.raises(BenchError, match="a matrix needs two different runs or more"):
            calculate_matrix(runs)
