"""Student's t distribution: its tail and its quantile, to 12 digits.

The tests compare it with SciPy, which would be by far the heaviest dependency, for one function.
"""

import math
from functools import cache
from statistics import NormalDist

_TINY = 1e-300
_NEARLY_NORMAL = 1e5
"""Degrees of freedom from which the expansion is exact in a double, and the tail cancels."""
_PRECISION = 1e-15
_STEPS = 300
"""Far more than either iteration takes."""
_CLOSE = 1e-5
"""Halley's step triples the digits: after a relative step this small the next is about 1e-15."""
_SMOOTH = (0.7, 0.9999)
"""Probabilities whose quantile is so smooth in 1 / freedom, from 0 to 1, that _NODES suffice."""
_NODES = 32


def t_quantile(probability: float, freedom: float) -> float:
    """Return the quantile of Student's t for a probability in (0.5, 1), freedom > 0.

    A comparison of thousands of runs asks for one probability tens of thousands of times, so that
    its quantiles are read off a Chebyshev series in 1 / freedom, which costs as much as 32 of them.
    """
    if freedom < 1 or not _SMOOTH[0] <= probability <= _SMOOTH[1]:
        return _t_quantile(probability, freedom)
    first, *others = _series(probability)
    place = 2 / freedom - 1
    value = before = 0.0
    for coefficient in others:  # Clenshaw's recurrence, the highest order first
        value, before = 2 * place * value - before + coefficient, value
    return place * value - before + first


@cache
def _series(probability: float) -> tuple[float, ...]:
    """Return the coefficients of the Chebyshev series: order 0, then the highest to order 1."""
    places = [math.pi * (node + 0.5) / _NODES for node in range(_NODES)]
    values = [_t_quantile(probability, 2 / (1 + math.cos(place))) for place in places]
    zeroth, *others = (
        2 / _NODES * math.fsum(
            value * math.cos(order * place)
            for value, place in zip(values, places, strict=True)
        )
        for order in range(_NODES)
    )  # fmt: skip
    return (zeroth / 2, *reversed(others))


def _t_quantile(probability: float, freedom: float) -> float:
    """Return the quantile by Halley's method on the tail.

    It starts at the normal quantile (which lies below) or its expansion in 1 / freedom (Abramowitz
    and Stegun, 26.7.5).
    """
    t, tail = _start(probability, freedom), 1 - probability
    if freedom > _NEARLY_NORMAL:
        return t
    for _ in range(_STEPS):
        excess = t_tail(t, freedom) - tail
        newton = excess / _density(t, freedom)
        bend = newton * (freedom + 1) * t / (2 * (freedom + t * t))
        # if the curve bends too much for Halley, and while far below, Newton's step is safe
        step = newton / (1 - bend) if abs(bend) < 0.5 else newton  # noqa: PLR2004
        t = max(t + step, t / 2)
        # a probability next to 0.5 leaves too few digits of its tail to come that close
        if abs(step) <= _CLOSE * t:
            break
    return t


def t_tail(t: float, freedom: float) -> float:
    """Return P(T > t), t > 0 (Abramowitz and Stegun, 26.7.1)."""
    x = freedom / (freedom + t * t)
    return _beta_ratio(freedom / 2, 0.5, x) / 2 if x < 1 else 0.5


def _start(probability: float, freedom: float) -> float:
    z = NormalDist().inv_cdf(probability)
    if freedom < 3:  # noqa: PLR2004 - the expansion is useless there
        return z
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    fourth = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + (first + (second + (third + fourth / freedom) / freedom) / freedom) / freedom


def _density(t: float, freedom: float) -> float:
    log_front = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)
    return math.exp(
        log_front - (freedom + 1) / 2 * math.log1p(t * t / freedom)
    ) / math.sqrt(freedom * math.pi)  # fmt: skip


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
    numerator, denominator = 1.0, 1 / (1 - (a + b) * x / (a + 1) or _TINY)
    value, change, step = denominator, 0.0, 0
    while abs(change - 1) > _PRECISION and step < _STEPS:
        step += 1
        end = a + 2 * step
        even = step * (b - step) * x / ((end - 1) * end)
        odd = -(end - step) * (end - step + b) * x / (end * (end + 1))
        denominator = 1 / (1 + even * denominator or _TINY)
        numerator = 1 + even / numerator or _TINY
        value *= numerator * denominator
        denominator = 1 / (1 + odd * denominator or _TINY)
        numerator = 1 + odd / numerator or _TINY
        change = numerator * denominator
        value *= change
    return value
