"""What `size` prints and its report.md, held to golden files."""

import msgspec
import pytest

from support import sizings
from whisper_bench.ratio.report import Validity
from whisper_bench.report.document import Bullets, Section
from whisper_bench.report.markdown import markdown_report
from whisper_bench.report.measured import latency_section, ratio_section, throttling_section
from whisper_bench.report.predicted import load_section, pods_section
from whisper_bench.report.text import COLUMNS, sizing_lines
from whisper_bench.throttling.judge import Recommendation

KINDS = ["report", "extrapolated", "infeasible", "unstable", "by_rates", "real_time"]
HOSTILE = "a|b `c` <i>d</i> *e* _f_ [g](h) \\ &amp;\n# i"


@pytest.mark.parametrize("kind", KINDS)
def test_text_is_the_golden_one_and_fits_its_columns(golden, kind):
    lines = sizing_lines(getattr(sizings, kind)())
    golden(f"sizing_{kind}.txt", lines)
    assert max(map(len, lines)) <= COLUMNS


@pytest.mark.parametrize("kind", KINDS)
def test_markdown_is_the_golden_one(golden, kind):
    golden(f"sizing_{kind}.md", markdown_report(getattr(sizings, kind)()).rstrip("\n").split("\n"))


@pytest.mark.parametrize("kind", KINDS)
def test_tables_of_markdown_are_aligned(kind):
    blocks = markdown_report(getattr(sizings, kind)()).split("\n\n")
    tables = [block.strip().split("\n") for block in blocks if block.startswith("|")]
    assert tables
    for table in tables:
        assert len({len(line) for line in table}) == 1


def test_data_is_escaped_in_markdown():
    basis = msgspec.structs.replace(
        sizings.BASIS, run=sizings.facts(HOSTILE, cpu_model=HOSTILE, where=HOSTILE)
    )
    text = markdown_report(sizings.report(basis=basis, warnings=[HOSTILE, "# no", "1. no", "- no"]))
    message = "a\\|b \\`c\\` &lt;i&gt;d&lt;/i&gt; \\*e\\* \\_f\\_ \\[g\\](h) \\\\ &amp;amp; # i"
    assert f"- {message}\n- \\# no\n- 1\\. no\n- \\- no\n" in text
    assert f"| Run                | {message}, {message}, measured" in text


def test_a_newline_in_data_makes_no_heading():
    text = markdown_report(sizings.report(sizings.changed(reason="a\n\n# b")))
    assert [line for line in text.splitlines() if line.startswith("# ")] == [
        "# Deploy 6 Pods of 1 CPU and 448 MiB, 1 thread each"
    ]


def test_unknown_figures_have_no_row():
    sizing = sizings.changed(
        utilisation=None, hpa_utilisation_percent=None, service_percentile_s=None
    )
    text = markdown_report(sizings.report(sizing))
    assert "Utilisation at the peak" not in text
    assert "HPA" not in text
    assert "service time alone" not in text


def test_the_answer_names_workers_and_their_threads():
    (first, *_) = sizing_lines(sizings.unstable())
    assert first == "deploy 6 Pods of 4 CPU and 832 MiB, 2 workers of 2 threads"


def test_an_infeasible_sizing_without_advice_has_no_section_for_it():
    made = sizings.infeasible()
    sizing = msgspec.structs.replace(made.sizing, advice=[])
    measured_full = msgspec.structs.replace(made.basis, copies=16)
    lines = sizing_lines(msgspec.structs.replace(made, sizing=sizing, basis=measured_full))
    assert lines[0].startswith("INFEASIBLE: p95 of the service time alone is 6.79 s")
    assert lines[1] == ""
    assert "What would help" not in markdown_report(msgspec.structs.replace(made, sizing=sizing))


def test_a_ratio_without_cpu_seconds_has_no_row_for_them():
    (_, table, *_) = ratio_section(sizings.extrapolated(cpu=None).basis).blocks
    assert [row[0] for row in table.rows] == ["latency"]


def test_a_ratio_within_a_run_is_marked():
    made = sizings.extrapolated(validity=Validity.WITHIN_RUN)
    assert any("WITHIN_RUN: one process" in str(item) for item in ratio_section(made.basis).blocks)


