"""Service times made by a formula, not measured."""

import math

import numpy as np

from whisper_bench.sizing.service import Service

SIGMA = math.sqrt(math.log(1 + 0.5**2))


def lognormal(mean_s=1.8, count=20_000):
    """Service times of a mean and a coefficient of variation of 0.5, by quantiles."""
    normal = np.random.default_rng(5).normal(size=count)
    normal = (normal - normal.mean()) / normal.std()
    drawn = np.exp(SIGMA * normal)
    return Service((drawn * mean_s / drawn.mean()).tolist())


EXAMPLE = lognormal()

SMALL = lognormal(count=500)
