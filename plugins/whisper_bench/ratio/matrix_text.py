"""The matrix of many runs as people read it."""

from collections.abc import Iterable, Sequence

from whisper_bench.ratio.calculate import RatioReport
from whisper_bench.ratio.matrix import MOST_IN_MATRIX, RatioMatrix, run_labels
from whisper_bench.ratio.text import NO_RATIO, interval_text, mismatch_lines, run_lines
from whisper_bench.summary import table_lines


def matrix_lines(matrix: RatioMatrix) -> list[str]:
    """Return the runs, every run against every other, and each against the first in detail.

    Of more than MOST_IN_MATRIX runs each is shown against the first only.
    """
    labels = run_labels(matrix.runs)
    first = [pair for pair in matrix.pairs if pair.reference.where == matrix.runs[0].where]
    if len(labels) > MOST_IN_MATRIX:
        return _against_first(first, labels)
    return [
        *run_lines(list(zip(labels, matrix.runs, strict=True))),
        "",
        "latency of the row over latency of the column, geometric mean of the cases",
        *_square(matrix),
        "",
        f"each case: latency over that of {labels[0]}, with its interval",
        *_by_case(first, labels),
        "",
        *_remarks(first, labels),
    ]


def _square(matrix: RatioMatrix) -> list[str]:
    from whisper_bench.ratio.frames import matrix_frame

    frame = matrix_frame(matrix)
    rows = [[str(name), *map(_cell, row)] for name, *row in frame.itertuples()]
    return table_lines([["", *map(str, frame.columns)], *rows])


def _cell(value: float) -> str:
    return "INVALID" if value != value else f"{value:.3f}"  # noqa: PLR0124 - NaN


def _by_case(pairs: Sequence[RatioReport], labels: Sequence[str]) -> list[str]:
    names = list(dict.fromkeys(case.label for pair in pairs for case in pair.cases))
    rows = [
        [name, *(_of_case(pair, name) for pair in pairs)]
        for name in names
    ]  # fmt: skip
    return table_lines([["case", *labels[1:]], *rows])


def _of_case(pair: RatioReport, name: str) -> str:
    case = next((case for case in pair.cases if case.label == name), None)
    if case is None or case.ratio is None:
        return NO_RATIO if case is None else str(case.validity)
    return f"{case.ratio:.3f} ({case.low:.3f} to {case.high:.3f})"


def _against_first(pairs: Sequence[RatioReport], labels: Sequence[str]) -> list[str]:
    rows = [
        (
            label,
            f"{len(pair.cases)}",
            NO_RATIO if pair.headline is None else f"{pair.headline.value:.3f}",
            NO_RATIO if pair.headline is None else interval_text(pair.headline),
            f"{sum(len(case.target.warnings) for case in pair.cases)}",
        )
        for pair, label in zip(pairs, labels[1:], strict=True)
    ]
    head = ("run", "cases", f"latency over {labels[0]}", "95% interval", "warnings")
    return [*table_lines([head, *rows]), *_remarks(pairs, labels)]


def _remarks(pairs: Sequence[RatioReport], labels: Sequence[str]) -> Iterable[str]:
    for pair, label in zip(pairs, labels[1:], strict=True):
        for line in mismatch_lines(pair.allowed_mismatches):
            yield f"{line} ({label})"
        for case in pair.cases:
            if case.reason is not None:
                yield f"! {label}, {case.label}: {case.validity}: {case.reason}"
