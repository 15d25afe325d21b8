import math
import statistics

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from whisper_bench.stats.welch import Term, log_mean, product_of, ratio_interval

SIDE = st.lists(st.floats(0.01, 100), min_size=2, max_size=15)


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
    assert there.value == pytest.approx(1 / back.value)
    assert there.low == pytest.approx(1 / back.high)
    assert there.high == pytest.approx(1 / back.low)


def test_ratio_interval_needs_two_positive_samples_a_side():
    assert ratio_interval([1.0], [1.0, 2.0]) is None
    same = ratio_interval([2.0, 2.0], [1.0, 1.0])
    assert (same.value, same.low, same.high) == (2.0, 2.0, 2.0)
    for wrong in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="positive"):
            ratio_interval([wrong, 1.0], [1.0, 1.0])
    assert ratio_interval([], [1.0, 2.0]) is None
    with pytest.raises(ValueError, match="positive"):
        log_mean([])


def test_a_product_of_three_has_satterthwaites_interval():
    sides = [1.0, 1.1, 1.2], [2.0, 2.1], [3.0, 3.3, 3.1, 3.2]
    weights = 0.5, -1.0, 2.0
    actual = product_of(
        [Term(weight, log_mean(side)) for weight, side in zip(weights, sides, strict=True)]
    )
    logs = [[math.log(value) for value in side] for side in sides]
    centre = sum(w * statistics.fmean(side) for w, side in zip(weights, logs, strict=True))
    errors = [
        w**2 * statistics.variance(side) / len(side) for w, side in zip(weights, logs, strict=True)
    ]
    freedom = sum(errors) ** 2 / sum(
        e**2 / (len(side) - 1) for e, side in zip(errors, logs, strict=True)
    )
    half = stats.t.ppf(0.975, freedom) * math.sqrt(sum(errors))
    assert actual.value == pytest.approx(math.exp(centre))
    assert actual.low == pytest.approx(math.exp(centre - half), rel=1e-9)
    assert actual.high == pytest.approx(math.exp(centre + half), rel=1e-9)


def test_a_tiny_spread_keeps_an_interval_above_zero_width():
    actual = ratio_interval([1.0, 1.0 + 1e-12], [1.0, 1.0 + 1e-12])
    assert actual.low < 1 < actual.high
