"""What a sizing leaves behind: reports, the Deployment's fields, a price."""

import math
from functools import partial

import msgspec
import pytest

from support.ratios import XEON
from support.size_runs import (
    XEON_FACTS,
    judged_record,
    on_xeon,
)
from whisper_bench import calculate_sizing, generate_report, size_run
from whisper_bench.errors import BenchError
from whisper_bench.manifests.deployed import DeploymentFacts
from whisper_bench.report.outputs import sized, with_price
from whisper_bench.sizing.candidates import HardClips
from whisper_bench.sizing.demand import Policy


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


def test_the_annotation_tells_the_whole_question():
    report = size_run(
        [judged_record(*XEON)],
        XEON_FACTS,
        partial(
            calculate_sizing, 2.0, burstiness=2.0, windows={1: 0.5, 2: 0.5},
            policy=Policy(concurrency=2),
        ),
        hard=HardClips(0.1, 3.0),
        concurrency=2,
    )  # fmt: skip
    assert (
        sized(report)
        .annotations["whisper-bench/sizing"]
        .startswith(
            "2 requests/s, burstiness 2, windows 0.5 of 1, 0.5 of 2, 0.1 hard, random, 2 at a time, "
            "at most 80% busy, 1 spare; "
        )
    )


def test_a_price_an_hour_of_audio():
    report = with_price(on_xeon(), 0.4, 8)
    sizing = report.sizing
    assert sizing.price_per_audio_hour == pytest.approx(sizing.replicas / 8 * 0.4 / (2.0 * 30))
    # three Pods of 1 CPU on a node of 3.5: the half is lost
    odd = with_price(report, 0.4, 3.5).sizing.price_per_audio_hour
    assert odd == pytest.approx(sizing.replicas / 3 * 0.4 / (2.0 * 30))
    short = msgspec.structs.replace(
        report,
        sizing=msgspec.structs.replace(
            sizing, load=msgspec.structs.replace(sizing.load, audio_s=10.0)
        ),
    )
    cost = with_price(short, 0.4, 8).sizing.price_per_audio_hour
    assert cost == pytest.approx(3 * sizing.price_per_audio_hour)
    with pytest.raises(BenchError, match="a Pod of 1 CPU does not fit on a node of 0.5 CPUs"):
        with_price(report, 0.4, 0.5)
    for price, cpus in ((-1, 8), (1, 0), (math.nan, 8), (1, math.inf)):
        with pytest.raises(BenchError, match="give a price of 0 or more and CPUs above 0"):
            with_price(report, price, cpus)
    infeasible = msgspec.structs.replace(
        report, sizing=msgspec.structs.replace(sizing, replicas=None)
    )
    assert with_price(infeasible, 1, 8) == infeasible


def test_no_deployment_of_what_is_infeasible():
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
    }


def test_a_node_has_room_for_pods_of_a_fraction_of_a_cpu():
    pod = DeploymentFacts("d.yaml", "api", "Guaranteed", 1.6, 448.0, None, [], [])
    report = msgspec.structs.replace(on_xeon(), deployment=pod)
    # ten of them; 16 // 1.6 is 9
    cost = with_price(report, 0.5, 16).sizing.price_per_audio_hour
    assert cost == pytest.approx(report.sizing.replicas / 10 * 0.5 / (2.0 * 30))
    assert with_price(report, 0.5, 1.6).sizing.price_per_audio_hour == pytest.approx(10 * cost)
