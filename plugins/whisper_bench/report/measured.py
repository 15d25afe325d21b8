"""The basis of a sizing: measured latencies, throttling, ratio, and the cases to choose from."""

import statistics
from collections.abc import Sequence

from whisper_bench.ratio.report import CaseRatio, Validity
from whisper_bench.report.document import Block, Bullets, Plot, Section, Table
from whisper_bench.report.words import NOT_MEASURED, seconds_text
from whisper_bench.sizing.service import OfLength
from whisper_bench.sizing.sizing import Sizing
from whisper_bench.sizing.sizing_report import Basis, Candidate, SizingReport
from whisper_bench.stats.interval import Estimate
from whisper_bench.stats.quantile import percentile, samples_needed
from whisper_bench.text.amounts import count_text
from whisper_bench.throttling.judge import Recommendation
from whisper_bench.throttling.verdict import THROTTLED_SHARE, CaseVerdict

_RANKS = {"fastest": 0.0, "p50": 50.0, "p90": 90.0, "p95": 95.0, "slowest": 100.0}


def latency_section(basis: Basis) -> Section:
    """Return the distribution of the measured rounds."""
    run, samples_s = basis.run, basis.latencies_s
    count, mean_s = len(samples_s), statistics.fmean(samples_s)
    spread = f"{statistics.stdev(samples_s) / mean_s:.1%} of the mean" if count > 1 else "unknown"
    rows = [("mean", _measured_text(mean_s)), ("standard deviation", spread)]
    for name, percent in _RANKS.items():
        rows.append((name, _measured_text(percentile(samples_s, percent))))
    intro = (
        f"{basis.case}, a clip of {basis.clip_duration_s:g} s, one request at a time on "
        f"{run.cpu_model} ({run.architecture}), {run.moment:%Y-%m-%d}."
    )
    blocks: list[Block] = [
        intro,
        Table("Measured latency", (count_text(count, "round"), "latency"), rows),
    ]
    if count < samples_needed(95):
        blocks.append(
            f"With {count_text(count, 'round')} little is known of the slowest requests: with 95% "
            f"confidence it takes {samples_needed(95)} for one beyond p95, {samples_needed(99)} "
            "for one beyond p99."
        )
    label = f"Histogram of {count_text(count, 'measured round')}"
    caption = "Each tick below the bars is a round."
    return Section("Measured latency", [*blocks, Plot("latency", f"{label}.", caption)])


def work_section(sizing: Sizing) -> Section | None:
    """Return where the time of each length goes, and what an hour of it costs; None if unknown."""
    rows, title = work_rows(sizing), "Where the time goes"
    if not rows:
        return None
    intro = (
        "A request takes its windows of 30 s in the encoder, with a small rest, and its tokens in "
        "the decoder."
    )
    return Section(title, [intro, Table(title, rows[0], rows[1:])])


def work_rows(sizing: Sizing) -> list[tuple[str, ...]]:
    """Return a head and a row for each length of audio; empty where the work is unknown."""
    lengths = [] if sizing.service is None else sizing.service.by_length(sizing.load)
    if not lengths:
        return []
    price, whole = sizing.price_per_audio_hour, sum(length.share for length in lengths)
    head = ("audio", "requests", "windows", "tokens", "service time", "encoder", "decoder")
    rows = [
        (
            f"{length.audio_s:g} s",
            f"{length.share / whole:.0%}",
            f"{length.windows}",
            f"{length.tokens:.0f}",
            seconds_text(length.mean_s),
            f"{length.encoder_s / length.mean_s:.0%}",
            f"{length.decoder_s / length.mean_s:.0%}",
            *([] if price is None else [f"{price * _dearer(length, lengths):.4g}"]),
        )
        for length in lengths
    ]
    return [(*head, *([] if price is None else ["an hour of it costs"])), *rows]


def _dearer(length: OfLength, lengths: Sequence[OfLength]) -> float:
    """Return how much dearer a second of this length is than one of all audio."""
    work_s = sum(other.share * other.mean_s for other in lengths)
    audio_s = sum(other.share * other.audio_s for other in lengths)
    return length.mean_s / length.audio_s / (work_s / audio_s)


def throttling_section(report: SizingReport) -> Section:
    """Return the verdicts, their evidence, and the threads to deploy."""
    title = "Threads and throttling"
    cases, recommended = _of_model(report)
    if not cases:
        return Section(title, ["No case was judged."])
    head = ("case", "verdict", "periods throttled", "latency", "CPU time")
    rows = [_verdict_row(case) for case in cases]
    evidence = [f"{case.label}: {text}" for case in cases for text in case.evidence]
    blocks: list[Block] = [
        Table(title, head, rows),
        *(_fastest_text(recommendation, report) for recommendation in recommended),
    ]
    if report.basis.extrapolated:
        blocks.insert(0, f"Judged on {report.basis.run.name}'s run, not on the production machine.")
    if plotted_verdicts(report):
        label = "Share of throttled periods by number of threads."
        caption = (
            f"At {THROTTLED_SHARE:.0%} or more a case is throttled and not used for the sizing."
        )
        blocks.append(Plot("throttling", label, caption))
    else:
        why = ", ".join(sorted({case.no_periods for case in cases}))
        blocks.append(f"There is no share of throttled periods to plot: {why}.")
    return Section(title, [*blocks, "Evidence:", Bullets(evidence)] if evidence else blocks)


