"""A trimmed mean and its interval: few figures, some of them disturbed by a neighbour.

J. W. Tukey and D. H. McLaughlin, "Less vulnerable confidence and significance procedures for
location based on a single sample: trimming/Winsorization 1", Sankhya A 25 (1963). On a shared
runner some processes take a third longer than the others, and one of them makes a plain t interval
useless.
"""

import math
from collections.abc import Sequence

from whisper_bench.stats.interval import Estimate
from whisper_bench.stats.student import t_quantile

TRIMMED = 6
"""One in this many is left out at either end; of fewer than six none."""


def trimmed_ratio(ratios: Sequence[float], confidence: float) -> Estimate | None:
    """Return the trimmed mean of positive ratios, by their logarithms, with its two-sided interval.

    None of fewer than two, or if the bounds are too large for a double.
    """
    logs = sorted(map(math.log, ratios))
    size, kept = len(logs), _kept(logs)
    if size < 2:  # noqa: PLR2004 - a spread needs two
        return None
    cut = (size - len(kept)) // 2
    mean = math.fsum(kept) / len(kept)
    winsorized = [*[kept[0]] * cut, *kept, *[kept[-1]] * cut]
    centre = math.fsum(winsorized) / size
    spread = math.sqrt(math.fsum((log - centre) ** 2 for log in winsorized) / (size - 1))
    error = spread * math.sqrt(size) / len(kept)
    half = t_quantile(0.5 + confidence / 2, len(kept) - 1) * error
    return Estimate.of_log(mean, half, confidence)


def trimmed_mean(values: Sequence[float]) -> float:
    """Return the trimmed mean of positive values, by their logarithms."""
    kept = _kept(sorted(map(math.log, values)))
    return math.exp(math.fsum(kept) / len(kept))


def _kept(logs: Sequence[float]) -> Sequence[float]:
    """Return sorted figures without the trimmed ends."""
    cut = len(logs) // TRIMMED
    return logs[cut : len(logs) - cut]
