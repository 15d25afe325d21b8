"""Student's t, held to SciPy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from whisper_bench.stats.student import t_quantile, t_tail


@given(st.floats(0.5001, 0.9999), st.floats(0.5, 500))
def test_t_quantile_is_that_of_scipy(probability, freedom):
    assert t_quantile(probability, freedom) == pytest.approx(
        stats.t.ppf(probability, freedom), rel=1e-9, abs=1e-9
    )


@given(st.floats(0.01, 50), st.floats(0.5, 500))
def test_t_tail_is_that_of_scipy(t, freedom):
    assert t_tail(t, freedom) == pytest.approx(stats.t.sf(t, freedom), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("freedom", [1e5, 1e9])
def test_t_quantile_of_many_degrees_of_freedom_is_that_of_scipy(freedom):
    assert t_quantile(0.975, freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-9)


def test_t_tail_near_zero_is_a_half():
    assert t_tail(1e-9, 3) == 0.5


@pytest.mark.parametrize("freedom", [0.5, 1, 5])
def test_a_quantile_next_to_the_median_ends(freedom):
    assert t_quantile(0.5 + 5e-10, freedom) == pytest.approx(0, abs=1e-6)


def test_a_quantile_far_out_of_many_degrees_of_freedom_is_that_of_scipy():
    assert t_quantile(0.99999, 1e6) == pytest.approx(stats.t.ppf(0.99999, 1e6), rel=1e-9)
