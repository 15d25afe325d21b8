"""Was a case measured on a steady machine? Drift, spread and outliers, as warnings with figures.

None of them makes a ratio false by itself, since its interval comes from the processes' means and
grows with their spread; each says where to look before the figure is used.
"""

import math
import operator
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from statistics import NormalDist

import msgspec

from whisper_bench.case.record import CaseRecord
from whisper_bench.stats.student import t_tail

DRIFT = 0.05
"""Change of latency over a run that is worth a warning: half the gate's limit of 10 %."""
DRIFT_CONFIDENCE = 0.99
"""A report looks at dozens of trends; at 95 % one in twenty steady ones would be accused."""
_NORMAL = NormalDist().inv_cdf((1 + DRIFT_CONFIDENCE) / 2)
"""Student's quantile is above it, whatever its degrees of freedom."""
SPREAD = 0.10
"""Standard deviation between processes: 3.6 % was seen where only the machine's own noise is,
33 % beside a busy neighbour."""
FENCE = 3.0
"""Interquartile ranges above the third quartile: "far out" in J. W. Tukey, "Exploratory Data
Analysis" (1977)."""
FAR = 0.10
"""Share above its process's median that a round must have to be worth a word."""
_FAR = math.log1p(FAR)
FEWEST_FOR_FENCES = 8
FEWEST_PROCESSES = 5
"""The default of --whisper-processes; with 2 the t of the interval is above 4."""


class Trend(msgspec.Struct, frozen=True):
    """Change from the first to the last of a sequence, as a share, and how sure it is."""

    change: float
    t: float
    freedom: int

    @property
    def p(self) -> float:
        """The two-sided probability of such a slope if there is no trend."""
        if self.t == 0:
            return 1.0
        return 2 * t_tail(self.t, self.freedom) if self.t < math.inf else 0.0


def stability_warnings(record: CaseRecord) -> list[str]:
    """Return what is unsteady about a case, with figures; the most serious first."""
    by_process: dict[int, list[float]] = {}
    for measured in record.rounds:
        by_process.setdefault(measured.process, []).append(measured.latency_s)
    groups = [list(map(math.log, group)) for group in by_process.values()]
    means = [math.fsum(group) / len(group) for group in groups]
    return [
        *_drift([means], "over the run: the machine heats up, or its load changes"),
        *_drift(groups, "within a process: warm it up with more --whisper-warmup-rounds"),
        *_spread(means),
        *_outliers(groups),
        *_few(len(groups)),
    ]


def trend(groups: Sequence[Sequence[float]]) -> Trend | None:
    """Fit one slope to sequences of logarithms, each with a level of its own (least squares).

    None where there are too few points to tell a slope from noise.
    """
    long_enough = [group for group in groups if len(group) > 1]
    free = sum(map(len, long_enough)) - len(long_enough) - 1
    if free < 1:
        return None
    sxx = sxy = syy = 0.0
    for group in long_enough:
        size = len(group)
        mean = math.fsum(group) / size
        sxx += size * (size * size - 1) / 12  # the places 0, 1, 2 ... about their middle
        sxy += sum(map(operator.mul, range(size), group)) - mean * size * (size - 1) / 2
        away = [log - mean for log in group]
        syy += math.fsum(map(operator.mul, away, away))
    slope = sxy / sxx
    change = math.expm1(slope * (max(map(len, long_enough)) - 1))
    left = max(syy - slope * sxy, 0.0)
    if left == 0:
        return Trend(change, math.inf if slope else 0.0, free)
    return Trend(change, abs(slope) / math.sqrt(left / free / sxx), free)


def _drift(groups: Sequence[Sequence[float]], where: str) -> Iterable[str]:
    fitted = trend(groups)
    if fitted is None or abs(fitted.change) < DRIFT or fitted.t < _NORMAL:
        return
    if fitted.p <= 1 - DRIFT_CONFIDENCE:
        yield f"latency drifts by {fitted.change:+.1%} {where}"


def _spread(means: Sequence[float]) -> Iterable[str]:
    if len(means) < 2:  # noqa: PLR2004 - a spread needs two
        return
    middle = math.fsum(means) / len(means)
    deviation = math.sqrt(math.fsum((mean - middle) ** 2 for mean in means) / (len(means) - 1))
    if deviation >= SPREAD:
        yield f"processes spread by {deviation:.1%} (standard deviation): the machine is not quiet"


def _outliers(groups: Sequence[Sequence[float]]) -> Iterable[str]:
    """Look for rounds that were slow among those of their process."""
    middles = list(map(_median, groups))
    if not any(max(group) > middle + _FAR for group, middle in zip(groups, middles, strict=True)):
        return
    logs = sorted(
        log - middle for group, middle in zip(groups, middles, strict=True) for log in group
    )
    if len(logs) < FEWEST_FOR_FENCES:
        return
    low, high = logs[len(logs) // 4], logs[3 * len(logs) // 4]
    far = len(logs) - bisect_right(logs, max(high + FENCE * (high - low), _FAR))
    if far:
        yield (
            f"{far} of {len(logs)} rounds far out, the longest {math.exp(logs[-1]):.2f} times "
            "the median of its process"
        )


def _median(values: Sequence[float]) -> float:
    """Return the median; thousands of runs are read, and `statistics.median` takes its time."""
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _few(processes: int) -> Iterable[str]:
    if 1 < processes < FEWEST_PROCESSES:
        yield f"{processes} processes: {FEWEST_PROCESSES} or more give a narrower interval"
