"""Measure how often the intervals hold the truth.

    python benchmarks/interval_coverage.py [TRIALS]

Simulates runs whose true ratio is known: processes differ by 4 % (standard deviation of the
logarithm), rounds within a process by 2 %, as was seen of CPU-seconds on a machine with a busy
neighbour. Prints, for 5 and 10 processes a side, the share of nominal 95 % intervals that hold the
truth: ours of the ratio, ours of a prediction (does the mean of a run to come fall into it?), and a
percentile bootstrap that pools all rounds, for which rounds are alike whatever process they came
from. Exits 1 where one of ours is not within 93 to 97 %.
"""

import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from whisper_bench.ratio.predict import run_to_come
from whisper_bench.welch import log_mean, ratio_interval

BETWEEN, WITHIN = 0.04, 0.02
ROUNDS = 10
TRUE_RATIO, M4_S = 2.5, 1.1
RESAMPLES = 1000
ACCEPTED = (0.93, 0.97)

Rounds = NDArray[np.float64]


def run(random: np.random.Generator, processes: int, true_s: float) -> Rounds:
    """Return latencies in seconds, a row a process."""
    between = random.normal(scale=BETWEEN, size=(processes, 1))
    return true_s * np.exp(between + random.normal(scale=WITHIN, size=(processes, ROUNDS)))


def bootstrap(random: np.random.Generator, xeon: Rounds, m4: Rounds) -> tuple[float, float]:
    """Return the percentile interval of the ratio of means over pooled, resampled rounds."""
    means = [
        random.choice(side.ravel(), size=(RESAMPLES, side.size)).mean(axis=1) for side in (xeon, m4)
    ]
    low, high = np.percentile(means[0] / means[1], (2.5, 97.5))
    return float(low), float(high)


def hits(random: np.random.Generator, processes: int) -> Iterator[tuple[bool, bool, bool]]:
    """Yield for each trial whether ours, the prediction's and the bootstrap's interval hit."""
    while True:
        m4 = run(random, processes, M4_S)
        xeon, new, coming = (
            run(random, processes, true_s)
            for true_s in (M4_S * TRUE_RATIO, M4_S, M4_S * TRUE_RATIO)
        )
        sides = [side.mean(axis=1).tolist() for side in (xeon, m4, new, coming)]
        ours = ratio_interval(sides[0], sides[1])
        known = [log_mean(side) for side in sides]
        predicted = run_to_come(known[2], known[1], known[0])
        assert ours is not None
        assert predicted is not None
        low, high = bootstrap(random, xeon, m4)
        yield (
            ours.low <= TRUE_RATIO <= ours.high,
            predicted.low <= known[3].value <= predicted.high,
            low <= TRUE_RATIO <= high,
        )


def main() -> int:
    """Simulate, print, and say whether ours hold what they promise."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    fine = True
    print(f"{trials} trials, between processes {BETWEEN:.0%}, within {WITHIN:.0%}, {ROUNDS} rounds")
    print("processes a side   ratio   prediction   pooled bootstrap")
    for processes in (5, 10):
        source = hits(np.random.default_rng(20261124 + processes), processes)
        found = np.array([next(source) for _ in range(trials)]).mean(axis=0)
        print(f"{processes:>16}  {found[0]:>6.1%}  {found[1]:>11.1%}  {found[2]:>17.1%}")
        fine &= all(ACCEPTED[0] <= share <= ACCEPTED[1] for share in found[:2])
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
