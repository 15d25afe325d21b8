"""The HTML of a sizing: whole, safe, without a network, and as wide as its window."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import sizings
from support.chromium import needs_chromium, screenshot, scroll_widths_px
from whisper_bench.report.document import Document
from whisper_bench.report.html import html_page, html_report
from whisper_bench.report.plots import plots_of
from whisper_bench.report.sections import document_of
from whisper_bench.sizing.sizing import Sensitivity
from whisper_bench.text.plain import plain

KINDS = ["report", "extrapolated", "infeasible", "unstable", "by_rates", "real_time"]
VOID = {"meta", "br", "hr", "img", "link", "input"}
HOSTILE = "\"'><script>alert(1)</script> $x^2$ <b>&amp; \x00\x1b |"


class Parsed(HTMLParser):
    """Elements that were opened and closed, the text, and every id."""

    def __init__(self, page):
        super().__init__()
        self.open, self.ids, self.tags, self.text = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


pytestmark = pytest.mark.usefixtures("drawing_untraced")


@pytest.fixture(scope="module")
def pages(drawing_untraced):
    return {kind: html_report(getattr(sizings, kind)()) for kind in KINDS}


@pytest.fixture(scope="module")
def plots(drawing_untraced):
    return plots_of(sizings.extrapolated())


@pytest.mark.parametrize("kind", ["extrapolated", "infeasible"])
def test_page_is_the_golden_one(golden, pages, kind):
    page = re.sub(r"<svg.*?</svg>", "<svg></svg>", pages[kind], flags=re.DOTALL)
    page = re.sub(r"<style>.*</style>", "<style></style>", page, flags=re.DOTALL)
    golden(f"sizing_{kind}.html", page.rstrip("\n").split("\n"))


@pytest.mark.parametrize("kind", KINDS)
def test_page_is_well_formed(pages, kind):
    actual = Parsed(pages[kind])
    assert actual.open == []
    assert len(set(actual.ids)) == len(actual.ids)
    assert set(re.findall(r'(?:href="|url\()#([\w-]+)', pages[kind])) <= set(actual.ids)
    assert pages[kind].startswith('<!DOCTYPE html>\n<html lang="en">')
    assert {"title", "main", "header", "h1", "table"} <= set(actual.tags)


@pytest.mark.parametrize("kind", KINDS)
def test_page_loads_nothing(pages, kind):
    page = pages[kind]
    for word in ("http:", "https:", "src=", "<script", "<link", "@import", "@font-face", "//"):
        assert word not in page
    assert set(re.findall(r"url\((.)", page)) <= {"#"}


@pytest.mark.parametrize("kind", KINDS)
def test_plots_are_xml_with_a_label(pages, kind):
    plots = re.findall(r"<svg.*?</svg>", pages[kind], flags=re.DOTALL)
    for plot in plots:
        root = ET.fromstring(plot)  # noqa: S314 - our own
        assert root.get("role") == "img"
        assert root.get("aria-label")
        assert "#0101" not in plot  # every stand-in became a colour of the page


def test_the_same_sizing_gives_the_same_bytes(pages):
    assert html_report(sizings.extrapolated()) == pages["extrapolated"]


def test_matplotlibrc_changes_nothing(pages):
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 30, "axes.grid": True, "svg.fonttype": "path"}):
        assert html_report(sizings.report()) == pages["report"]
        assert mpl.rcParams["font.size"] == 30


TOLD = {
    "latency": ["mean 2.538 s", "p95 2.608 s", "rounds", "latency of a round, measured (s)"],
    "throttling": ["1 thread", "QUOTA_THROTTLED", "99.9%", "throttled from 25%"],
    "ratio": ["2.459 (2.313 to 2.615)", "sized on 2.615", "1: the same speed", "CPU-s"],
    "pods": ["objective p95 ≤ 20 s", "5 needed", "6 deployed", "Pods", "p99"],
    "load": ["objective p95 ≤ 20 s", "target 0.5", "requests/s"],
    "sensitivity": ["none is enough", "6 deployed", "service time \N{MULTIPLICATION SIGN} 1.2"],
}


@pytest.mark.parametrize(("name", "message"), TOLD.items())
def test_a_plot_shows_its_figures_as_text(plots, name, message):
    assert list(plots) == list(TOLD)
    texts = [(item.text or "").strip() for item in ET.fromstring(plots[name]).iter("text")]  # noqa: S314
    assert set(message) <= set(texts)


def test_objective_is_named_where_curves_leave_room_or_in_the_legend():
    steep = [sizings.predicted(pods) for pods in (4, 5, 6)]
    flat = [msgspec.structs.replace(item, p50_s=19.0, p95_s=21.0) for item in steep]
    for curve in (steep, flat):
        sizing = sizings.changed(by_pods=curve, whole=curve[-1], without_spares=curve[-2])
        plot = ET.fromstring(plots_of(sizings.report(sizing))["pods"])  # noqa: S314
        texts = [item.text for item in plot.iter("text")]
        assert ("objective p95 ≤ 20 s" in texts) != ("objective 20 s" in texts)


def test_plots_without_data_are_left_out():
    assert list(plots_of(sizings.infeasible())) == ["latency", "throttling"]
    assert list(plots_of(sizings.by_rates())) == ["latency"]
    no_cpu = plots_of(sizings.extrapolated(cpu=None))
    assert ">CPU-s<" not in no_cpu["ratio"]


def test_a_plot_of_infeasible_points_alone_has_the_objective_and_no_deployed_pods():
    sizing = sizings.changed(
        needed=None,
        replicas=None,
        whole=None,
        without_spares=None,
        by_pods=[sizings.predicted(2), sizings.predicted(3)],
    )
    plot = plots_of(sizings.report(sizing))["pods"]
    assert "objective p95 ≤ 20 s" in plot
    assert "deployed" not in plot


def test_no_data_becomes_markup_of_the_page():
    run = sizings.facts(HOSTILE, cpu_model=HOSTILE, where=HOSTILE, node=HOSTILE)
    basis = msgspec.structs.replace(sizings.extrapolated().basis, run=run, target=run)
    sizing = sizings.changed(
        reason=HOSTILE,
        pod=msgspec.structs.replace(sizings.POD, measured_on=HOSTILE),
        sensitivity=[Sensitivity("<b>$x^2$\x00", 1.0, 3)],
    )
    page = html_report(sizings.report(sizing, basis, warnings=[HOSTILE], tool_version=HOSTILE))
    actual = Parsed(page)
    assert actual.open == []
    assert not {"script", "b"} & set(actual.tags)
    assert "\x00" not in page
    assert "\x1b" not in page


@given(st.text())
def test_text_comes_back_as_it_was(text):
    page = html_page(Document("title", True, [text], []), {})  # noqa: FBT003
    assert plain(text) in "".join(Parsed(page).text)


def test_answer_stands_first(pages):
    body = pages["report"].partition("<body>")[2]
    assert body.index("Deploy 6 Pods of 1 CPU and 448 MiB") < body.index("<section")
    assert '<header class="no">' in pages["infeasible"]
    assert "Extrapolated: the production machine was not measured" in pages["extrapolated"]


def test_document_names_what_was_chosen():
    tables = [
        block
        for section in document_of(sizings.report()).sections
        for block in section.blocks
        if getattr(block, "chosen", None) is not None
    ]
    assert [item.rows[item.chosen][0] for item in tables] == [
        "base-t1-vi_30s", "6 (deployed)", "0.5 (target)",
    ]  # fmt: skip


@needs_chromium
@pytest.mark.parametrize("width_px", [375, 1280])
def test_pages_fit_their_window(tmp_path, pages, width_px):
    assert scroll_widths_px(tmp_path, pages.values(), width_px) == [width_px] * len(KINDS)


@needs_chromium
@pytest.mark.parametrize("width_px", [375, 1280])
def test_page_is_not_blank(tmp_path, pages, width_px):
    pixels = screenshot(tmp_path, pages["extrapolated"], width_px, 3000)
    assert pixels.shape[:2] == (3000, width_px)
    rows = pixels.reshape(3, 1000, -1)  # each third of the page shows something
    assert (rows.std(axis=(1, 2)) > 0.01).all()


@needs_chromium
def test_long_words_do_not_widen_the_page(tmp_path):
    long = 40 * "looooong"
    run = sizings.facts(long, cpu_model=long, where=long, node=long)
    basis = msgspec.structs.replace(sizings.extrapolated().basis, run=run, target=run, case=long)
    sizing = sizings.changed(pod=msgspec.structs.replace(sizings.POD, measured_on=long))
    page = html_report(sizings.report(sizing, basis, warnings=[long]))
    assert scroll_widths_px(tmp_path, [page], 375) == [375]
