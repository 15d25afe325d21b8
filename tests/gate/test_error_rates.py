"""How often the gate errs, by the theory of repeated tests and by simulated sessions."""

import math

import numpy as np
import pytest
from scipy import stats

from support.gates import sides
from support.untraced import untraced
from whisper_bench.gate.sequential import (
    CASES_POWER,
    ERROR_RATE,
    LOOKS,
    NOMINAL_LEVEL,
    Call,
    is_look,
    look_at,
)
from whisper_bench.stats.trimmed import TRIMMED

LIMIT = 0.1
TRIALS = 2000
MOST_ERRORS = ERROR_RATE / 2 + 4 * math.sqrt(ERROR_RATE / 2 * (1 - ERROR_RATE / 2) / TRIALS)


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
    actual = shares(sessions(LIMIT, **what))
    assert actual[Call.SLOWER] <= MOST_ERRORS
    assert actual[Call.NOT_SLOWER] <= MOST_ERRORS


def test_clear_of_the_limit_it_is_right():
    actual = {slowdown: shares(sessions(slowdown, 0.03)[:300]) for slowdown in (0.0, 0.15, 0.2)}
    assert actual[0.0][Call.NOT_SLOWER] > 0.99
    assert actual[0.15][Call.SLOWER] > 0.95
    assert actual[0.2][Call.SLOWER] > 0.99
    assert actual[0.0][Call.SLOWER] == actual[0.15][Call.NOT_SLOWER] == 0
    slower = [item[Call.SLOWER] for item in actual.values()]
    assert slower == sorted(slower)
