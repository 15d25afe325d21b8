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
    CASES_POWER,
    ERROR_RATE,
    LOOKS,
    NOMINAL_LEVEL,
    Call,
    is_look,
    look_at,
)
from whisper_bench.gate.trimmed import TRIMMED

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
    assert math.log(found.value) == pytest.approx(middle, abs=1e-9)
    assert math.log(found.low) == pytest.approx(low, rel=1e-9, abs=1e-9)
    assert math.log(found.high) == pytest.approx(high, rel=1e-9, abs=1e-9)


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
    assert (look.control.low, look.control.high, look.fit, look.call) == (1, 1, True, call)


@pytest.mark.parametrize("candidate_s", [1.0, 3.0])
def test_a_machine_that_differs_from_itself_decides_nothing(candidate_s):
    look = look_at([1.0, 1.2] * 4, [candidate_s, 1.2 * candidate_s] * 4, limit=LIMIT)
    assert look.slowdown.value == pytest.approx(candidate_s)
    assert look.control.low < 1 / 1.2 < 1.2 < look.control.high
    assert (look.fit, look.call) == (False, Call.OPEN)


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
    ("looks", "level"), [(1, 0.05), (2, 0.0294), (3, 0.0221), (5, 0.0158), (7, 0.0130)]
)
def test_the_integration_gives_pococks_table(looks, level):
    assert error_in_all(range(1, looks + 1), level) == pytest.approx(0.05, abs=3e-4)


def test_a_known_variance_would_allow_more_at_our_looks():
    assert NOMINAL_LEVEL < 0.0130
    assert error_in_all(LOOKS, NOMINAL_LEVEL) < ERROR_RATE


@pytest.mark.parametrize("cases", [1, 3, 9])
def test_all_looks_and_cases_together_err_as_rarely_as_promised(cases):
    trials = 60_000
    steps = np.random.default_rng(20261124).normal(size=(trials, LOOKS[-1]))
    outside = np.zeros(trials, dtype=bool)
    for now in LOOKS:
        cut = now // TRIMMED
        kept = np.sort(steps[:, :now], axis=1)[:, cut : now - cut]
        winsorized = np.pad(kept, ((0, 0), (cut, cut)), mode="edge")
        error = winsorized.std(axis=1, ddof=1) * math.sqrt(now) / kept.shape[1]
        t = kept.mean(axis=1) / error
        outside |= abs(t) > stats.t.isf(NOMINAL_LEVEL / cases**CASES_POWER / 2, kept.shape[1] - 1)
    one = ERROR_RATE / cases
    assert outside.mean() <= one + 3 * math.sqrt(one * (1 - one) / trials)
    # and not much more rarely, which would cost pairs
    assert outside.mean() >= 0.7 * one


def sessions(slowdown, noise, *, drift=0.0, heavy=False, most_pairs=32):
    """Simulate blocks of processes that spread by `noise`; `heavy`: one in ten is 20 % slower."""
    random = np.random.default_rng(20261124)
    effects = random.normal(scale=noise, size=(TRIALS, most_pairs // 2, 4))
    effects += drift * np.arange(effects[0].size).reshape(effects[0].shape)
    if heavy:
        effects += math.log(1.2) * (random.random(effects.shape) < 0.1)
    return np.exp(effects) * [1, 1 + slowdown, 1 + slowdown, 1]


@untraced
def shares(blocks, most_pairs=32):
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
