import math
import statistics

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from whisper_bench.welch import ratio_interval, t_quantile

SIDE = st.lists(st.floats(0.01, 100), min_size=2, max_size=15)


@given(st.floats(0.5001, 0.9999), st.floats(1, 500))
def test_t_quantile_is_scipys(probability, freedom):
    assert t_quantile(probability, freedom) == pytest.approx(
        stats.t.ppf(probability, freedom), rel=1e-9, abs=1e-9
    )


@given(SIDE, SIDE)
def test_interval_is_scipys_welch_on_logarithms(above, below):
    ours = ratio_interval(above, below)
    logs = [[math.log(value) for value in side] for side in (above, below)]
    assume(min(statistics.variance(side) for side in logs) > 1e-6)
    theirs = stats.ttest_ind(*logs, equal_var=False).confidence_interval(0.95)
    assert ours.low == pytest.approx(math.exp(theirs.low), rel=1e-9)
    assert ours.high == pytest.approx(math.exp(theirs.high), rel=1e-9)


@given(SIDE, SIDE)
def test_swapping_sides_inverts_ratio_and_interval(above, below):
    there, back = ratio_interval(above, below), ratio_interval(below, above)
    assert there.ratio == pytest.approx(1 / back.ratio)
    assert there.low == pytest.approx(1 / back.high)
    assert there.high == pytest.approx(1 / back.low)


def test_edges():
    assert ratio_interval([1.0], [1.0, 2.0]) is None
    same = ratio_interval([2.0, 2.0], [1.0, 1.0])
    assert (same.ratio, same.low, same.high) == (2.0, 2.0, 2.0)
    with pytest.raises(ValueError, match="positive"):
        ratio_interval([0.0, 1.0], [1.0, 1.0])
