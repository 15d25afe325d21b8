"""Measure how often the intervals contain the true ratio.

    python benchmarks/interval_coverage.py [TRIALS]

Simulates runs whose true ratio is known: processes differ by 4 % (standard deviation of the
logarithm), rounds within a process by 2 %, as CPU-seconds did on a machine with a busy
neighbour. Prints, for 5 and 10 processes per side, the share of nominal 95 % intervals that contain
the true value: ours of the ratio, ours of a prediction (does it contain the mean of a future run?),
and a percentile bootstrap over pooled rounds, which ignores the process that a round came from.
Exits 1 if one of ours is not within 93 to 97 %.

Then at equal work: the target decodes other tokens than the reference, its encoder and decoder
differ from process to process by a further 2 % each, and the true ratio is that at the reference's
tokens.

Then with a deviation between runs of 3 % (another day, another node), which a single run cannot
show, and intervals whose samples are runs, which include it; and a single process, whose interval
is computed from rounds.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from whisper_bench.ratio.predict import run_to_come, run_to_come_among_runs
from whisper_bench.ratio.run import ProcessTime, RunTimes, RunWork, Samples
from whisper_bench.stats.welch import LogMean, log_mean, ratio_interval, ratio_of

BETWEEN, WITHIN, RUN_LEVEL = 0.04, 0.02, 0.03
ROUNDS = 10
TRUE_RATIO, M4_S = 2.5, 1.1
RESAMPLES = 1000
ACCEPTED = (0.93, 0.97)

PHASES = 0.02
REFERENCE_TOKENS, TARGET_TOKENS = 197, (185, 215)
REFERENCE_S, TARGET_S = (0.36, 0.0040), (0.86, 0.0151)
"""Seconds a window and a token: in a Xeon's proportions (docs/work.md), and of a faster machine."""

Rounds = NDArray[np.float64]


def run(
    random: np.random.Generator, processes: int, true_s: float, level: float, rounds: int = ROUNDS
) -> Rounds:
    """Return latencies in seconds, one row per process; `level` is the deviation between runs."""
    effects = random.normal(scale=level) + random.normal(scale=BETWEEN, size=(processes, 1))
    return true_s * np.exp(effects + random.normal(scale=WITHIN, size=(processes, rounds)))


def bootstrap(random: np.random.Generator, xeon: Rounds, m4: Rounds) -> tuple[float, float]:
    """Return the percentile interval of the ratio of means over pooled, resampled rounds."""
    means = [
        random.choice(side.ravel(), size=(RESAMPLES, side.size)).mean(axis=1) for side in (xeon, m4)
    ]
    low, high = np.percentile(means[0] / means[1], (2.5, 97.5))
    return float(low), float(high)


def hits(
    random: np.random.Generator, processes: int, level: float
) -> Iterator[tuple[bool, bool, bool]]:
    """Yield for each trial whether our, the prediction's and the bootstrap's interval hit."""
    while True:
        m4, new = (run(random, processes, M4_S, level) for _ in range(2))
        xeon, coming = (run(random, processes, M4_S * TRUE_RATIO, level) for _ in range(2))
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


def at_equal_work(
    random: np.random.Generator, processes: int, tokens: int, parts_s: tuple[float, float]
) -> LogMean:
    """Return a simulated side at the reference's tokens."""
    level = random.normal(scale=BETWEEN, size=(processes, 1))
    window_s, token_s = (
        part_s * np.exp(level + random.normal(scale=PHASES, size=(processes, 1)))
        for part_s in parts_s
    )
    noise = np.exp(random.normal(scale=WITHIN, size=(2, processes, ROUNDS)))
    decoded_s = tokens * token_s * noise[0]
    rounds = window_s * noise[1] + decoded_s
    wall = zip(
        rounds.mean(axis=1).tolist(), (decoded_s / tokens).mean(axis=1).tolist(), strict=True
    )
    means = Samples(None, log_mean(rounds.mean(axis=1).tolist()), log_mean(rounds.ravel().tolist()))
    times = RunTimes(tokens, tuple(ProcessTime(*pair) for pair in wall), ())
    work = RunWork(audio_s=30.0, windows=1, window=means, token=means, times=[times])
    return work.latency(REFERENCE_TOKENS, means, "processes")