def _fastest_text(recommendation: Recommendation, report: SizingReport) -> str:
    """Say which threads answer fastest; a sizing may use others, with fewer CPUs in total."""
    case = f"{recommendation.model} on {recommendation.clip}"
    if recommendation.threads is None:
        return f"No number of threads can be recommended for {case}: {recommendation.reason}."
    threads = count_text(recommendation.threads, "thread")
    text = f"For latency alone, {case} is best with {threads}: {recommendation.reason}."
    if recommendation.threads in {
        candidate.threads for candidate in report.candidates if candidate.case == report.basis.case
    }:
        return text
    return f"{text} The sizing uses {report.basis.case}: see Cases to choose from."


def plotted_verdicts(report: SizingReport) -> list[CaseVerdict]:
    """Return the verdicts on the model and clip of the sizing, if a share is known."""
    return [case for case in _of_model(report)[0] if case.throttled_share is not None]


def _of_model(report: SizingReport) -> tuple[list[CaseVerdict], list[Recommendation]]:
    """Return verdicts and recommendations for the sizing's model and clip; runs may have others."""
    throttling = report.throttling
    of = {(case.model, case.clip) for case in throttling.cases if case.label == report.basis.case}
    return (
        [case for case in throttling.cases if (case.model, case.clip) in of],
        [
            recommendation
            for recommendation in throttling.recommended
            if (recommendation.model, recommendation.clip) in of
        ],
    )


def ratio_section(basis: Basis) -> Section | None:
    """Return the ratio that the latency was taken from; None if the machine was measured."""
    ratio, estimate, title = basis.ratio, basis.estimate, "Ratio"
    if ratio is None or estimate is None:
        return None
    used = f"Service times are the measured ones times {basis.factor:.3f}"
    head = ("time", "ratio", f"{estimate.confidence:.0%} interval", "reference", "target")
    blocks: list[Block] = [
        f"{NOT_MEASURED}. {used}, the upper end of the interval.",
        Table(title, head, _ratio_rows(ratio, estimate)),
        f"From {ratio.reference.processes} and {ratio.target.processes} processes.",
    ]
    if ratio.validity is Validity.WITHIN_RUN:
        blocks.append(f"{ratio.validity}: one process on a side, so the interval is too narrow.")
    interval = f"its interval, {estimate.interval()}"
    label = f"Ratio {estimate.value:.3f} with {interval}; sized on {basis.factor:.3f}."
    caption = "1 is the same speed; to the right the production machine is slower."
    return Section(title, [*blocks, Plot("ratio", label, caption)])


def candidates_section(report: SizingReport) -> Section:
    """Return what each measured case would need."""
    title = "Cases to choose from"
    costs = "replicas", "CPU per Pod", "total CPUs", "MiB per Pod"
    head = ("case", "verdict", "mean", *costs, "used")
    rows = [_candidate_row(candidate, report.basis.case) for candidate in report.candidates]
    if not rows:
        return Section(title, ["No other case was measured."])
    sized_on = "The sizing uses the case with the fewest CPUs in total"
    if all(candidate.replicas is None for candidate in report.candidates):
        sized_on = (
            "No number of Pods is enough: the sizing uses the case with the shortest service time"
        )
    why = f"{sized_on}; a case that is throttled or too slow has no replicas."
    names = [candidate.case for candidate in report.candidates]
    chosen = names.index(report.basis.case) if report.basis.case in names else None
    return Section(title, [Table(title, head, rows, chosen=chosen), why])


def _ratio_rows(ratio: CaseRatio, latency: Estimate) -> Sequence[tuple[str, ...]]:
    sides = ratio.reference, ratio.target
    latency_s, cpu_s = [side.latency_s for side in sides], [side.cpu_s for side in sides]
    figures = (("latency", latency, latency_s), ("CPU time", ratio.cpu, cpu_s))
    return [
        (name, f"{estimate.value:.3f}", estimate.interval(), *map(_measured_text, means_s))
        for name, estimate, means_s in figures
        if estimate is not None
    ]


def _measured_text(value_s: float | None) -> str:
    return "unknown" if value_s is None else f"{value_s:.3f} s"


def _verdict_row(case: CaseVerdict) -> tuple[str, ...]:
    counters, share = case.counters, case.throttled_share
    periods = case.no_periods
    if counters is not None and share is not None:
        periods = f"{counters.throttled_periods}/{counters.periods} ({share:.1%})"
    times = map(_measured_text, (case.latency_s, case.cpu_s))
    return case.label, str(case.verdict), periods, *times


def _candidate_row(candidate: Candidate, chosen: str) -> tuple[str, ...]:
    values: Sequence[object | None] = (
        candidate.replicas,
        candidate.cpu,
        candidate.cpus_in_all,
        candidate.memory_mib,
    )
    figures = ("none" if value is None else str(value) for value in values)
    mark = "yes" if candidate.case == chosen else "no"
    return candidate.case, str(candidate.verdict), seconds_text(candidate.mean_s), *figures, mark
