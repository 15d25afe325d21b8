"""The plots of a sizing report, as SVG."""

import statistics
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from whisper_bench.report.document import Plot
from whisper_bench.report.measured import plotted_verdicts
from whisper_bench.report.predicted import load_curve, pods_curve
from whisper_bench.report.sections import document_of
from whisper_bench.report.svg import COLOURS, figure_of, svg_of
from whisper_bench.report.words import changed_text
from whisper_bench.sizing.demand import Objective
from whisper_bench.sizing.estimate import Predicted
from whisper_bench.sizing.sizing_report import SizingReport
from whisper_bench.stats.quantile import percentile
from whisper_bench.text.amounts import count_text
from whisper_bench.text.plain import plain
from whisper_bench.throttling.verdict import THROTTLED_SHARE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_MOST_LIMITS = 2.5
"""Largest height of a plot, in objectives; higher values are cut off."""
_PAPER = {"facecolor": COLOURS["card"], "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
"""Background of text that lines may cross."""
_CURVES = {"p50": "o", "p95": "s", "p99": "^"}
_Side = Literal["left", "right"]
_PLACES: list[tuple[_Side, bool]] = [
    ("left", True), ("right", True), ("left", False), ("right", False),
]  # fmt: skip
_LETTER, _LINE, _STEPS = 0.022, 0.11, 20
"""Width of a letter and height of a line, as shares of the axes; points to look for curves."""
Draw = Callable[["Axes", SizingReport], None]


def plots_of(report: SizingReport) -> dict[str, str]:
    """Return the plots that the report's document has, by name."""
    blocks = [block for section in document_of(report).sections for block in section.blocks]
    return {block.name: _drawn(block.name, report) for block in blocks if isinstance(block, Plot)}


def _drawn(name: str, report: SizingReport) -> str:
    height_pt, draw = PLOTS[name]
    if name == "sensitivity":
        height_pt += 22 * len(report.sizing.sensitivity)
    if name == "throttling":
        height_pt += 44 * len(plotted_verdicts(report))
    with figure_of(height_pt) as figure:
        draw(figure.add_subplot(), report)
        return svg_of(figure, name)


def _latency(axes: "Axes", report: SizingReport) -> None:
    samples_s = report.basis.latencies_s
    axes.hist(samples_s, bins="sturges", color=COLOURS["bar"])
    axes.plot(
        samples_s, [-0.03] * len(samples_s), "|", color=COLOURS["ink"], clip_on=False,
        transform=axes.get_xaxis_transform(),
    )  # fmt: skip
    mean_s, p95_s = statistics.fmean(samples_s), percentile(samples_s, 95)
    axes.axvline(mean_s, color=COLOURS["ink"], label=f"mean {mean_s:.3f} s")
    axes.axvline(p95_s, color=COLOURS["p95"], linestyle="--", label=f"p95 {p95_s:.3f} s")
    axes.tick_params(axis="x", pad=9)
    _whole(axes.yaxis)
    axes.set(xlabel="latency of a round, measured (s)", ylabel="rounds")
    _legend(axes)


def _throttling(axes: "Axes", report: SizingReport) -> None:
    cases = plotted_verdicts(report)[::-1]
    names = [f"{count_text(case.threads, 'thread')}\n{case.verdict}" for case in cases]
    shares = [100 * (case.throttled_share or 0.0) for case in cases]
    axes.barh(names, shares, height=0.5, color=COLOURS["bar"])
    for place, share in enumerate(shares):
        axes.annotate(
            f"{share:.1f}%", (share, place), xytext=(5, 0), textcoords="offset points", va="center"
        )
    limit = 100 * THROTTLED_SHARE
    axes.axvline(
        limit, color=COLOURS["limit"], linestyle="--", label=f"throttled from {limit:.0f}%"
    )
    axes.set(xlabel="periods throttled (%)", xlim=(0, 115), xticks=range(0, 101, 25))
    axes.set_ylim(-0.6, len(cases) - 0.4)
    _legend(axes)


def _ratio(axes: "Axes", report: SizingReport) -> None:
    ratio, factor = report.basis.ratio, report.basis.factor
    assert ratio is not None
    figures = {"latency": ratio.estimate, "CPU-s": ratio.cpu}
    rows = [(name, estimate) for name, estimate in figures.items() if estimate is not None]
    for place, (_, estimate) in enumerate(rows):
        value = estimate.value
        axes.errorbar(
            value, -place, xerr=[[value - estimate.low], [estimate.high - value]], fmt="o",
            capsize=5, color=COLOURS["p50"],
        )  # fmt: skip
        axes.annotate(
            str(estimate), (value, -place), xytext=(0, 9), textcoords="offset points",
            ha="center", bbox=_PAPER,
        )  # fmt: skip
    axes.axvline(factor, color=COLOURS["mark"], label=f"sized on {factor:.3f}")
    axes.axvline(1, color=COLOURS["soft"], linestyle=":", label="1: the same speed")
    axes.set(xlabel="ratio: latency on production / measured", ylim=(0.6 - len(rows), 0.7))
    axes.set_yticks([-place for place in range(len(rows))], [row[0] for row in rows])
    axes.margins(x=0.2)
    _legend(axes)


def _pods(axes: "Axes", report: SizingReport) -> None:
    sizing = report.sizing
    assert sizing.objective is not None
    points = pods_curve(sizing)
    _curves(axes, [float(point.pods) for point in points], points, sizing.objective)
    _objective(axes, sizing.objective, points, sizing.whole)
    if sizing.needed is not None and sizing.needed != sizing.replicas:
        _mark(axes, sizing.needed, f"{sizing.needed} needed ", "right")
    if sizing.replicas is not None:
        _mark(axes, sizing.replicas, f" {sizing.replicas} deployed", "left")
    _whole(axes.xaxis)
    axes.set(xlabel="Pods", ylabel=_answer_label(sizing.objective))
    _legend(axes, above=True)


def _load(axes: "Axes", report: SizingReport) -> None:
    sizing = report.sizing
    assert sizing.objective is not None
    points = load_curve(sizing)
    _curves(axes, [point.target_rps for point in points], points, sizing.objective)
    axes.set_xlim(left=0)
    _objective(axes, sizing.objective, points, sizing.without_spares)
    _mark(axes, sizing.load.target_rps, f"target {sizing.load.target_rps:g}", "center")
    axes.set(xlabel="requests/s", ylabel=_answer_label(sizing.objective))
    _legend(axes, above=True)


def _curves(
    axes: "Axes", places: Sequence[float], points: Sequence[Predicted], objective: Objective
) -> None:
    for name, marker in _CURVES.items():
        if objective.per_audio_s and name != f"p{objective.percent:g}":
            continue  # only what is limited was simulated over the length of the audio
        values = [_height(point, name, objective) for point in points]
        heights = [float("nan") if value is None else value for value in values]
        axes.plot(places, heights, marker=marker, markersize=4, color=COLOURS[name], label=name)
    axes.grid(axis="y")


def _height(point: Predicted, name: str, objective: Objective) -> float | None:
    value: float | None = getattr(point, f"{name}_s")
    return point.objective_s if objective.per_audio_s else value


def _answer_label(objective: Objective) -> str:
    return "real-time factor" if objective.per_audio_s else "arrival to answer (s)"


def _objective(
    axes: "Axes",
    objective: Objective,
    points: Sequence[Predicted],
    chosen: Predicted | None,
) -> None:
    """Draw the objective's line, and limit the plot's height."""
    values = [_height(point, "p99", objective) for point in points]
    value = None if chosen is None else _height(chosen, "p99", objective)
    known = [height for height in [*values, value] if height is not None]
    least = 0.0 if value is None else 1.15 * value
    highest = min(1.1 * max(known, default=0.0), max(_MOST_LIMITS * objective.limit_s, least))
    axes.set_ylim(0, max(highest, 1.2 * objective.limit_s))
    line = axes.axhline(objective.limit_s, color=COLOURS["limit"], linestyle="--")
    limit = objective.limit
    text = f"objective {objective.name} ≤ {limit}"
    place = _free_place(axes, objective.limit_s, len(text))
    if place is None:
        line.set_label(f"objective {limit}")  # then the legend has it
        return
    side, above = place
    axes.annotate(
        text, (0.02 if side == "left" else 0.98, objective.limit_s),
        xycoords=("axes fraction", "data"), xytext=(0, 5 if above else -5),
        textcoords="offset points", ha=side, va="bottom" if above else "top",
        color=COLOURS["limit"], bbox=_PAPER, zorder=1,
    )  # fmt: skip


def _free_place(axes: "Axes", height: float, letters: int) -> tuple[_Side, bool] | None:
    """Return a place for text at a horizontal line that no curve crosses: side, and if above."""
    left, right = axes.get_xlim()
    wide, high = letters * _LETTER * (right - left), _LINE * axes.get_ylim()[1]

    def free(side: _Side, *, above: bool) -> bool:
        start = left if side == "left" else right - wide
        at = [start + wide * step / _STEPS for step in range(_STEPS + 1)]
        low = height if above else height - high
        curves = [line for line in axes.lines if line.get_label() in _CURVES]
        heights = [
            y
            for line in curves
            for y in np.interp(at, np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
        ]
        return not any(low <= y <= low + high for y in heights)

    return next((place for place in _PLACES if free(place[0], above=place[1])), None)


def _mark(axes: "Axes", place: float, text: str, side: str) -> None:
    """Mark what was chosen, its name above the axes."""
    axes.axvline(place, color=COLOURS["mark"], linewidth=1.5, zorder=0.9)
    axes.annotate(
        text, (place, 1), xycoords=("data", "axes fraction"), xytext=(0, 3),
        textcoords="offset points", ha=side, color=COLOURS["mark"], fontweight="bold",
    )  # fmt: skip


def _sensitivity(axes: "Axes", report: SizingReport) -> None:
    rows, deployed = report.sizing.sensitivity[::-1], report.sizing.replicas
    names = [plain(changed_text(change)) for change in rows]
    axes.barh(range(len(rows)), [change.replicas or 0 for change in rows], color=COLOURS["bar"])
    for place, change in enumerate(rows):
        axes.annotate(
            "none is enough" if change.replicas is None else str(change.replicas),
            (change.replicas or 0, place), xytext=(4, 0), textcoords="offset points", va="center",
            bbox=_PAPER,
        )  # fmt: skip
    if deployed is not None:
        axes.axvline(deployed, color=COLOURS["mark"], label=f"{deployed} deployed")
        _legend(axes)
    axes.set_yticks(range(len(rows)), names)
    _whole(axes.xaxis)
    axes.margins(x=0.12, y=0.02)
    axes.set(xlabel="replicas, with spare ones")


def _whole(axis: "Axis") -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", integer=True))


def _legend(axes: "Axes", *, above: bool = False) -> None:
    """Put the legend above the axes, so that it covers nothing."""
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.02, 1.07 if above else 1.0), ncols=4, borderpad=0.2,
        handlelength=1.3, columnspacing=1, handletextpad=0.5,
    )  # fmt: skip


PLOTS: dict[str, tuple[float, Draw]] = {
    "latency": (250, _latency),
    "throttling": (90, _throttling),
    "ratio": (150, _ratio),
    "pods": (280, _pods),
    "load": (280, _load),
    "sensitivity": (70, _sensitivity),
}
"""Height in points, and what draws it."""