def equal_work_hits(random: np.random.Generator, processes: int, tokens: int) -> Iterator[bool]:
    """Yield for each trial whether the interval of the ratio at equal work hits."""
    truth = [window_s + REFERENCE_TOKENS * token_s for window_s, token_s in (REFERENCE_S, TARGET_S)]
    while True:
        reference = at_equal_work(random, processes, REFERENCE_TOKENS, REFERENCE_S)
        ours = ratio_of(at_equal_work(random, processes, tokens, TARGET_S), reference)
        assert ours is not None
        yield ours.low <= truth[1] / truth[0] <= ours.high


def among_runs_hits(random: np.random.Generator, runs: int) -> Iterator[tuple[bool, bool]]:
    """Yield for each trial whether the intervals from runs of 5 processes hit."""
    while True:
        sides = [
            [float(np.exp(np.log(run(random, 5, true_s, RUN_LEVEL).mean(axis=1)).mean()))
             for _ in range(runs + 1)]
            for true_s in (M4_S, M4_S * TRUE_RATIO)
        ]  # fmt: skip
        (*m4, new), (*xeon, coming) = sides
        ours = ratio_interval(xeon, m4)
        predicted = run_to_come_among_runs(log_mean([new]), log_mean(m4), log_mean(xeon))
        assert ours is not None
        assert predicted is not None
        yield ours.low <= TRUE_RATIO <= ours.high, predicted.low <= coming <= predicted.high


def within_run_hits(random: np.random.Generator, rounds: int) -> Iterator[bool]:
    """Yield for each trial whether the interval from rounds of one process per side hits."""
    while True:
        m4, xeon = (
            run(random, 1, true_s, 0, rounds).ravel().tolist()
            for true_s in (M4_S, M4_S * TRUE_RATIO)
        )
        ours = ratio_interval(xeon, m4)
        assert ours is not None
        yield ours.low <= TRUE_RATIO <= ours.high


def shares(source: Callable[[np.random.Generator], Iterator[object]], trials: int) -> Rounds:
    """Return the share of trials that hit."""
    trying = source(np.random.default_rng(20261124))
    covered: Rounds = np.array([next(trying) for _ in range(trials)]).mean(axis=0)
    return covered


def main() -> int:
    """Simulate, print, and say whether our intervals are as promised."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    fine = True
    print(f"{trials} trials, between processes {BETWEEN:.0%}, within {WITHIN:.0%}, {ROUNDS} rounds")
    print("processes per side  between runs   ratio   prediction   pooled bootstrap")
    for level in (0.0, RUN_LEVEL):
        for processes in (5, 10):
            covered = shares(partial(hits, processes=processes, level=level), trials)
            cells = f"{covered[0]:>6.1%}  {covered[1]:>11.1%}  {covered[2]:>17.1%}"
            print(f"{processes:>16}  {level:>12.0%}  {cells}", flush=True)
            fine &= level > 0 or all(ACCEPTED[0] <= share <= ACCEPTED[1] for share in covered[:2])
    for tokens in TARGET_TOKENS:
        for processes in (5, 10):
            hit = partial(equal_work_hits, processes=processes, tokens=tokens)
            share = float(shares(hit, trials))
            note = f"(at equal work, {REFERENCE_TOKENS} and {tokens} tokens)"
            print(f"{processes:>16}  {0:>12.0%}  {share:>6.1%}   {note}", flush=True)
            fine &= ACCEPTED[0] <= share <= ACCEPTED[1]
    for runs in (3, 5):
        covered = shares(partial(among_runs_hits, runs=runs), trials)
        cells = f"{covered[0]:>6.1%}  {covered[1]:>11.1%}   ({runs} runs per side, --all-runs)"
        print(f"{5:>16}  {RUN_LEVEL:>12.0%}  {cells}", flush=True)
        fine &= all(ACCEPTED[0] <= share for share in covered)
    for rounds in (10, 50):
        share = float(shares(partial(within_run_hits, rounds=rounds), trials))
        print(f"{1:>16}  {0:>12.0%}  {share:>6.1%}   (within-run, {rounds} rounds)", flush=True)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
