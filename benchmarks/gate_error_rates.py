"""Measure how often the gate is right, wrong, or without evidence.

    python benchmarks/gate_error_rates.py [TRIALS]

Simulates gates between two builds whose true slowdown is known: the figures of processes
spread by 2, 3 or 5 % (standard deviation of the logarithm), independently of each other; or by 3 %,
and one process in ten takes longer by an exponential share of 20 % (bursts). 10 % are allowed.
Prints a Markdown table: the share of gates that end with PASS, FAIL and NO EVIDENCE, and the median
of the pairs that they took, with at most 16 pairs and at most 32 (the default); in the last column
how often `--benchmark-compare-fail=mean:10%` fails the same builds if one process of each side is
compared. At 10 % both answers are wrong.

For speed the gates are a copy in numpy, which is first compared with `look_at` and `is_look` on
1,200 gates. Exits 1 if the copy differs, or if at the limit more than 2.5 % of gates pass or fail
(and 3 standard errors).
"""

import math
import sys
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whisper_bench.gate.sequential import (
    ERROR_RATE,
    NOMINAL_LEVEL,
    Call,
    is_look,
    look_at,
)
from whisper_bench.stats.student import t_quantile
from whisper_bench.stats.trimmed import TRIMMED

LIMIT = 0.1
NOISES = ((0.02, 0.0), (0.03, 0.0), (0.05, 0.0), (0.03, 0.1))
"""Standard deviation, and the share of processes with a burst."""
BURST = 0.2
SLOWDOWNS = (0.0, 0.05, 0.1, 0.15, 0.2)
MOST_PAIRS = (16, 32)
CHECKED = 30
"""Gates of each kind on which the copy is compared with `look_at`."""
CALLS = (Call.NOT_SLOWER, Call.SLOWER, Call.OPEN)

Logs = NDArray[np.float64]
Marks = NDArray[np.bool_]


class Ends(NamedTuple):
    """How gates ended: for each an index into CALLS, and the pairs that it took."""

    calls: NDArray[np.int64]
    pairs: NDArray[np.int64]

    def shares(self) -> list[float]:
        """Return the share of each call."""
        return [float((self.calls == place).mean()) for place in range(len(CALLS))]


class Kind(NamedTuple):
    """What is simulated."""

    noise: float
    bursts: float
    slowdown: float

    def measured(self, trials: int) -> tuple[Logs, Logs]:
        """Return the logarithms that both sides measure: one row per gate, one column per pair.

        Within a kind they are the same for any number of pairs. The order of a session does not
        matter here, since the processes are independent.
        """
        figures = (self.noise, self.bursts, self.slowdown)
        random = np.random.default_rng([20261124, *(round(1000 * figure) for figure in figures)])
        size = (2, trials, max(MOST_PAIRS))
        spoilt = (random.random(size) < self.bursts) * random.exponential(BURST, size)
        baseline, candidate = random.normal(scale=self.noise, size=size) + spoilt
        return baseline, candidate + math.log1p(self.slowdown)


