"""Ratios and predictions as people read them: lines of text."""

from collections.abc import Iterable, Sequence

from whisper_bench.ratio.audio import AudioPrediction
from whisper_bench.ratio.comparable import Mismatch
from whisper_bench.ratio.predict import Prediction, PredictionReport
from whisper_bench.ratio.report import CaseRatio, CaseSide, RatioReport, Validity
from whisper_bench.ratio.run import RUNS_APART, RunFacts
from whisper_bench.text.plain import plain
from whisper_bench.text.table import table_lines

NO_RATIO = "none"
AS_MEASURED = (
    "as measured, not at equal work: a side has no encoder and decoder times; measure it again"
)


def ratio_lines(report: RatioReport) -> list[str]:
    """Return the table of cases, the headline, and all that a reader should know beside it."""
    names = report.reference.name, report.target.name
    with_cpu = any(_contended(case) for case in report.cases)
    counted = "runs" if report.cases[0].samples == "runs" else "processes"
    head = ("case", *names, "ratio", interval_title(report), counted, "CPU-s ratio")
    rows = [head, *map(_row, report.cases), _headline_row(report)]
    return [
        *run_lines([("reference", report.reference), ("target", report.target)]),
        "",
        *table_lines(rows if with_cpu else [row[:-1] for row in rows]),
        "",
        *_work_table(report),
        *_meaning(report),
        *mismatch_lines(report.allowed_mismatches),
        *(
            f"expected difference, {difference.field}: {difference.reference} and "
            f"{difference.target}"
            for difference in report.differences
        ),
        *_warnings(report),
    ]


_WORK_HEAD = ("at equal work", "tokens", "ratio as measured", "encoder a window", "decoder a token")


def _work_table(report: RatioReport) -> list[str]:
    """Return the work of each case, and the ratios of its parts; nothing where it is unknown."""
    rows = [
        (
            case.label,
            f"{case.reference.tokens} and {case.target.tokens}",
            *(
                NO_RATIO if ratio is None else str(ratio)
                for ratio in (case.plain, case.encoder, case.decoder)
            ),
        )
        for case in report.cases
        if case.is_at_equal_work
    ]
    return [*table_lines([_WORK_HEAD, *rows]), ""] if rows else []


