"""Percentiles and spread of raw samples."""

import math
from collections.abc import Sequence


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return a percentile of unsorted samples, in their unit, by linear interpolation.

    Definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American
    Statistician 50 (1996); numpy's default.

    Raises:
        ValueError: no samples.

    """
    if not samples:
        raise ValueError("a percentile of no samples is not defined")
    ordered = sorted(samples)
    place = (len(ordered) - 1) * percent / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def samples_needed(percent: float, confidence: float = 0.95) -> int:
    """Return how many samples it takes for one beyond a percentile with `confidence`.

    1 - (percent / 100)**n >= confidence; 59 for p95, 299 for p99 (Wilks, 1941).

    >>> samples_needed(95), samples_needed(99)
    (59, 299)
    """
    return math.ceil(math.log(1 - confidence) / math.log(percent / 100))
