"""When requests arrive: Poisson or in bursts, all of them or those that one Pod gets.

Times between arrivals are exponential, or for bursts hyperexponential: a share has a high rate, the
others a low one.
"""

import math
from typing import NamedTuple

import numpy as np

from whisper_bench.sizing.simulate import Floats


class Phases(NamedTuple):
    """Hyperexponential times: a share of them has the one rate (1/s), the others the other."""

    often: float
    fast_rps: float
    slow_rps: float


def phases_of(target_rps: float, burstiness: float) -> Phases:
    """Return the times between arrivals at a rate (1/s) with a squared coefficient of variation.

    Above Poisson they are hyperexponential with balanced means: H. C. Tijms, "A First Course in
    Stochastic Models" (2003), appendix B.
    """
    lean = math.sqrt((burstiness - 1) / (burstiness + 1))
    often = (1 + lean) / 2
    return Phases(often, 2 * often * target_rps, 2 * (1 - often) * target_rps)


def gaps_s(phases: Phases, count: int, random: np.random.Generator) -> Floats:
    """Return `count` times between arrivals, in seconds."""
    # a stream each, so that a longer sequence begins with the same arrivals
    gaps, choices = random.spawn(2)
    unit = gaps.exponential(size=count)
    if phases.fast_rps == phases.slow_rps:
        return unit / phases.fast_rps
    fast = choices.random(count) < phases.often
    return unit / np.where(fast, phases.fast_rps, phases.slow_rps)


def sums_s(phases: Phases, size: int, count: int, random: np.random.Generator) -> Floats:
    """Return `count` sums of `size` times between arrivals each, in seconds."""
    choices, fast, slow = random.spawn(3)
    short = choices.binomial(size, phases.often, count)
    short_s = fast.standard_gamma(short) / phases.fast_rps
    return short_s + slow.standard_gamma(size - short) / phases.slow_rps


def thinned(phases: Phases, kept: float) -> Phases:
    """Return the times between those arrivals that are kept, each with this chance.

    They are hyperexponential, too. With the transform g of the times that of the kept ones is
    kept g / (1 - (1 - kept) g), whose denominator is of degree 2; its roots are the rates, and the
    partial fractions have the shares (D. R. Cox, "Renewal Theory" (1962), section 4, for g).
    """
    often, fast, slow = phases
    mean = often * fast + (1 - often) * slow
    middle = (fast + slow - (1 - kept) * mean) / 2
    spread = math.sqrt(max(middle**2 - kept * fast * slow, 0.0))
    fast_rps, slow_rps = middle + spread, middle - spread
    if spread == 0:
        return Phases(often, middle, middle)
    share = kept * (fast * slow - mean * fast_rps) / (fast_rps * (slow_rps - fast_rps))
    return Phases(share, fast_rps, slow_rps)
