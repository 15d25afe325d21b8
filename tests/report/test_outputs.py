"""What a sizing leaves behind: two reports, and the Deployment's fields."""

import msgspec
import pytest

from support import sizings
from support.ratios import XEON
from support.size_runs import (
    ASKED,
    XEON_FACTS,
    judged_record,
    on_xeon,
)
from whisper_bench import generate_report, size_run
from whisper_bench.errors import BenchError
from whisper_bench.report.markdown import markdown_report
from whisper_bench.report.outputs import sized
from whisper_bench.sizing.candidates import HardClips
from whisper_bench.sizing.demand import Demand, Load
from whisper_bench.sizing.policy import Policy


def test_both_reports_are_written(tmp_path):
    paths = generate_report(on_xeon(), tmp_path / "out")
    assert [path.name for path in paths] == ["sizing_report.md", "sizing_report.html"]
    assert all(path.read_text().strip() for path in paths)


def test_a_folder_in_the_place_of_one_report_leaves_the_other_as_it_was(tmp_path):
    (tmp_path / "sizing_report.md").write_text("old")
    (tmp_path / "sizing_report.html").mkdir()
    with pytest.raises(
        BenchError, match=r"sizing_report.html: Is a directory; .*move it away.*--output"
    ) as caught:
        generate_report(on_xeon(), tmp_path)
    assert "free the disk" not in str(caught.value)
    assert (tmp_path / "sizing_report.md").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2


def test_the_annotation_holds_the_whole_question():
    report = size_run(
        [judged_record(*XEON)],
        XEON_FACTS,
        Demand(Load(2.0, 2.0, {1: 0.5, 2: 0.5}), policy=Policy(concurrency=2)),
        hard=HardClips(0.1, 3.0),
    )  # fmt: skip
    assert (
        sized(report)
        .annotations["whisper-bench/sizing"]
        .startswith(
            "2 requests/s, burstiness 2, windows 0.5 of 1, 0.5 of 2, 0.1 hard, random, 2 at a time, "
            "at most 80% busy, 1 spare; "
        )
    )


def test_the_annotation_names_lengths_speech_and_a_real_time_factor():
    asked = sized(sizings.real_time()).annotations["whisper-bench/sizing"]
    assert asked.startswith(
        "0.5 requests/s, audio 0.6 of 5 s, 0.3 of 30 s, 0.1 of 120 s, 0.01 hard, p95 RTF within 0.8"
    )
    wordy = Load.of_audio(0.5, {5.0: 1.0}, tokens_a_second=7.0, tokens_spread=2.0)
    report = sizings.report(sizings.changed(sizings.real_time().sizing, load=wordy))
    asked = sized(report).annotations["whisper-bench/sizing"]
    assert "audio 1 of 5 s, 7+-2 tokens a second, " in asked


def test_an_infeasible_sizing_gives_no_deployment():
    report = on_xeon()
    sizing = msgspec.structs.replace(report.sizing, replicas=None, reason="infeasible: too slow")
    with pytest.raises(BenchError, match="no Deployment can be sized: infeasible: too slow"):
        sized(msgspec.structs.replace(report, sizing=sizing))
    fields = sized(report)
    assert (fields.replicas, fields.cpu, fields.threads) == (report.sizing.replicas, 1, 1)
    assert fields.annotations == {
        "whisper-bench/sizing": (
            "2 requests/s, p95 within 10 s, shared, 1 at a time, at most 80% busy, 1 spare; "
            "base-t1-vi_30s of xeon, 2026-11-24"
        ),
        "whisper-bench/ratio": "none: the production machine was measured",
        "whisper-bench/node": "ALONE ON ITS NODE: a full node is slower, and was not measured",
    }


def test_the_annotation_says_how_full_the_node_was():
    made = on_xeon()
    for changes, said in (
        ({"copies": 16}, "measured with 16 copies at once"),
        ({"slowdown": 1.8}, "measured alone, 1.8 times as slow on a full node: assumed"),
    ):
        report = msgspec.structs.replace(made, basis=msgspec.structs.replace(made.basis, **changes))
        assert sized(report).annotations["whisper-bench/node"] == said


def test_a_report_with_spare_nodes_shows_what_spreads_the_pods():
    policy = msgspec.structs.replace(ASKED.policy, spare_nodes=1, pods_per_node=4)
    made = on_xeon(demand=msgspec.structs.replace(ASKED, policy=policy), slowdown=1.8)
    page = markdown_report(made)
    assert "topologySpreadConstraints" in page
    assert "as 1 node may be lost with all Pods" in page
    assert "Assumed: on a full node each request takes 1.8 times as long" in page
