"""Predicted latency: at the peak, with fewer or more Pods, under less or more load."""

from collections.abc import Iterable

from whisper_bench.report.document import Block, Plot, Section, Table
from whisper_bench.report.words import (
    changed_text,
    limited_text,
    met_text,
    objective_text,
    seconds_text,
)
from whisper_bench.sizing.bounds import POISSON
from whisper_bench.sizing.demand import Objective
from whisper_bench.sizing.estimate import Predicted
from whisper_bench.sizing.sizing import Sensitivity, Sizing
from whisper_bench.sizing.sizing_report import SizingReport
from whisper_bench.text.amounts import count_text

_NO_OBJECTIVE = "No latency objective was given, so no latency was predicted."
_EXPECTED = {
    True: "The simulation should be near Allen-Cunneen.",
    False: "For bursts both formulas are rough, and too low for many Pods: use the simulation.",
}
_NO_CURVE = "No other numbers were tried."


def prediction_section(sizing: Sizing) -> Section:
    """Return the percentiles with all Pods, and without the spare ones."""
    title, objective = "Predicted at the peak", sizing.objective
    if objective is None:
        return Section(title, [_NO_OBJECTIVE])
    rows = [
        (name, str(predicted.pods), *_figures(predicted, objective), met_text(predicted, objective))
        for name, predicted in at_the_peak(sizing)
    ]
    blocks: list[Block] = []
    if rows:
        blocks.append(Table(title, ("state", "Pods", *_head(objective)), rows))
        name = objective.name
        factor = ""
        if objective.per_audio_s:
            factor = "RTF, the real-time factor, is these seconds over those of the audio; "
        blocks.append(
            f"Seconds from arrival to answer; {factor}{name} ≤ is the upper error bound of the "
            f"simulated {name}; the last column says whether it is within {objective.limit}."
        )
    else:
        blocks.append("Nothing to predict: no number of Pods that was tried meets the objective.")
    if sizing.service_percentile_s is not None:
        blocks.append(
            f"{objective.name} of the service time alone, without any waiting, is "
            f"{limited_text(objective, sizing.service_percentile_s)}: no number of Pods is faster."
        )
    return Section(title, blocks)


def at_the_peak(sizing: Sizing) -> Iterable[tuple[str, Predicted]]:
    """Return the predictions for all Pods, and for those without the spare ones."""
    spares = sizing.policy.reserve
    if sizing.whole is not None:
        yield "all Pods", sizing.whole
    if sizing.without_spares is not None and spares:
        yield "without spares", sizing.without_spares


def pods_section(sizing: Sizing) -> Section | None:
    """Return the percentiles against the number of Pods."""
    title, objective = "By number of Pods", sizing.objective
    if objective is None:
        return None
    if not sizing.by_pods:
        return Section(title, [_NO_CURVE])
    points = pods_curve(sizing)
    marks = {sizing.needed: " (needed)", sizing.replicas: " (deployed)"}
    rows = [
        (
            f"{point.pods}{marks.get(point.pods, '')}",
            *_figures(point, objective),
            met_text(point, objective),
        )
        for point in points
    ]
    label = (
        f"Predicted {_curves(objective)} by number of Pods; {sizing.needed} are needed, "
        f"{sizing.replicas} deployed; the objective is {objective_text(objective)}."
    )
    caption = (
        f"At {sizing.load.target_rps:g} requests/s. Fewer Pods than the first point cannot keep up."
    )
    chosen = next(
        (place for place, point in enumerate(points) if point.pods == sizing.replicas), None
    )
    table = Table(title, ("Pods", *_head(objective)), rows, chosen=chosen)
    return Section(title, [Plot("pods", label, caption), table])


def pods_curve(sizing: Sizing) -> list[Predicted]:
    """Return the curve with the answer on it, which was simulated longer than the other points."""
    by_pods = {point.pods: point for point in sizing.by_pods}
    by_pods |= {
        point.pods: point for point in (sizing.without_spares, sizing.whole) if point is not None
    }
    return [by_pods[pods] for pods in sorted(by_pods)]


def load_curve(sizing: Sizing) -> list[Predicted]:
    """Return the curve against load, the target's point as it was simulated for the answer."""
    by_rps = {point.target_rps: point for point in sizing.by_rps}
    if sizing.without_spares is not None:
        by_rps[sizing.load.target_rps] = sizing.without_spares
    return [by_rps[rps] for rps in sorted(by_rps)]