def gates(baseline: Logs, candidate: Logs, most_pairs: int) -> Ends:
    """Return how gates end: the copy of `look_at`."""
    trials = len(baseline)
    calls, pairs = np.full(trials, CALLS.index(Call.OPEN)), np.full(trials, most_pairs)
    running = np.ones(trials, dtype=bool)
    for count in [count for count in range(1, most_pairs + 1) if is_look(count, most_pairs)]:
        sides = baseline[:, :count], candidate[:, :count]
        low, high = bounds(sides[1] - sides[0])
        later, earlier = (np.stack([side[:, start::2] for side in sides], 1) for start in (1, 0))
        # which of the two is above takes turns by block, and is the other way round on each side
        signs = np.where((np.arange(count // 2) + np.arange(2)[:, None]) % 2, -1, 1)
        least, most = bounds((signs * (later - earlier)).reshape(trials, count))
        limit = math.log1p(LIMIT)
        fit = ((least <= 0) & (most >= 0)) | ((-limit < least) & (most < limit))
        for call, clear in ((Call.SLOWER, low > limit), (Call.NOT_SLOWER, high < limit)):
            ending: Marks = running & fit & clear
            calls[ending], pairs[ending] = CALLS.index(call), count
            running &= ~ending
    return Ends(calls, pairs)


def bounds(logs: Logs) -> tuple[Logs, Logs]:
    """Return the intervals of the trimmed means, one per row."""
    size = logs.shape[1]
    cut = size // TRIMMED
    kept = np.sort(logs, axis=1)[:, cut : size - cut]
    winsorized = np.pad(kept, ((0, 0), (cut, cut)), mode="edge")
    left = kept.shape[1]
    error = winsorized.std(axis=1, ddof=1) * math.sqrt(size) / left
    half = error * t_quantile(1 - NOMINAL_LEVEL / 2, left - 1)
    return kept.mean(axis=1) - half, kept.mean(axis=1) + half


def real_gate(
    baseline_s: list[float], candidate_s: list[float], most_pairs: int
) -> tuple[int, int]:
    """Return how a gate ends by the code that gates use: an index into CALLS, and the pairs."""
    call = Call.OPEN
    for count in [count for count in range(1, most_pairs + 1) if is_look(count, most_pairs)]:
        call = look_at(baseline_s[:count], candidate_s[:count], limit=LIMIT).call
        if call is not Call.OPEN:
            return CALLS.index(call), count
    return CALLS.index(call), most_pairs


def copy_agrees(kind: Kind, most_pairs: int) -> bool:
    """Return whether the copy ends some gates as the real code does."""
    sides = kind.measured(CHECKED)
    ends = gates(*sides, most_pairs)
    rows = zip(*(np.exp(side).tolist() for side in sides), strict=True)
    theirs = [real_gate(baseline_s, candidate_s, most_pairs) for baseline_s, candidate_s in rows]
    return theirs == list(zip(ends.calls.tolist(), ends.pairs.tolist(), strict=True))


def one_comparison(baseline: Logs, candidate: Logs) -> float:
    """Return how often one process of each side differs by more, as pytest-benchmark counts."""
    return float((np.expm1(candidate[:, 0] - baseline[:, 0]) > LIMIT).mean())


def row(kind: Kind, trials: int) -> tuple[str, bool]:
    """Return a line of the table, and whether the gate is wrong as rarely as it promises."""
    sides = kind.measured(trials)
    most = ERROR_RATE / 2
    most += 3 * math.sqrt(most * (1 - most) / trials)
    noise = f"{kind.noise:.0%}{' and bursts' if kind.bursts else ''}"
    cells, fine = [noise, f"{kind.slowdown:.0%}"], True
    for most_pairs in MOST_PAIRS:
        ends = gates(*sides, most_pairs)
        shares = ends.shares()
        cells += [*(f"{share:.1%}" for share in shares), f"{np.median(ends.pairs):g}"]
        fine &= kind.slowdown != LIMIT or max(shares[:2]) <= most
    return f"| {' | '.join([*cells, f'{one_comparison(*sides):.1%}'])} |", fine


def main() -> int:
    """Simulate, print, and say whether the error rates are as promised."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    kinds = [Kind(*noise, slowdown) for noise in NOISES for slowdown in SLOWDOWNS]
    if not all(copy_agrees(kind, most_pairs) for kind in kinds for most_pairs in MOST_PAIRS):
        print("the copy in numpy does not end as look_at does")
        return 1
    print(f"{trials} gates per row; copy and look_at agree on {CHECKED} of each kind\n")
    head = ["process noise", "true slowdown"]
    for most_pairs in MOST_PAIRS:
        head += [f"PASS (of {most_pairs} pairs at most)", "FAIL", "NO EVIDENCE", "median pairs"]
    head.append("mean:10% fails (one process of each side)")
    print(f"| {' | '.join(head)} |\n|{'---:|' * len(head)}")
    fine = True
    for kind in kinds:
        line, is_as_promised = row(kind, trials)
        print(line, flush=True)
        fine &= is_as_promised
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
