"""A figure with its interval: how it is written, scaled and compared."""

import math

import pytest

from whisper_bench.stats.interval import Estimate

RATIO = Estimate(2.5, 2.0, 4.0, 0.95)


def test_text_has_the_figure_and_its_interval():
    assert str(RATIO) == "2.500 (2.000 to 4.000)"
    assert RATIO.interval(1) == "2.0 to 4.0"


def test_multiplying_an_interval_scales_the_figure_and_both_ends():
    assert RATIO.times(2.0) == Estimate(5.0, 4.0, 8.0, 0.95)


def test_the_inverse_of_an_interval_swaps_its_ends():
    assert RATIO.inverse() == Estimate(0.4, 0.25, 0.5, 0.95)


def test_an_interval_of_logarithms_is_symmetric_in_them():
    estimate = Estimate.of_log(math.log(2.0), math.log(1.5), 0.9)
    assert (estimate.value, estimate.low, estimate.high, estimate.confidence) == pytest.approx(
        (2.0, 2.0 / 1.5, 3.0, 0.9)
    )


def test_an_interval_too_wide_for_a_float_is_none():
    assert Estimate.of_log(0.0, 701.0, 0.95) is None
    assert Estimate.of_log(-700.5, 0.0, 0.95) is None


@pytest.mark.parametrize("place", ["value", "low", "high"])
def test_intervals_agree_if_every_figure_does_within_rounding(place):
    figures = {"value": 2.5, "low": 2.0, "high": 4.0, "confidence": 0.95}
    near, far = ({**figures, place: figures[place] * factor} for factor in (1 + 1e-12, 1 + 1e-6))
    assert Estimate(**near).agrees_with(RATIO)
    assert not Estimate(**far).agrees_with(RATIO)