def run_lines(runs: Sequence[tuple[str, RunFacts]]) -> list[str]:
    """Return who measured the runs, a line each."""
    rows: list[tuple[str, ...]] = [
        (role, run.name, f"{run.moment:%Y-%m-%d}", run.architecture, run.cpu_model, _where(run))
        for role, run in runs
    ]
    rows = [tuple(map(plain, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _where(run: RunFacts) -> str:
    first, *others = run.where.split(RUNS_APART)
    return f"{first} and {len(others)} more" if others else first


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
        f"not measured on {report.target.name}: predicted from the ratio of "
        f"{report.ratio_created:%Y-%m-%d}; the interval is for the mean of a run there"
        f"{_condition(report)}"
    )
    return [
        *run_lines(runs),
        "",
        *table_lines([head, *map(_predicted, report.cases)]),
        "",
        *_audio_lines(report),
        meaning,
        *mismatch_lines(report.allowed_mismatches),
        *(f"! allowed by the ratio, {mismatch}" for mismatch in report.ratio_mismatches),
        *(
            f"! {label}: one process: the interval is from rounds and too narrow"
            for label in within
        ),
        *(f"! {warning}" for warning in report.warnings),
    ]


def _audio_lines(report: PredictionReport) -> list[str]:
    """Return the table of clips of other lengths, and how well their costs are known."""
    if not report.audio:
        return []
    confidence = report.audio[0].latency_s.confidence
    head = (
        "clip of", "windows", "tokens", f"on {report.run.name}", "ratio",
        f"on {report.target.name}", f"{confidence:.0%} interval", "real-time factor",
    )  # fmt: skip
    rows = [
        (
            f"{clip.audio_s:g} s, {clip.model}-t{clip.threads}",
            f"{clip.windows}",
            f"{clip.tokens:.0f}",
            f"{clip.reference_s:.3f} s",
            f"{clip.ratio:.3f}",
            f"{clip.latency_s.value:.3f} s",
            f"{clip.latency_s.interval()} s",
            f"{clip.latency_s.value / clip.audio_s:.3f}",
        )
        for clip in report.audio
    ]
    return [*table_lines([head, *rows]), *dict.fromkeys(map(_rest_of, report.audio)), ""]


def _rest_of(clip: AudioPrediction) -> str:
    """Say what a clip's price rests on."""
    name = f"{clip.model}-t{clip.threads}"
    if clip.fit is None:
        return (
            f"{name}: from one clip's window and token ({clip.clip}); measure several lengths for "
            "narrower intervals: --whisper-clip=A.wav,B.wav"
        )
    off = ", ".join(f"{fitted} {share:+.1%}" for fitted, share in clip.fit.deviations.items())
    return (
        f"{name}: {clip.fit.window_s:.3f} s a window and {1000 * clip.fit.token_s:.2f} ms a token "
        f"on the reference, fitted over {len(clip.fit.deviations)} clips ({off})"
    )


def _condition(report: PredictionReport) -> str:
    """Say what an interval of single runs does not include."""
    if all(case.samples == "runs" for case in report.cases):
        return ""
    return ", without the difference between runs (ratio --all-runs includes it)"


def mismatch_lines(allowed: Iterable[Mismatch]) -> list[str]:
    """Return the allowed mismatches, one per line."""
    return [f"! allowed, {mismatch}" for mismatch in allowed]


def interval_title(report: RatioReport) -> str:
    """Name the interval's column."""
    return f"{report.cases[0].confidence:.0%} interval"


def _row(case: CaseRatio) -> tuple[str, ...]:
    ratio = case.estimate
    return (
        case.label,
        f"{case.reference.latency_s:.3f} s",
        f"{case.target.latency_s:.3f} s",
        str(case.validity) if ratio is None else f"{ratio.value:.3f}",
        NO_RATIO if ratio is None else ratio.interval(),
        f"{_count(case.reference, case)} and {_count(case.target, case)}",
        NO_RATIO if case.cpu is None else str(case.cpu),
    )


def _count(side: CaseSide, case: CaseRatio) -> int:
    return side.runs if case.samples == "runs" else side.processes


def _headline_row(report: RatioReport) -> tuple[str, ...]:
    headline = report.headline
    ratio, interval = (
        ("INVALID", NO_RATIO)
        if headline is None
        else (f"{headline.value:.3f}", headline.interval())
    )
    marked = "" if report.validity is Validity.VALID else str(report.validity)
    return "geometric mean", "", "", ratio, interval, marked, ""


def _meaning(report: RatioReport) -> Iterable[str]:
    reference, target = report.reference.name, report.target.name
    if report.headline is not None:
        ratio = report.headline.value
        formula = f"rps on {target} = rps on {reference} / {ratio:.3f}"
        alike = not {"cpu_limit", "threads"} & {
            mismatch.field for mismatch in report.allowed_mismatches
        }
        one_cpu = all(case.identity.cpu_limit == 1 for case in report.cases)
        unit = "one CPU of" if alike and one_cpu else "one"
        yield f"{unit} {reference} does the work of {ratio:.2f} of {target}: {formula}"
    unsplit = [case.label for case in report.cases if not case.is_at_equal_work]
    if unsplit:
        yield f"! {AS_MEASURED} [{', '.join(unsplit)}]"
    for case in report.cases:
        if case.reason is not None:
            yield f"! {case.label}: {case.validity}: {case.reason}"


def warning_lines(warnings: Iterable[tuple[str, str, str]]) -> list[str]:
    """Say each warning of a run once, with the cases that it is true of: (run, warning, case)."""
    cases: dict[tuple[str, str], list[str]] = {}
    for run, warning, case in warnings:
        cases.setdefault((run, warning), []).append(case)
    return [f"! {run}: {warning} [{', '.join(names)}]" for (run, warning), names in cases.items()]


def _warnings(report: RatioReport) -> list[str]:
    names = report.reference.name, report.target.name
    roles = names if names[0] != names[1] else (f"reference {names[0]}", f"target {names[1]}")
    return warning_lines(
        (role, warning, case.label)
        for case in report.cases
        for role, side in zip(roles, (case.reference, case.target), strict=True)
        for warning in side.warnings
    )


def _contended(case: CaseRatio) -> bool:
    sides: tuple[CaseSide, CaseSide] = case.reference, case.target
    return any(side.contended_rounds for side in sides)


def _predicted(case: Prediction) -> tuple[str, ...]:
    return (
        case.label,
        f"{case.measured_s:.3f} s",
        f"{case.ratio.value:.3f}",
        f"{case.latency_s.value:.3f} s",
        f"{case.latency_s.interval()} s",
        f"{case.rps.value:.4f}",
        case.rps.interval(4),
    )
