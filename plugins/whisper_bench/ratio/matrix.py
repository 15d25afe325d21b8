"""The ratio of every run to every other: a fleet of node types at a glance."""

from collections.abc import Collection, Sequence
from itertools import combinations
from pathlib import Path

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.ratio.calculate import calculate_ratio
from whisper_bench.ratio.report import RatioReport
from whisper_bench.ratio.run import Run, RunFacts

MOST_IN_MATRIX = 12
"""Runs up to which every pair is shown; of more each is compared with the first only, so that
thousands take time and memory in proportion to their number."""


class RatioMatrix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Runs and the ratios between them; `pairs` has the earlier run as its reference.

    Of more than MOST_IN_MATRIX runs `pairs` has those with the first run only.
    """

    runs: list[RunFacts]
    pairs: list[RatioReport]


def calculate_matrix(runs: Sequence[Run], *, allow_mismatch: Collection[str] = ()) -> RatioMatrix:
    """Return the ratios between runs.

    Raises:
        NotComparableError: two differ in what must agree.
        BenchError: there are fewer than two, or one is there twice.

    """
    places = [run.facts.where for run in runs]
    if len(runs) < 2 or len(set(places)) < len(places):  # noqa: PLR2004 - a ratio has two sides
        raise BenchError(f"a matrix needs two different runs or more; given: {', '.join(places)}")
    first, *others = runs
    whole = len(runs) <= MOST_IN_MATRIX
    wanted = combinations(runs, 2) if whole else ((first, other) for other in others)
    return RatioMatrix(
        runs=[run.facts for run in runs],
        pairs=[calculate_ratio(*pair, allow_mismatch=allow_mismatch) for pair in wanted],
    )


def headline_rows(matrix: RatioMatrix) -> list[list[float | None]]:
    """Return the headline ratios in the order of the runs: rows are targets, columns references.

    None where a pair has no headline.
    """
    ratios: dict[tuple[str, str], float] = {}
    for pair in matrix.pairs:
        if pair.headline is not None:
            here, there = pair.reference.where, pair.target.where
            ratios[there, here] = pair.headline.value
            ratios[here, there] = 1 / pair.headline.value
    places = [run.where for run in matrix.runs]
    return [
        [1.0 if target == reference else ratios.get((target, reference)) for reference in places]
        for target in places
    ]


def run_labels(runs: Sequence[RunFacts]) -> list[str]:
    """Name different runs, each its own: by save name, else the file's, else its path."""
    names, files = [run.name for run in runs], [Path(run.where).stem for run in runs]
    paths = [run.where for run in runs]
    return next((labels for labels in (names, files) if len(set(labels)) == len(runs)), paths)
