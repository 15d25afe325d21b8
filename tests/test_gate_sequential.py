"""The gate's test, held to SciPy, to the theory of repeated tests, and to simulated sessions."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from untraced import untraced
from whisper_bench.gate.sequential import (
    ERROR_RATE,
    LOOKS,
    NOMINAL_LEVEL,
    Call,
    is_look,
    look_at,
)

LIMIT = 0.1
TRIALS = 2000
MOST_ERRORS = ERROR_RATE / 2 + 4 * math.sqrt(ERROR_RATE / 2 * (1 - ERROR_RATE / 2) / TRIALS)
MEAN_S = st.floats(0.01, 100)
BLOCKS = st.lists(st.tuples(MEAN_S, MEAN_S, MEAN_S, MEAN_S), min_size=2, max_size=20)


def sides(blocks):
    """Part the processes of blocks, in the order in which they ran (ABBA), into the two sides."""
    first, second, third, fourth = np.asarray(blocks).T
    baseline, candidate = ([first, fourth], [second, third])
    return tuple(np.ravel(side, order="F").tolist() for side in (baseline, candidate))


def logs(above, below):
    return [math.log(over / under) for over, under in zip(above, below, strict=True)]


def assert_scipys(found, differences, cases=1):
    assume(statistics.variance(differences) > 1e-6)
    test = stats.ttest_1samp(differences, 0)
    theirs = test.confidence_interval(1 - NOMINAL_LEVEL / cases)
    assume(abs(theirs.low) < 600 and abs(theirs.high) < 600)
    assert math.log(found.value) == pytest.approx(statistics.fmean(differences), abs=1e-9)
    assert math.log(found.low) == pytest.approx(theirs.low, rel=1e-9, abs=1e-9)
    assert math.log(found.high) == pytest.approx(theirs.high, rel=1e-9, abs=1e-9)


@given(BLOCKS, st.integers(1, 5))
def test_slowdown_is_scipys_paired_interval(blocks, cases):
    baseline, candidate = sides(blocks)
    look = look_at(baseline, candidate, limit=LIMIT, cases=cases)
    assert look.pairs == 2 * len(blocks)
    assert_scipys(look.slowdown, logs(candidate, baseline), cases)


@given(BLOCKS)
def test_control_is_each_side_against_itself_in_the_same_block(blocks):
    look = look_at(*sides(blocks), limit=LIMIT)
    first, second, third, fourth = zip(*blocks, strict=True)
    assert_scipys(look.control, logs(fourth, first) + logs(third, second))


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
        assert there.control.low == pytest.approx(back.control.low)
        assert there.control.high == pytest.approx(back.control.high)


@given(st.floats(0.5, 2), st.lists(MEAN_S, min_size=2, max_size=20))
def test_a_bias_by_order_cancels_over_whole_blocks(slowdown, levels_s):
    biased = [(1, 1.03 * slowdown, slowdown, 1.03)]
    baseline, candidate = sides(np.outer(levels_s, biased))
    look = look_at(baseline, candidate, limit=LIMIT)
    assert look.slowdown.value == pytest.approx(slowdown)


def test_more_cases_have_less_of_the_error_rate_each():
    samples = [1.0, 1.01, 1.02, 0.99], [1.05, 1.06, 1.05, 1.07]
    one, three = (look_at(*samples, limit=LIMIT, cases=cases) for cases in (1, 3))
    assert three.slowdown.confidence == pytest.approx(1 - NOMINAL_LEVEL / 3)
    for wide, narrow in ((three.slowdown, one.slowdown), (three.control, one.control)):
        assert wide.low < narrow.low < narrow.value == wide.value < narrow.high < wide.high


@pytest.mark.parametrize(
    ("slowdown", "call"), [(1.05, Call.NOT_SLOWER), (1.2, Call.SLOWER), (1.1, Call.OPEN)]
)
def test_samples_without_spread_are_decided_at_once(slowdown, call):
    look = look_at([1.0] * 4, [slowdown] * 4, limit=LIMIT)
    assert look.slowdown.low == look.slowdown.high == pytest.approx(slowdown)
    assert (look.control.low, look.control.high, look.fit, look.call) == (1, 1, True, call)


@pytest.mark.parametrize("candidate_s", [1.0, 3.0])
def test_a_machine_that_differs_from_itself_decides_nothing(candidate_s):
    look = look_at([1.0, 1.2] * 4, [candidate_s, 1.2 * candidate_s] * 4, limit=LIMIT)
    assert look.slowdown.value == pytest.approx(candidate_s)
    assert look.control.value == pytest.approx(1.2)
    assert (look.fit, look.call) == (False, Call.OPEN)


def test_a_faster_later_process_is_as_unfit_as_a_slower_one():
    look = look_at([1.2, 1.0] * 4, [1.2, 1.0] * 4, limit=LIMIT)
    assert (look.fit, look.call) == (False, Call.OPEN)


def test_a_spread_without_bounds_decides_nothing():
    look = look_at([1e-300, 1.0] * 2, [1.0, 1e-300] * 2, limit=LIMIT)
    assert (look.slowdown, look.control, look.call) == (None, None, Call.OPEN)


@pytest.mark.parametrize("pairs", [5, 7])
def test_half_a_block_is_refused(pairs):
    with pytest.raises(ValueError, match="shorter"):
        look_at([1.0] * pairs, [1.0] * pairs, limit=LIMIT)


def test_looks_are_whole_blocks_and_the_last_pair():
    assert [pairs for pairs in range(1, 25) if is_look(pairs, 24)] == list(LOOKS[:8])
    assert is_look(14, 14)
    assert not is_look(14, 24)
    assert all(pairs % 2 == 0 for pairs in LOOKS)


def looks_of(most_pairs):
    return [pairs for pairs in range(1, most_pairs + 1) if is_look(pairs, most_pairs)]


def error_in_all(looks, level):
    """The two-sided error over all looks at sums of normal increments, their variance known.

    P. Armitage, C. K. McPherson, B. C. Rowe, "Repeated significance tests on accumulating data",
    Journal of the Royal Statistical Society A 132 (1969): the density of the sums that are within
    the bounds so far is carried from look to look, by Gauss and Legendre's quadrature.
    """
    nodes, weights = np.polynomial.legendre.leggauss(151)
    sums, mass, before = np.zeros(1), np.ones(1), 0
    for now in looks:
        bound = stats.norm.isf(level / 2) * math.sqrt(now)
        steps = bound * nodes[:, None] - sums
        sums = bound * nodes
        mass = bound * weights * (stats.norm.pdf(steps, scale=math.sqrt(now - before)) @ mass)
        before = now
    return 1 - mass.sum()


@pytest.mark.parametrize(
    ("looks", "level"), [(1, 0.05), (2, 0.0294), (3, 0.0221), (5, 0.0158), (10, 0.0106)]
)
def test_the_integration_gives_pococks_table(looks, level):
    assert error_in_all(range(1, looks + 1), level) == pytest.approx(0.05, abs=2e-4)


TOO_OFTEN = pytest.mark.xfail(
    reason="0.0106 is for ten looks equally far apart: at LOOKS the error is 5.24 %"
)


@pytest.mark.parametrize("most_pairs", [4, 12, 24, 32, pytest.param(40, marks=TOO_OFTEN)])
def test_all_looks_together_err_as_rarely_as_promised(most_pairs):
    assert error_in_all(looks_of(most_pairs), NOMINAL_LEVEL) <= ERROR_RATE


def sessions(slowdown, noise, *, drift=0.0, heavy=False, most_pairs=24):
    """Simulate blocks of processes that spread by `noise`; `heavy`: one in ten is 20 % slower."""
    random = np.random.default_rng(20261124)
    effects = random.normal(scale=noise, size=(TRIALS, most_pairs // 2, 4))
    effects += drift * np.arange(effects[0].size).reshape(effects[0].shape)
    if heavy:
        effects += math.log(1.2) * (random.random(effects.shape) < 0.1)
    return np.exp(effects) * [1, 1 + slowdown, 1 + slowdown, 1]


@untraced
def shares(blocks, most_pairs=24):
    """Return the share of sessions that end with each call."""
    ends = [ended(*sides(session), most_pairs) for session in blocks]
    return {call: ends.count(call) / len(ends) for call in Call}


def ended(baseline, candidate, most_pairs):
    looks = (
        look_at(baseline[:pairs], candidate[:pairs], limit=LIMIT).call
        for pairs in looks_of(most_pairs)
    )
    return next((call for call in looks if call is not Call.OPEN), Call.OPEN)


@pytest.mark.parametrize(
    "what",
    [
        {"noise": 0.02},
        {"noise": 0.05},
        {"noise": 0.02, "heavy": True},
        {"noise": 0.02, "drift": 0.005},
    ],
    ids=["2 %", "5 %", "heavy tails", "drift"],
)
def test_at_the_limit_it_errs_as_rarely_as_promised(what):
    found = shares(sessions(LIMIT, **what))
    assert found[Call.SLOWER] <= MOST_ERRORS
    assert found[Call.NOT_SLOWER] <= MOST_ERRORS


def test_clear_of_the_limit_it_is_right():
    found = {slowdown: shares(sessions(slowdown, 0.03)[:300]) for slowdown in (0.0, 0.15, 0.2)}
    assert found[0.0][Call.NOT_SLOWER] > 0.99
    assert found[0.15][Call.SLOWER] > 0.95
    assert found[0.2][Call.SLOWER] > 0.99
    assert found[0.0][Call.SLOWER] == found[0.15][Call.NOT_SLOWER] == 0
    slower = [each[Call.SLOWER] for each in found.values()]
    assert slower == sorted(slower)
