"""Service times: how long one request keeps a Pod busy, drawn from the measured rounds."""

import math
import statistics
from collections.abc import Mapping

import msgspec
import numpy as np

from whisper_bench.errors import BenchError
from whisper_bench.sizing.bounds import HARD_FACTOR, MOST_HARD_FACTOR
from whisper_bench.sizing.simulate import Floats


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Measured latencies of one request alone in its Pod, in seconds, for `windows` 30 s windows.

    `factor` scales them (a ratio, if another machine was measured). A share `hard_share` of the
    requests takes `hard_factor` times as long.
    """

    samples_s: list[float]
    windows: int = 1
    factor: float = 1.0
    hard_share: float = 0.0
    hard_factor: float = HARD_FACTOR

    def __post_init__(self) -> None:
        """Refuse invalid service times."""
        if not self.samples_s or not all(0 < sample_s < math.inf for sample_s in self.samples_s):
            raise BenchError("service times must be positive numbers of seconds, at least one")
        if not 0 < self.factor < math.inf or not 0 <= self.hard_share <= 1:
            raise BenchError(
                f"factor {self.factor:g} and share of hard clips {self.hard_share:g}: give a "
                "factor above 0 and a share from 0 to 1"
            )
        if not 1 <= self.hard_factor <= MOST_HARD_FACTOR:
            raise BenchError(
                f"hard clips take {self.hard_factor:g} times as long: give from 1 to "
                f"{MOST_HARD_FACTOR:g}"
            )

    def draw(self, mix: Mapping[int, float], count: int, random: np.random.Generator) -> Floats:
        """Return `count` service times for a mix of lengths (shares by 30 s windows).

        Work is counted in windows: the encoder pads each to 30 s. Draws are by rank, so that a
        slower service is slower in every draw.
        """
        ranked = np.sort(np.asarray(self.samples_s)) * (self.factor / self.windows)
        sizes = np.array(sorted(mix))
        shares = np.array([mix[size] for size in sizes.tolist()])
        steps = np.cumsum(shares / shares.sum())
        # separate streams, so that a longer sequence begins with the same draws
        lengths, hardness, *each_window = random.spawn(2 + int(sizes[-1]))
        chosen = sizes[np.minimum(np.searchsorted(steps, lengths.random(count)), len(sizes) - 1)]
        hard = np.where(hardness.random(count) < self.hard_share, self.hard_factor, 1.0)
        total = np.zeros(count)
        for window, draws in enumerate(each_window):
            ranks = (draws.random(count) * len(ranked)).astype(np.int64)
            total += np.where(chosen > window, ranked[ranks], 0.0)
        return total * hard

    def mean_s(self, mix: Mapping[int, float]) -> float:
        """Return the mean service time of a mix, exactly."""
        whole = sum(mix.values())
        windows = sum(size * share for size, share in mix.items()) / whole
        of_window_s = statistics.fmean(self.samples_s) * self.factor / self.windows
        return of_window_s * windows * (1 + self.hard_share * (self.hard_factor - 1))
