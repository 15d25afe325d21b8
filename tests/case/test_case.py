import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_bench.case import case
from whisper_bench.case.case import Case, rounds_by_process
from whisper_bench.stats import quantile


@pytest.mark.parametrize("module", [case, quantile])
def test_examples_in_docstrings_give_what_they_show(module):
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0


def test_a_cases_label_is_model_threads_and_clip():
    assert Case("base", 4, "vi_30s").label == "base-t4-vi_30s"


@given(st.integers(1, 500), st.integers(1, 50))
def test_rounds_are_spread_evenly_and_none_is_lost(rounds, processes):
    sizes = rounds_by_process(rounds, processes)
    assert sum(sizes) == rounds
    assert len(sizes) == min(rounds, processes)
    assert max(sizes) - min(sizes) <= 1