def load_section(sizing: Sizing) -> Section | None:
    """Return the percentiles against the load, up to what the needed Pods can do."""
    title, objective = "By load", sizing.objective
    if objective is None or not sizing.feasible:
        return None
    if not sizing.by_rps:
        return Section(title, [_NO_CURVE])
    points, target_rps = load_curve(sizing), sizing.load.target_rps
    rows = [
        (
            f"{point.target_rps:.4g}{' (target)' if point.target_rps == target_rps else ''}",
            *_figures(point, objective),
            met_text(point, objective),
        )
        for point in points
    ]
    chosen = next(
        (place for place, point in enumerate(points) if point.target_rps == target_rps), None
    )
    pods = count_text(sizing.needed or 0, "Pod")
    label = (
        f"Predicted {_curves(objective)} of {pods} by requests per second; the target is "
        f"{target_rps:g}, the objective {objective_text(objective)}."
    )
    blocks: list[Block] = [
        breaking_text(sizing, objective),
        Plot("load", label, f"With the {pods} that are needed, without spare ones."),
        Table(title, ("requests/s", *_head(objective)), rows, chosen=chosen),
    ]
    return Section(title, blocks)


def breaking_text(sizing: Sizing, objective: Objective) -> str:
    """Say how much load the needed Pods can take."""
    pods = count_text(sizing.needed or 0, "Pod")
    breaking_rps = (sizing.needed or 0) * sizing.policy.concurrency / sizing.mean_service_s
    text = f"{pods} can take at most {breaking_rps:.3g} requests/s (always busy)"
    met = [point.target_rps for point in load_curve(sizing) if point.meets(objective)]
    if not met:
        return f"{text}."
    return f"{text}; {max(met):.3g} is the highest simulated load that meets the objective."


def sensitivity_section(report: SizingReport) -> Section | None:
    """Return the replicas that other inputs would need."""
    sizing, title = report.sizing, "Sensitivity"
    if not sizing.sensitivity:
        return None
    rows = [
        (changed_text(change), _replicas(change), _moved(change, sizing.replicas))
        for change in sizing.sensitivity
    ]
    blocks: list[Block] = [
        Plot(
            "sensitivity",
            f"Replicas needed if the load, the service time or the burstiness changes; "
            f"{sizing.replicas} are deployed.",
            "One input changes at a time; spare Pods are included.",
        ),
        Table(title, ("changed input", "replicas", "difference"), rows),
    ]
    if report.basis.extrapolated:
        blocks.append(
            f"The service time is the measured one times {report.basis.factor:.3f}: the row "
            f"of service time times 1.1 is for a ratio of {1.1 * report.basis.factor:.3f}."
        )
    return Section(title, blocks)


def _replicas(change: Sensitivity) -> str:
    return "none is enough" if change.replicas is None else str(change.replicas)


def _moved(change: Sensitivity, deployed: int | None) -> str:
    if change.replicas is None or deployed is None:
        return ""
    return f"{change.replicas - deployed:+d}" if change.replicas != deployed else "0"


def cross_check_section(sizing: Sizing) -> Section | None:
    """Return queueing theory beside the simulation."""
    check, title = sizing.cross_check, "Cross-check with queueing theory"
    if check is None:
        return None
    rows = [
        ("Erlang C (assumes exponential service times)", seconds_text(check.erlang_c_wait_s)),
        ("Allen-Cunneen (measured variability)", seconds_text(check.allen_cunneen_wait_s)),
        ("simulated", seconds_text(check.simulated_wait_s)),
    ]
    summary = (
        f"{sizing.needed} Pods behind one shared queue, {check.offered_load:.2f} Erlang offered; "
        f"by Erlang C a request waits with a probability of {check.wait_probability:.1%}."
    )
    blocks: list[Block] = [summary, Table(title, ("method", "mean wait"), rows)]
    if sizing.without_spares is not None:
        own = seconds_text(sizing.without_spares.mean_wait_s)
        blocks.append(
            f"{_EXPECTED[sizing.load.burstiness == POISSON]} With {sizing.policy.balancing} "
            f"balancing, as in the sizing, the mean wait is {own}."
        )
    return Section(title, blocks)


def _curves(objective: Objective) -> str:
    return objective.name if objective.per_audio_s else "p50, p95 and p99"


def _head(objective: Objective) -> tuple[str, ...]:
    bound = f"{objective.name} ≤{'' if objective.per_audio_s else ', s'}"
    return "busy", "p50, s", "p95, s", "p99, s", bound, "meets objective"


def _figures(predicted: Predicted, objective: Objective) -> tuple[str, ...]:
    times = (predicted.p50_s, predicted.p95_s, predicted.p99_s)
    texts = [*map(seconds_text, times), limited_text(objective, predicted.high_s)]
    return (f"{predicted.utilisation:.0%}", *(text.removesuffix(" s") for text in texts))
