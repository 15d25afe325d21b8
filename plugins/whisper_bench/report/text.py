"""A sizing as the terminal shows it."""

import statistics
import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby

from whisper_bench.report.measured import work_rows
from whisper_bench.report.predicted import at_the_peak, breaking_text
from whisper_bench.report.words import (
    bound_text,
    extrapolation_text,
    headline,
    limited_text,
    load_text,
    met_text,
    mix_text,
    node_text,
    nodes_text,
    objective_text,
    policy_text,
    seconds_text,
)
from whisper_bench.sizing.demand import Objective
from whisper_bench.sizing.estimate import Predicted
from whisper_bench.sizing.sizing import CrossCheck, Sensitivity, Sizing
from whisper_bench.sizing.sizing_report import Basis, Candidate, SizingReport
from whisper_bench.stats.quantile import percentile
from whisper_bench.text.amounts import count_text
from whisper_bench.text.table import table_lines

COLUMNS = 120


def sizing_lines(report: SizingReport) -> list[str]:
    """Return the answer, its basis, its sensitivity, and warnings."""
    sizing = report.sizing
    return [
        *_wrapped(headline(sizing)),
        *_wrapped(node_text(report.basis)),
        *_why(sizing),
        *_wrapped(extrapolation_text(report.basis)),
        "",
        *_inputs(report),
        *_block(_predictions(sizing)),
        *(_cross_check(sizing.cross_check, sizing) if sizing.cross_check else ()),
        *_block(_work(sizing)),
        *_block(_candidates(report.candidates, report.basis.case)),
        *_block(_sensitivity(sizing.sensitivity)),
        *_block(line for text in report.warnings for line in _wrapped(f"! {text}")),
    ]


def _wrapped(text: str | None, indent: str = "  ") -> list[str]:
    return textwrap.wrap(text or "", COLUMNS, subsequent_indent=indent, break_on_hyphens=False)


def _block(lines: Iterable[str]) -> list[str]:
    """Return lines with an empty one before them, if there are any."""
    shown = list(lines)
    return ["", *shown] if shown else []


def _why(sizing: Sizing) -> Iterable[str]:
    if sizing.feasible:
        yield from _wrapped(sizing.reason)
        yield from _wrapped(bound_text(sizing))
    elif sizing.advice:
        yield "what would help:"
        yield from (line for text in sizing.advice for line in _wrapped(f"- {text}"))


def _inputs(report: SizingReport) -> Iterable[str]:
    sizing = report.sizing
    rows = [
        ("measured", _measured(report.basis)),
        ("load", load_text(sizing.load)),
        ("audio", mix_text(sizing.load, sizing.service)),
        ("objective", objective_text(sizing.objective)),
        ("policy", policy_text(sizing.policy)),
    ]
    if sizing.hpa_utilisation_percent is not None:
        scaling = f"{sizing.hpa_utilisation_percent}% CPU utilisation"
        rows.append(("scale out", f"above {scaling} (HPA, minReplicas {sizing.replicas})"))
    if nodes := nodes_text(sizing):
        rows.append(("nodes", nodes))
    if sizing.price_per_audio_hour is not None:
        rows.append(("price", f"{sizing.price_per_audio_hour:.4g} per hour of audio"))
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        yield from _wrapped(f"{name.ljust(width)}  {text}", " " * (width + 2))


def _measured(basis: Basis) -> str:
    run, samples_s = basis.run, basis.latencies_s
    return (
        f"{basis.case} of {run.name}, {run.moment:%Y-%m-%d}, {run.architecture}, {run.cpu_model}: "
        f"{count_text(len(samples_s), 'round')}, mean {seconds_text(statistics.fmean(samples_s))}, "
        f"p95 {seconds_text(percentile(samples_s, 95))}"
    )


def _predictions(sizing: Sizing) -> list[str]:
    objective = sizing.objective
    if objective is None:
        return []
    head = (
        "predicted",
        "Pods",
        "utilisation",
        "p50",
        "p95",
        "p99",
        f"{objective.name} at most",
        "meets objective",
    )
    rows = [
        (title, *_figures(predicted, objective), met_text(predicted, objective))
        for title, predicted in at_the_peak(sizing)
    ]
    if not rows:
        return []
    return [*table_lines([head, *rows]), *_wrapped(breaking_text(sizing, objective))]


def _work(sizing: Sizing) -> list[str]:
    rows = work_rows(sizing)
    return list(table_lines(rows)) if rows else []


def _figures(predicted: Predicted, objective: Objective) -> tuple[str, ...]:
    times = map(seconds_text, (predicted.p50_s, predicted.p95_s, predicted.p99_s))
    bound = limited_text(objective, predicted.high_s)
    return (str(predicted.pods), f"{predicted.utilisation:.0%}", *times, bound)


def _cross_check(check: CrossCheck, sizing: Sizing) -> Iterable[str]:
    text = (
        f"cross-check, {sizing.needed} Pods behind one queue: mean wait "
        f"{seconds_text(check.erlang_c_wait_s)} by Erlang C, "
        f"{seconds_text(check.allen_cunneen_wait_s)} by Allen-Cunneen, "
        f"{seconds_text(check.simulated_wait_s)} simulated"
    )
    return _wrapped(text)


def _candidates(candidates: Sequence[Candidate], chosen: str) -> list[str]:
    if not candidates:
        return []
    head = ("candidate", "verdict", "mean", "Pods", "CPU each", "total CPUs", "MiB each", "")
    rows = [
        (
            candidate.case,
            str(candidate.verdict),
            seconds_text(candidate.mean_s),
            "none" if candidate.replicas is None else str(candidate.replicas),
            str(candidate.cpu),
            "" if candidate.cpus_in_all is None else str(candidate.cpus_in_all),
            str(candidate.memory_mib),
            "chosen" if candidate.case == chosen else "",
        )
        for candidate in candidates
    ]
    return table_lines([head, *rows])


def _sensitivity(changes: Sequence[Sensitivity]) -> list[str]:
    """Return two rows for each input: its values, and the Pods for each."""
    rows: list[list[str]] = []
    for changed, group in groupby(changes, key=lambda change: change.changed):
        members = list(group)
        rows.append([f"if {changed}", *(f"{change.value:.4g}" for change in members)])
        pods = ("none" if change.replicas is None else str(change.replicas) for change in members)
        rows.append(["  Pods", *pods])
    if not rows:
        return []
    longest = max(map(len, rows))
    return table_lines([row + [""] * (longest - len(row)) for row in rows])
