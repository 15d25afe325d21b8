"""A figure with its interval: the one struct for it, from the statistics to the reports."""

import math
from typing import Annotated, Self

import msgspec

Confidence = Annotated[float, msgspec.Meta(gt=0, lt=1)]
_LARGEST = 700.0
"""exp of more overflows."""
_ROUNDING = 1e-9
"""Largest share by which a figure may differ if another machine computes it again."""


class Estimate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A figure with its two-sided interval; without a known interval there is no estimate."""

    value: float
    low: float
    high: float
    confidence: Confidence

    @classmethod
    def of_log(cls, centre: float, half_width: float, confidence: float) -> Self | None:
        """Return the estimate of a figure whose logarithm is `centre`, plus or minus `half_width`.

        None if the bounds are too large for a double.
        """
        if abs(centre) + half_width > _LARGEST:
            return None
        low, value, high = (math.exp(centre + shift) for shift in (-half_width, 0.0, half_width))
        return cls(value, low, high, confidence)

    def __str__(self) -> str:
        """Return the figure with its interval, such as 2.459 (2.313 to 2.615)."""
        return f"{self.value:.3f} ({self.interval()})"

    def interval(self, digits: int = 3) -> str:
        """Return the interval alone, such as 2.313 to 2.615."""
        return f"{self.low:.{digits}f} to {self.high:.{digits}f}"

    def times(self, factor: float) -> "Estimate":
        """Return the estimate of `factor` times the figure."""
        value, low, high = (factor * bound for bound in (self.value, self.low, self.high))
        return Estimate(value, low, high, self.confidence)

    def inverse(self) -> "Estimate":
        """Return the estimate of one over the figure."""
        return Estimate(1 / self.value, 1 / self.high, 1 / self.low, self.confidence)

    def agrees_with(self, other: "Estimate") -> bool:
        """Return whether the figures are the same but for rounding, whatever their confidence."""
        pairs = ((self.value, other.value), (self.low, other.low), (self.high, other.high))
        return all(is_same(here, there) for here, there in pairs)


def is_same(value: float, true: float) -> bool:
    """Return whether two figures above 0 are the same but for rounding."""
    return abs(value - true) <= _ROUNDING * true
