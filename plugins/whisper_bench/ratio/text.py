"""Ratios and predictions as people read them: lines of text."""

from collections.abc import Iterable, Sequence

from whisper_bench.ratio.calculate import CaseRatio, RatioReport, Side, Validity
from whisper_bench.ratio.comparable import Mismatch
from whisper_bench.ratio.predict import Prediction, PredictionReport
from whisper_bench.ratio.run import RunFacts
from whisper_bench.summary import table_lines
from whisper_bench.welch import Estimate

NO_RATIO = "none"


def ratio_lines(report: RatioReport) -> list[str]:
    """Return the table of cases, the headline, and all that a reader should know beside it."""
    names = report.reference.name, report.target.name
    with_cpu = any(_contended(case) for case in report.cases)
    head = ("case", *names, "ratio", interval_title(report), "processes", "CPU-s ratio")
    rows = [head, *map(_row, report.cases), _headline_row(report.headline)]
    return [
        *run_lines([("reference", report.reference), ("target", report.target)]),
        "",
        *table_lines(rows if with_cpu else [row[:-1] for row in rows]),
        "",
        *_meaning(report),
        *mismatch_lines(report.allowed_mismatches),
        *(
            f"cannot agree, {each.field}: {each.reference} and {each.target}"
            for each in report.differences
        ),
        *_warnings(report),
    ]


def run_lines(runs: Sequence[tuple[str, RunFacts]]) -> list[str]:
    """Return who measured the runs, a line each."""
    rows = [
        (role, run.name, f"{run.moment:%Y-%m-%d}", run.architecture, run.cpu_model, run.where)
        for role, run in runs
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def prediction_lines(report: PredictionReport) -> list[str]:
    """Return the table of predictions and what it rests on."""
    confidence = report.cases[0].latency_s.confidence
    head = (
        "case", report.run.name, "ratio", f"on {report.target.name}", f"{confidence:.0%} interval",
        "requests/s", "interval",
    )  # fmt: skip
    within = [case.label for case in report.cases if case.validity is Validity.WITHIN_RUN]
    runs = [("run", report.run), ("reference", report.reference), ("target", report.target)]
    meaning = (
        f"not measured on {report.target.name}: predicted by the ratio of "
        f"{report.ratio_created:%Y-%m-%d}; the mean of a run there falls into the interval"
    )
    return [
        *run_lines(runs),
        "",
        *table_lines([head, *map(_predicted, report.cases)]),
        "",
        meaning,
        *mismatch_lines(report.allowed_mismatches),
        *(f"! {label}: one process: the interval knows of rounds only" for label in within),
        *(f"! {case.label}: {text}" for case in report.cases for text in case.warnings),
    ]


def mismatch_lines(allowed: Iterable[Mismatch]) -> list[str]:
    """Return what was let through, a line each."""
    return [f"! let through, {mismatch}" for mismatch in allowed]


def interval_title(report: RatioReport) -> str:
    """Name the interval's column."""
    return f"{report.cases[0].confidence:.0%} interval"


def interval_text(estimate: Estimate) -> str:
    """Return an interval as text."""
    return f"{estimate.low:.3f} to {estimate.high:.3f}"


def _row(case: CaseRatio) -> tuple[str, ...]:
    known = case.ratio is not None
    return (
        case.label,
        f"{case.reference.latency_s:.3f} s",
        f"{case.target.latency_s:.3f} s",
        f"{case.ratio:.3f}" if known else str(case.validity),
        f"{case.low:.3f} to {case.high:.3f}" if known else NO_RATIO,
        f"{case.reference.processes} and {case.target.processes}",
        NO_RATIO if case.cpu is None else f"{case.cpu.value:.3f} ({interval_text(case.cpu)})",
    )


def _headline_row(headline: Estimate | None) -> tuple[str, ...]:
    ratio, interval = (
        ("INVALID", NO_RATIO)
        if headline is None
        else (f"{headline.value:.3f}", interval_text(headline))
    )
    return "geometric mean", "", "", ratio, interval, "", ""


def _meaning(report: RatioReport) -> Iterable[str]:
    reference, target = report.reference.name, report.target.name
    if report.headline is not None:
        ratio = report.headline.value
        yield (
            f"one CPU of {reference} does the work of {ratio:.2f} of {target}: "
            f"rps on {target} = rps on {reference} / {ratio:.3f}"
        )
    for case in report.cases:
        if case.reason is not None:
            yield f"! {case.label}: {case.validity}: {case.reason}"


def _warnings(report: RatioReport) -> list[str]:
    """Say each warning once a run, with the cases that it is true of."""
    cases: dict[tuple[str, str], list[str]] = {}
    for case in report.cases:
        for run, side in ((report.reference, case.reference), (report.target, case.target)):
            for warning in side.warnings:
                cases.setdefault((run.name, warning), []).append(case.label)
    return [
        f"! {name}: {warning} [{', '.join(labels)}]" for (name, warning), labels in cases.items()
    ]


def _contended(case: CaseRatio) -> bool:
    sides: tuple[Side, Side] = case.reference, case.target
    return any(side.contended_rounds for side in sides)


def _predicted(case: Prediction) -> tuple[str, ...]:
    return (
        case.label,
        f"{case.measured_s:.3f} s",
        f"{case.ratio.value:.3f}",
        f"{case.latency_s.value:.3f} s",
        f"{interval_text(case.latency_s)} s",
        f"{case.rps.value:.4f}",
        f"{case.rps.low:.4f} to {case.rps.high:.4f}",
    )