def test_a_curve_that_never_holds_says_where_the_pods_break():
    sizing = sizings.changed(by_rps=[sizings.predicted(5, 0.7)], without_spares=None)
    assert (
        load_section(sizing).blocks[0] == "5 Pods can take at most 0.754 requests/s (always busy)."
    )


def test_a_sizing_without_curves_says_so():
    sizing = sizings.changed(by_rps=[], by_pods=[])
    for section in (load_section(sizing), pods_section(sizing)):
        assert section.blocks == ["No other numbers were tried."]


def test_pods_without_a_prediction_are_not_on_the_curve():
    sizing = sizings.changed(whole=None, by_pods=[sizings.predicted(5)])
    (_, table) = pods_section(sizing).blocks
    assert table.chosen is None
    assert [row[0] for row in table.rows] == ["5 (needed)"]


def test_the_answer_holds_on_its_own_curves():
    coarse = msgspec.structs.replace(sizings.predicted(5), high_s=21.0)
    sizing = sizings.changed(by_pods=[coarse], by_rps=[coarse])
    assert [row[-1] for row in pods_section(sizing).blocks[-1].rows] == ["yes", "yes"]
    assert [row[-1] for row in load_section(sizing).blocks[-1].rows] == ["yes"]


def test_many_rounds_have_no_note_of_caution():
    basis = msgspec.structs.replace(sizings.BASIS, latencies_s=[6.0, 6.1] * 30)
    assert len(latency_section(basis).blocks) == 3


def test_throttling_without_a_fit_thread_count_gives_the_reason():
    verdicts = [msgspec.structs.replace(item, evidence=[]) for item in sizings.VERDICTS]
    throttling = msgspec.structs.replace(
        sizings.THROTTLING,
        cases=verdicts,
        recommended=[Recommendation("base", "vi_30s", None, "no case could be judged")],
    )
    section = throttling_section(sizings.report(throttling=throttling))
    assert "base on vi_30s" in section.blocks[1]
    assert section.blocks[1].endswith(": no case could be judged.")
    assert not any(isinstance(block, Bullets) for block in section.blocks)


def test_a_thread_count_with_lower_latency_than_the_one_sized_on_is_named():
    best = Recommendation("base", "vi_30s", 4, "1.250 s a request, the fastest")
    throttling = msgspec.structs.replace(sizings.THROTTLING, recommended=[best])
    text = str(throttling_section(sizings.report(throttling=throttling)).blocks[1])
    assert "base on vi_30s is best with 4 threads: 1.250 s" in text
    assert "base-t1-vi_30s" in text.partition("1.250 s")[2]


@pytest.mark.parametrize(
    ("quota_cpus", "trouble", "message"),
    [
        (1.0, None, "no counters"),
        (None, None, "no quota"),
        (None, "cpu.max: cannot be read", "unknown"),
    ],
)
def test_throttling_without_counters_gives_the_reason(quota_cpus, trouble, message):
    limit = msgspec.structs.replace(sizings.LIMIT, quota_cpus=quota_cpus, quota_trouble=trouble)
    case = sizings.verdict(1, 6.6, 0, counters=None, throttled_share=None, cpu_limit=limit)
    throttling = msgspec.structs.replace(sizings.THROTTLING, cases=[case])
    section: Section = throttling_section(sizings.report(throttling=throttling))
    assert section.blocks[0].rows[0][2] == message
    assert f"There is no share of throttled periods to plot: {message}." in section.blocks


def test_another_models_throttling_is_not_plotted():
    from whisper_bench.report.measured import plotted_verdicts

    other = sizings.verdict(1, 18.0, 0, model="small")
    throttling = msgspec.structs.replace(sizings.THROTTLING, cases=[*sizings.VERDICTS, other])
    assert [item.model for item in plotted_verdicts(sizings.report(throttling=throttling))] == [
        "base"
    ] * 3


def test_an_input_without_a_text_of_its_own_is_shown_by_name():
    from whisper_bench.report.words import changed_text
    from whisper_bench.sizing.sizing import Sensitivity

    assert changed_text(Sensitivity("hard share", 0.25, 3)) == "hard share 0.25"
