"""Intervals of ratios of means, from the means of fresh processes.

Welch's t on logarithms: B. L. Welch, "The generalization of Student's problem when several
different population variances are involved", Biometrika 34 (1947); for sums of more than two means
with Satterthwaite's degrees of freedom: F. E. Satterthwaite, "An approximate distribution of
estimates of variance components", Biometrics Bulletin 2 (1946). Rounds within a process are alike,
so the processes' means are the samples.
"""

import math
import operator
from collections.abc import Sequence
from typing import Annotated

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.stats.interval import Estimate
from whisper_bench.stats.student import t_quantile

CONFIDENCE = 0.95

LogOfSeconds = Annotated[float, msgspec.Meta(ge=-100, le=100)]
"""In this range a product of geometric means neither overflows nor becomes 0."""


class LogMean(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """The geometric mean of `size` positive samples, with their spread.

    `mean` and `variance` (unbiased; 0 of one sample) are those of the natural logarithms.
    """

    mean: LogOfSeconds
    variance: Annotated[float, msgspec.Meta(ge=0, le=10_000)]
    size: Annotated[int, msgspec.Meta(ge=1)]

    @property
    def value(self) -> float:
        """The geometric mean, in the samples' unit."""
        return math.exp(self.mean)


class Term(msgspec.Struct, frozen=True):
    """A weighted mean in a sum; `future` is the size of a future sample from it, if any."""

    weight: float
    sample: LogMean
    future: int = 0

    @property
    def error(self) -> float:
        """The variance that the term brings to the sum, and to the future sample's mean."""
        future_share = 1 / self.future if self.future else 0.0
        return self.sample.variance * (self.weight**2 / self.sample.size + future_share)


def log_mean(values: Sequence[float]) -> LogMean:
    """Return the geometric mean of samples, with their spread.

    Raises:
        ValueError: there is none, or one is not a positive number.

    """
    size = len(values)
    if not size or not min(values) > 0:
        raise ValueError("a ratio needs positive figures")
    logs = list(map(math.log, values))
    mean = math.fsum(logs) / size
    if not math.isfinite(mean):
        raise ValueError("a ratio needs positive figures")
    away = [log - mean for log in logs]
    spread = math.fsum(map(operator.mul, away, away))
    return LogMean(mean, spread / (size - 1) if size > 1 else 0.0, size)


def ratio_interval(
    above: Sequence[float], below: Sequence[float], confidence: float = CONFIDENCE
) -> Estimate | None:
    """Return geometric mean(above) / geometric mean(below) with its interval.

    None with fewer than two samples per side: then the spread is unknown.

    Raises:
        ValueError: a sample is not a positive number.

    """
    if not above or not below:
        return None
    return ratio_of(log_mean(above), log_mean(below), confidence)


def product_of(terms: Sequence[Term], confidence: float = CONFIDENCE) -> Estimate | None:
    """Return the product of geometric means, each to the power of its weight, with its interval.

    A ratio has the weights 1 and -1, the geometric mean of k figures 1/k each. The samples must be
    independent of one another. None if one of them has fewer than two, or if the bounds are too
    large for a double.

    Raises:
        BenchError: `confidence` is not between 0 and 1.

    """
    if not 0 < confidence < 1:
        raise BenchError(f"confidence {confidence:g}: give a share between 0 and 1, such as 0.95")
    if min(term.sample.size for term in terms) < 2:  # noqa: PLR2004 - a variance needs two
        return None
    centre = math.fsum(term.weight * term.sample.mean for term in terms)
    return Estimate.of_log(centre, _half_width(terms, confidence), confidence)


def ratio_of(
    target: LogMean, reference: LogMean, confidence: float = CONFIDENCE
) -> Estimate | None:
    """Return target / reference with its interval; None if there is none (see `product_of`)."""
    return product_of([Term(1, target), Term(-1, reference)], confidence)


def _half_width(terms: Sequence[Term], confidence: float) -> float:
    total = math.fsum(term.error for term in terms)
    if total == 0:
        return 0.0
    # shares and not errors: the squares of tiny errors would vanish
    shares = [(term.error / total, term.sample.size - 1) for term in terms]
    freedom = 1 / math.fsum(share**2 / free for share, free in shares)
    return t_quantile(0.5 + confidence / 2, freedom) * math.sqrt(total)
