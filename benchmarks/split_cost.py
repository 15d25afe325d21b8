"""What timing the encoder and the decoder costs.

Calls that do nothing are timed with the clock around them and without, in alternation; the
difference is the clock's. It is shown as a share of a round that takes a second, which is fast for
base on one CPU.

    python benchmarks/split_cost.py
"""

import statistics
import time
from typing import Any

from whisper_bench.worker.phases import PhaseClock

CALLS, REPEATS = 20_000, 15
WINDOWS_A_ROUND = 1


class Nothing:
    """A model whose phases are empty."""

    def encode(self, *_arguments: Any) -> None:
        """Compute nothing."""

    def generate(self, *_arguments: Any) -> None:
        """Decode nothing."""


def seconds_a_round(model: Any) -> float:
    """Return the seconds that one call of each phase takes."""
    start_s = time.perf_counter()
    for _ in range(CALLS):
        model.encode(None)
        model.generate(None)
    return (time.perf_counter() - start_s) / CALLS * WINDOWS_A_ROUND


def main() -> None:
    """Print the cost of a round's clock, the median of alternations."""
    plain, clocked = Nothing(), PhaseClock(Nothing())
    costs_s = [seconds_a_round(clocked) - seconds_a_round(plain) for _ in range(REPEATS)]
    cost_s = statistics.median(costs_s)
    print(f"{1e6 * cost_s:.2f} us a window, {cost_s:.5%} of a round of 1 s")


if __name__ == "__main__":
    main()
