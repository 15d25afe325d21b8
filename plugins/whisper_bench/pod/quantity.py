"""Kubernetes quantities, compared by value: 1 is 1000m, 512Mi is 536870912."""

import re
from fractions import Fraction

# the exponent is bounded, so that a typing error cannot become a number of a billion digits
_QUANTITY = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+))(?:[eE]([-+]?\d{1,2})|([KMGTPE]i|[numkMGTPE]))?")
_SCALES = {
    **{suffix: Fraction(10) ** (3 * power) for power, suffix in enumerate("num", start=-3)},
    **{suffix: Fraction(10) ** (3 * power) for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Fraction(2) ** (10 * power) for power, suffix in enumerate("KMGTPE", start=1)},
}
"""As in apimachinery's `resource.Quantity`."""


class Quantity(str):
    """A quantity to be written, such as 1 or 512Mi."""

    __slots__ = ()


def amount(text: str) -> Fraction | None:
    """Return the exact value of a quantity in CPUs or bytes; None if it is not one."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    number, exponent, suffix = match.groups()
    return Fraction(number) * Fraction(10) ** int(exponent or 0) * _SCALES.get(suffix, 1)
