"""The matrix of many runs as people read it."""

from collections.abc import Iterable, Sequence

from whisper_bench.ratio.matrix import MOST_IN_MATRIX, RatioMatrix, headline_rows, run_labels
from whisper_bench.ratio.report import RatioReport, Validity
from whisper_bench.ratio.text import (
    AS_MEASURED,
    NO_RATIO,
    interval_title,
    mismatch_lines,
    run_lines,
    warning_lines,
)
from whisper_bench.text.table import table_lines


def matrix_lines(matrix: RatioMatrix) -> list[str]:
    """Return the runs, every run against every other, and each against the first in detail.

    Of more than MOST_IN_MATRIX runs each is shown against the first only.
    """
    labels = run_labels(matrix.runs)
    first = [pair for pair in matrix.pairs if pair.reference.where == matrix.runs[0].where]
    if len(labels) > MOST_IN_MATRIX:
        return _against_first(matrix, labels)
    return [
        *run_lines(list(zip(labels, matrix.runs, strict=True))),
        "",
        "latency of the row over latency of the column, geometric mean of the cases",
        *_square(matrix, labels),
        "",
        f"per case: latency over that of {labels[0]}, with its interval",
        *_by_case(first, labels),
        "",
        *_remarks(matrix, labels),
        *_unrest(first, labels),
    ]


def _square(matrix: RatioMatrix, labels: Sequence[str]) -> list[str]:
    rows = zip(labels, headline_rows(matrix), strict=True)
    return table_lines([["", *labels], *([label, *map(_cell, row)] for label, row in rows)])


def _cell(ratio: float | None) -> str:
    return Validity.INVALID if ratio is None else f"{ratio:.3f}"


def _by_case(pairs: Sequence[RatioReport], labels: Sequence[str]) -> list[str]:
    names = list(dict.fromkeys(case.label for pair in pairs for case in pair.cases))
    rows = [
        [name, *(_of_case(pair, name) for pair in pairs)]
        for name in names
    ]  # fmt: skip
    return table_lines([["case", *labels[1:]], *rows])


def _of_case(pair: RatioReport, name: str) -> str:
    case = next((case for case in pair.cases if case.label == name), None)
    if case is None:
        return NO_RATIO
    return str(case.estimate or case.validity)


def _against_first(matrix: RatioMatrix, labels: Sequence[str]) -> list[str]:
    pairs = matrix.pairs
    rows = [
        (
            label,
            f"{len(pair.cases)}",
            NO_RATIO if pair.headline is None else f"{pair.headline.value:.3f}",
            NO_RATIO if pair.headline is None else pair.headline.interval(),
            f"{sum(len(case.target.warnings) for case in pair.cases)}",
        )
        for pair, label in zip(pairs, labels[1:], strict=True)
    ]
    head = ("run", "cases", f"latency over {labels[0]}", interval_title(pairs[0]), "warnings")
    return [*table_lines([head, *rows]), *_remarks(matrix, labels)]


def _remarks(matrix: RatioMatrix, labels: Sequence[str]) -> Iterable[str]:
    """Say per pair which mismatches were allowed, and why a ratio is missing."""
    cases = [case for pair in matrix.pairs for case in pair.cases]
    unsplit = dict.fromkeys(case.label for case in cases if not case.is_at_equal_work)
    if unsplit:
        yield f"! {AS_MEASURED} [{', '.join(unsplit)}]"
    named = dict(zip((run.where for run in matrix.runs), labels, strict=True))
    for pair in matrix.pairs:
        both = f"{named[pair.reference.where]} and {named[pair.target.where]}"
        yield from (f"{line} ({both})" for line in mismatch_lines(pair.allowed_mismatches))
        for case in pair.cases:
            if case.reason is not None:
                yield f"! {both}, {case.label}: {case.validity}: {case.reason}"


def _unrest(pairs: Sequence[RatioReport], labels: Sequence[str]) -> Iterable[str]:
    """Say each run's warnings, with the cases that they are true of."""
    sides = [(labels[0], [case.reference for case in pairs[0].cases], pairs[0].cases)]
    sides += [
        (label, [case.target for case in pair.cases], pair.cases)
        for pair, label in zip(pairs, labels[1:], strict=True)
    ]
    for label, of_run, cases in sides:
        yield from warning_lines(
            (label, warning, case.label)
            for side, case in zip(of_run, cases, strict=True)
            for warning in side.warnings
        )
