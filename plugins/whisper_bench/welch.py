"""Intervals of a ratio of means, from the means of fresh processes.

Welch's t on logarithms: B. L. Welch, "The generalization of Student's problem when several
different population variances are involved", Biometrika 34 (1947). Rounds within a process are
alike, so that the processes' means are the samples.
"""

import math
import statistics
from collections.abc import Sequence

import msgspec

CONFIDENCE = 0.95
_TINY = 1e-300
_PRECISION = 1e-15
_STEPS = 300
_BISECTIONS = 100


class RatioInterval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ratio of two means with its two-sided interval; `samples` counts both sides."""

    ratio: float
    low: float
    high: float
    confidence: float
    samples: tuple[int, int]


def ratio_interval(
    above: Sequence[float], below: Sequence[float], confidence: float = CONFIDENCE
) -> RatioInterval | None:
    """Return geometric mean(above) / geometric mean(below) with its interval.

    None with fewer than two samples a side: then nothing is known of the spread.

    Raises:
        ValueError: a sample is not a positive number.

    """
    if min(*above, *below, math.inf) <= 0:
        raise ValueError("a ratio is taken of positive figures only")
    logs = [[math.log(value) for value in side] for side in (above, below)]
    sizes = len(above), len(below)
    if min(sizes) < 2:  # noqa: PLR2004 - a variance needs two
        return None
    centre = statistics.fmean(logs[0]) - statistics.fmean(logs[1])
    errors = [statistics.variance(side) / len(side) for side in logs]
    half = _half_width(errors, sizes, confidence)
    low, middle, high = (math.exp(centre + shift) for shift in (-half, 0.0, half))
    return RatioInterval(middle, low, high, confidence, sizes)


def _half_width(errors: list[float], sizes: tuple[int, int], confidence: float) -> float:
    total = sum(errors)
    if total == 0:
        return 0.0
    # Welch and Satterthwaite's degrees of freedom
    freedom = total**2 / sum(
        error**2 / (size - 1) for error, size in zip(errors, sizes, strict=True)
    )
    return t_quantile(0.5 + confidence / 2, freedom) * math.sqrt(total)


def t_quantile(probability: float, freedom: float) -> float:
    """Return the quantile of Student's t for a probability in (0.5, 1), by bisection."""
    low, high = 0.0, 1.0
    while _t_tail(high, freedom) > 1 - probability:
        high *= 2
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_tail(middle, freedom) > 1 - probability else (low, middle)
    return (low + high) / 2


def _t_tail(t: float, freedom: float) -> float:
    """Return P(T > t), t > 0 (Abramowitz and Stegun, 26.7.1)."""
    return _beta_ratio(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2


def _beta_ratio(a: float, b: float, x: float) -> float:
    """Return the regularized incomplete beta function I_x(a, b), x in (0, 1)."""
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    if x < (a + 1) / (a + b + 2):
        return math.exp(log_front) * _beta_fraction(a, b, x) / a
    return 1 - math.exp(log_front) * _beta_fraction(b, a, 1 - x) / b


def _beta_fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction 26.5.8 of Abramowitz and Stegun, by Lentz's method."""
    numerator, denominator = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value, change, step = denominator, 0.0, 0
    while abs(change - 1) > _PRECISION and step < _STEPS:
        step += 1
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        for term in (even, odd):
            denominator = 1 / _away_from_zero(1 + term * denominator)
            numerator = _away_from_zero(1 + term / numerator)
            change = numerator * denominator
            value *= change
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
