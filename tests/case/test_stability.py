"""Drift, spread and outliers of a run, with figures."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from support.ratios import record
from whisper_bench.case.stability import stability_warnings, trend


def latencies(processes=5, rounds=10, *, drift=0.0, within=0.0, spread=0.0, noise=0.01, seed=1):
    """Rounds whose logarithms drift over the run, and within a process, by so much in all."""
    source = random.Random(seed)
    latencies_s = []
    for process in range(processes):
        level = drift * process / max(processes - 1, 1) + source.gauss(0, spread)
        latencies_s += [
            math.exp(level + within * place / (rounds - 1) + source.gauss(0, noise))
            for place in range(rounds)
        ]
    return latencies_s


def warnings(*args, per_process=10, **settings):
    return stability_warnings(record(*latencies(*args, **settings), per_process=per_process))


def test_a_steady_run_has_no_warning():
    assert warnings() == []


def test_latency_that_rises_over_the_run_is_warned_of():
    (warning,) = warnings(drift=0.2)
    assert warning.startswith("latency drifts by +2")
    assert "over the run" in warning


def test_latency_that_falls_within_processes_is_warned_of_as_no_warm_up():
    (warning,) = warnings(within=-0.15)
    assert warning.startswith("latency drifts by -1")
    assert "more --whisper-warmup-rounds" in warning


def test_a_small_or_uncertain_drift_has_no_warning():
    assert warnings(drift=0.03) == []
    assert not any("drifts" in item for item in warnings(drift=0.06, spread=0.08))


def test_processes_that_spread_are_warned_of():
    (warning,) = warnings(spread=0.3, seed=3)
    assert warning.startswith("processes spread by ")
    assert "(standard deviation)" in warning


def test_rounds_far_out_are_warned_of():
    rounds = latencies()
    rounds[7] *= 1.8
    (warning,) = stability_warnings(record(*rounds, per_process=10))
    assert warning.startswith("1 of 50 rounds far out, the longest 1.8")


def test_a_hair_above_equal_rounds_is_not_far_out():
    assert stability_warnings(record(*(1.0,) * 19, 1.0001, per_process=4)) == []


def test_few_processes_are_warned_of():
    assert warnings(2) == ["2 processes: 5 or more give a narrower interval"]
    # the warning of a single process is one of how the case was measured
    assert stability_warnings(record(1.0, 1.0, 1.0, per_process=3)) == []
    assert stability_warnings(record(1.0, per_process=1)) == []


@given(st.lists(st.floats(-3, 3), min_size=4, max_size=30))
def test_a_trend_is_scipys_linear_regression(logs):
    theirs = stats.linregress(range(len(logs)), logs)
    ours = trend([logs])
    assert ours.change == pytest.approx(
        math.expm1(theirs.slope * (len(logs) - 1)), rel=1e-9, abs=1e-9
    )
    if max(logs) - min(logs) > 1e-3:
        assert ours.p == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-6)


def test_a_trend_within_groups_ignores_the_groups_levels():
    up = [0.0, 0.1, 0.2]
    actual = trend([up, [5 + item for item in up]])
    assert actual.change == pytest.approx(math.expm1(0.2))
    assert actual.p == pytest.approx(0, abs=1e-6)


def test_a_trend_without_data_is_none():
    assert trend([]) is None
    assert trend([[1.0], [2.0]]) is None
    assert trend([[1.0, 2.0]]) is None
    assert trend([[1.0, 1.0, 1.0]]).p == 1.0
    assert trend([[0.0, 0.5, 1.0]]).p == 0.0
    assert trend([[1.0, 2.0, 1.0]]).p == 1.0


def test_a_drift_of_three_processes_that_chance_gives_is_not_warned_of():
    # the slope's t is above the normal quantile, and of one degree of freedom that is no proof
    assert (
        stability_warnings(record(*[1.0] * 8, *[1.13] * 8, *[1.2] * 8, per_process=8))
        == [
            "processes spread by 9.4% (standard deviation): the machine is not quiet",
            "3 processes: 5 or more give a narrower interval",
        ][1:]
    )


def test_rounds_that_all_scatter_widely_have_none_far_out():
    wide = record(*[1.0, 1.15] * 25, per_process=10)
    assert not any("far out" in text for text in stability_warnings(wide))
