"""A matplotlib figure as SVG inside a page, with the page's colours and fonts."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_PT = 380.0
"""Wide enough for a phone without text that becomes too small."""
_POINTS_AN_INCH = 72
TEXT_PT = 12
COLOURS = {
    name: f"#0101{place:02x}"
    for place, name in enumerate(
        ("ink", "soft", "line", "card", "p50", "p95", "p99", "limit", "mark", "bar"), start=16
    )
}
"""Placeholders for the CSS variables of the page, which differ in dark mode."""
_SETTINGS: dict[Any, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "whisper-bench",
    "font.family": ["DejaVu Sans"],  # matplotlib's own, so that every machine lays text out alike
    "font.size": TEXT_PT,
    "axes.labelsize": TEXT_PT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": COLOURS["soft"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.axisbelow": True,
    "text.color": COLOURS["ink"],
    "text.parse_math": False,
    "xtick.color": COLOURS["soft"],
    "ytick.color": COLOURS["soft"],
    "xtick.labelcolor": COLOURS["ink"],
    "ytick.labelcolor": COLOURS["ink"],
    "grid.color": COLOURS["line"],
    "legend.frameon": False,
    "legend.fontsize": TEXT_PT,
}


@contextmanager
def figure_of(height_pt: float) -> "Iterator[Figure]":
    """Give a figure to draw on, whatever the user's matplotlibrc says."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        size = WIDTH_PT / _POINTS_AN_INCH, height_pt / _POINTS_AN_INCH
        yield Figure(figsize=size, layout="constrained", facecolor="none")


def svg_of(figure: "Figure", name: str) -> str:
    """Return a figure as an element; ids begin with its name, to be unique in a page."""
    buffer = io.StringIO()
    no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=no_metadata, transparent=True)
    return _for_page(buffer.getvalue(), name)


def _for_page(text: str, name: str) -> str:
    svg = text[text.index("<svg") :].strip()
    # a style inside an SVG would apply to the whole page; report.css has its rules
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<svg [^>]*viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1">', svg, count=1)
    svg = svg.replace("xlink:href=", "href=")
    used = set(re.findall(r'(?:href="|url\()#([\w-]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda match: _id(name, match[1], used), svg)
    svg = re.sub(r'(href="|url\()#', rf"\g<1>#{name}-", svg)
    svg = re.sub(r"'DejaVu Sans'(, sans-serif)?", "system-ui, sans-serif", svg)
    for role, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--{role})")
    return svg


def _id(name: str, identifier: str, used: set[str]) -> str:
    return f' id="{name}-{identifier}"' if identifier in used else ""
