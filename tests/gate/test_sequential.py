"""The gate's sequential test, held to SciPy, and what it makes of pairs of every kind."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from support.gates import sides
from whisper_bench.gate.sequential import (
    CASES_POWER,
    LOOKS,
    NOMINAL_LEVEL,
    Call,
    is_look,
    look_at,
)
from whisper_bench.stats.trimmed import TRIMMED, trimmed_ratio

LIMIT = 0.1
MEAN_S = st.floats(0.01, 100)
BLOCKS = st.lists(st.tuples(MEAN_S, MEAN_S, MEAN_S, MEAN_S), min_size=2, max_size=20)


def logs(above, below):
    return [math.log(over / under) for over, under in zip(above, below, strict=True)]


def assert_scipys(actual, differences, cases=1):
    """Hold an interval to SciPy's of the trimmed mean."""
    assume(statistics.variance(differences) > 1e-6)
    size = len(differences)
    # a digit more than the share, which SciPy cuts down to whole figures
    share = (size // TRIMMED) / size * (1 + 1e-15)
    alpha = NOMINAL_LEVEL / cases**CASES_POWER
    if share:
        low, high = stats.mstats.trimmed_mean_ci(differences, limits=(share, share), alpha=alpha)
    else:
        low, high = stats.ttest_1samp(differences, 0).confidence_interval(1 - alpha)
    assume(np.isfinite([low, high]).all() and abs(low) < 600 and abs(high) < 600)
    middle = stats.mstats.trimmed_mean(differences, limits=(share, share))
    assert math.log(actual.value) == pytest.approx(middle, abs=1e-9)
    assert math.log(actual.low) == pytest.approx(low, rel=1e-9, abs=1e-9)
    assert math.log(actual.high) == pytest.approx(high, rel=1e-9, abs=1e-9)


@given(BLOCKS, st.integers(1, 5))
def test_slowdown_is_scipys_trimmed_interval(blocks, cases):
    baseline, candidate = sides(blocks)
    look = look_at(baseline, candidate, limit=LIMIT, cases=cases)
    assert look.pairs == 2 * len(blocks)
    assert_scipys(look.slowdown, logs(candidate, baseline), cases)


@given(BLOCKS)
def test_control_is_each_side_against_itself_in_the_same_block(blocks):
    look = look_at(*sides(blocks), limit=LIMIT)
    first, second, third, fourth = np.log(np.asarray(blocks)).T
    signs = np.where(np.arange(len(blocks)) % 2, -1, 1)
    assert_scipys(look.control, [*(signs * (fourth - first)), *(signs * (second - third))])


@given(st.floats(-0.05, 0.05), st.integers(1, 8), st.floats(0.5, 2))
def test_a_steady_drift_cancels_in_both(drift, pairs_of_blocks, slowdown):
    levels = np.exp(drift * np.arange(8 * pairs_of_blocks)).reshape(-1, 4)
    look = look_at(*sides(levels * [1, slowdown, slowdown, 1]), limit=LIMIT)
    assert look.slowdown.value == pytest.approx(slowdown)
    assert look.control.value == pytest.approx(1)


def test_a_process_that_a_neighbour_spoilt_is_left_out():
    baseline = [1.0, 1.01, 1.0, 0.99, 1.01, 1.0]
    look = look_at(baseline, [*baseline[:5], 9.0], limit=LIMIT)
    assert look.slowdown.value == 1
    assert look.call is Call.NOT_SLOWER
    # two of six are no accident
    look = look_at(baseline, [*baseline[:4], 9.0, 9.0], limit=LIMIT)
    assert look.call is Call.OPEN


@given(BLOCKS)
def test_swapping_sides_inverts_the_slowdown_and_leaves_the_control(blocks):
    baseline, candidate = sides(blocks)
    there, back = (
        look_at(*pair, limit=LIMIT) for pair in ((baseline, candidate), (candidate, baseline))
    )
    assume(there.slowdown is not None)
    assert there.slowdown.value == pytest.approx(1 / back.slowdown.value)
    assert there.slowdown.low == pytest.approx(1 / back.slowdown.high)
    assert there.slowdown.high == pytest.approx(1 / back.slowdown.low)
    assert (there.control is None) == (back.control is None)
    if there.control is not None:
        # its two programs are swapped, too
        assert there.control.low == pytest.approx(1 / back.control.high)
        assert there.control.high == pytest.approx(1 / back.control.low)


@given(st.floats(0.5, 2), st.lists(MEAN_S, min_size=2, max_size=20))
def test_a_bias_by_order_cancels_over_whole_blocks(slowdown, levels_s):
    biased = [(1, 1.03 * slowdown, slowdown, 1.03)]
    baseline, candidate = sides(np.outer(levels_s, biased))
    look = look_at(baseline, candidate, limit=LIMIT)
    assert look.slowdown.value == pytest.approx(slowdown)


def test_more_cases_have_less_of_the_error_rate_each():
    samples = [1.0, 1.01, 1.02, 0.99], [1.05, 1.06, 1.05, 1.07]
    one, three = (look_at(*samples, limit=LIMIT, cases=cases) for cases in (1, 3))
    assert three.slowdown.confidence == pytest.approx(1 - NOMINAL_LEVEL / 3**CASES_POWER)
    for wide, narrow in ((three.slowdown, one.slowdown), (three.control, one.control)):
        assert wide.low < narrow.low < narrow.value == wide.value < narrow.high < wide.high


@pytest.mark.parametrize(
    ("slowdown", "call"), [(1.05, Call.NOT_SLOWER), (1.2, Call.SLOWER), (1.1, Call.OPEN)]
)
def test_samples_without_spread_are_decided_at_once(slowdown, call):
    look = look_at([1.0] * 4, [slowdown] * 4, limit=LIMIT)
    assert look.slowdown.low == look.slowdown.high == pytest.approx(slowdown)
    assert (look.control.low, look.control.high, look.call) == (1, 1, call)


def test_a_machine_that_differs_from_itself_decides_nothing():
    up, down = [1.0, 1.2, 1.2, 1.0], [1.2, 1.0, 1.0, 1.2]
    look = look_at(2 * up, 2 * [3 * item for item in down], limit=LIMIT)
    assert look.slowdown.low > 1 + LIMIT
    assert look.control.value == pytest.approx(1.2)
    assert look.call is Call.OPEN
    # a difference that is there and does not matter
    look = look_at(
        2 * [item**0.1 for item in up], 2 * [3 * item**0.1 for item in down], limit=LIMIT
    )
    assert look.control.low > 1
    assert look.call is Call.SLOWER


def test_what_spreads_is_still_fit():
    """The pairs may agree where the blocks do not: neighbours in time share what disturbs them."""
    look = look_at([1.0, 1.3, 0.9, 1.2], [1.0, 1.3, 0.9, 1.2], limit=LIMIT)
    assert look.control.low < 1 / (1 + LIMIT)
    assert look.call is Call.NOT_SLOWER


def test_a_spread_without_bounds_decides_nothing():
    look = look_at([1e-300, 1.0] * 2, [1.0, 1e-300] * 2, limit=LIMIT)
    assert (look.slowdown, look.control, look.call) == (None, None, Call.OPEN)


@pytest.mark.parametrize("pairs", [5, 7])
def test_half_a_block_is_refused(pairs):
    with pytest.raises(ValueError, match="argument"):
        look_at([1.0] * pairs, [1.0] * pairs, limit=LIMIT)


def test_looks_are_whole_blocks_and_the_last_pair():
    assert [pairs for pairs in range(1, 25) if is_look(pairs, 24)] == list(LOOKS[:6])
    assert is_look(14, 14)
    assert not is_look(14, 24)
    assert all(pairs % 2 == 0 for pairs in LOOKS)


def test_one_figure_has_no_interval():
    assert trimmed_ratio([1.0], 0.95) is None
