"""`whisper-bench size`, from a saved run to reports, Deployment and exit status."""

import json
import math
import shutil

import pytest

from support.project import ROOT
from whisper_bench.cli import main

ASKED = ["--target-rps", "0.2", "--slo-p95", "20s", "--balancing", "shared", "--model", "base"]
"""What costs little to simulate."""


@pytest.fixture
def here(tmp_path, monkeypatch, drawing_untraced):
    """A folder with the sample's runs, and the example's Deployment."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "docs" / "sample", tmp_path / ".benchmarks")
    (tmp_path / "k8s").mkdir()
    shutil.copy(ROOT / "k8s" / "deployment.yaml", tmp_path / "k8s" / "deployment.yaml")
    return tmp_path


def test_size_prints_writes_reports_and_edits_the_deployment(here, capsys):
    before = (here / "k8s/deployment.yaml").read_text()
    assert main(["size", "generic", *ASKED]) == 0
    out = capsys.readouterr().out
    assert out.startswith("deploy 4 Pods of 1 CPU and 448 MiB")
    assert out.endswith(
        "wrote sizing_report.md\nwrote sizing_report.html\nwrote k8s/deployment.yaml\n"
    )
    assert "<svg" in (here / "sizing_report.html").read_text()
    assert "deploy 4 pods" in (here / "sizing_report.md").read_text().lower()
    after = (here / "k8s/deployment.yaml").read_text()
    assert "replicas: 4\n" in after
    assert "memory: 448Mi" in after.replace('"', "")
    assert before != after
    # twice changes nothing, and the check agrees
    assert main(["size", "generic", *ASKED]) == 0
    assert (here / "k8s/deployment.yaml").read_text() == after
    assert main(["size", "generic", *ASKED, "--check"]) == 0
    assert "k8s/deployment.yaml matches the sizing" in capsys.readouterr().out


def test_size_in_json_has_answer_and_files(here, capsys):
    assert main(["size", "generic", *ASKED, "--json", "--output", "out"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["replicas"] == 4
    assert document["feasible"] is True
    assert (document["cpu"], document["memory_mib"], document["threads"]) == (1, 448, 1)
    assert document["files"] == [
        "out/sizing_report.md", "out/sizing_report.html", "k8s/deployment.yaml",
    ]  # fmt: skip
    assert document["report"]["basis"]["case"] == "base-t1-vi_30s"


def test_check_shows_the_difference_exits_1_and_writes_nothing(here, capsys):
    before = (here / "k8s/deployment.yaml").read_text()
    assert main(["size", "generic", *ASKED, "--check"]) == 1
    out = capsys.readouterr().out
    assert "+  replicas: 4" in out
    assert (here / "k8s/deployment.yaml").read_text() == before
    assert not (here / "sizing_report.md").exists()
    assert main(["size", "generic", *ASKED, "--check", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["in_step"] is False
    assert document["replicas"] == 4
    (here / "k8s/deployment.yaml").unlink()
    assert main(["size", "generic", *ASKED, "--check"]) == 2
    assert "--check: there is no Deployment" in capsys.readouterr().err


def test_an_m4_run_with_a_ratio_is_called_extrapolated(here, capsys):
    assert main(["ratio", "avx", "generic", "--all-runs"]) == 0
    capsys.readouterr()
    config = ["--ratio-config", "benchmark_results/ratio_config.json", "--max-age-days", "99999"]
    assert main(["size", "avx", *ASKED, *config]) == 0
    assert "xtrapolated" in capsys.readouterr().out
    assert "xtrapolated" in (here / "sizing_report.md").read_text()
    assert "whisper-bench/ratio: " in (here / "k8s/deployment.yaml").read_text()


def test_infeasible_exits_1_and_leaves_the_deployment(here, capsys):
    before = (here / "k8s/deployment.yaml").read_text()
    asked = ["size", "generic", "--target-rps", "1", "--slo-p95", "3s", "--model", "base"]
    assert main(asked) == 1
    out = capsys.readouterr().out
    assert out.startswith("INFEASIBLE")
    assert "no number of Pods" in " ".join(out.split())
    assert (here / "k8s/deployment.yaml").read_text() == before
    assert "nfeasible" in (here / "sizing_report.md").read_text()
    assert main([*asked, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["replicas"] is None
    assert main([*asked, "--check"]) == 1
    assert "INFEASIBLE" in capsys.readouterr().out
    assert main([*asked, "--check", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["feasible"] is False


def test_without_a_deployment_only_reports_are_written(here, capsys):
    shutil.rmtree(here / "k8s")
    assert main(["size", "generic", *ASKED]) == 0
    assert capsys.readouterr().out.endswith("wrote sizing_report.md\nwrote sizing_report.html\n")
    assert main(["size", "generic", *ASKED, "--deployment", "k8s/deployment.yaml"]) == 2
    assert "--deployment k8s/deployment.yaml: " in capsys.readouterr().err


def test_p99_price_and_audio_mix_reach_the_sizing(here, capsys):
    assert main([
        "size", "generic", "--target-rps", "0.05", "--slo-p99", "90s", "--model", "base", "--json",
        "--audio", "30s:0.5,20s:0.2,60s:0.3", "--price-per-node-hour", "0.4",
        "--cpus-per-node", "8", "--hard-share", "0.01", "--hard-factor", "3", "--burstiness", "2",
    ]) == 0  # fmt: skip
    sizing = json.loads(capsys.readouterr().out)["report"]["sizing"]
    assert sizing["load"]["windows"] == {"1": 0.7, "2": 0.3}
    assert sizing["load"]["audio_s"] == pytest.approx(0.5 * 30 + 0.2 * 20 + 0.3 * 60)
    assert sizing["objective"] == {"percent": 99.0, "limit_s": 90.0, "per_audio_s": False}
    assert sizing["price_per_audio_hour"] > 0


def test_lengths_tokens_and_real_time_factor_reach_the_sizing(here, capsys):
    assert main([
        "size", "generic", "--target-rps", "0.05", "--slo-rtf-p95", "1.5", "--model", "base",
        "--json", "--audio", "5s:0.25,30s:0.75", "--tokens-per-second", "6.6+-2",
    ]) == 0  # fmt: skip
    document = json.loads(capsys.readouterr().out)
    sizing = document["report"]["sizing"]
    load = sizing["load"]
    assert load["lengths"] == [{"audio_s": 5.0, "share": 0.25}, {"audio_s": 30.0, "share": 0.75}]
    assert (load["tokens_a_second"], load["tokens_spread"]) == (6.6, 2.0)
    assert sizing["objective"] == {"percent": 95.0, "limit_s": 1.5, "per_audio_s": True}
    # the sample is not split
    assert any("audio is counted in windows" in text for text in document["report"]["warnings"])


def test_without_an_objective_utilisation_decides(here, capsys):
    assert main(["size", "generic", "--target-rps", "0.2", "--model", "base", "--json"]) == 0
    sizing = json.loads(capsys.readouterr().out)["report"]["sizing"]
    assert sizing["bound_by"] == "utilisation"
    assert sizing["needed"] == math.ceil(sizing["offered_load"] / 0.8)
    assert sizing["replicas"] == sizing["needed"] + 1


LENGTHS = "30s:0.7,90s:0.3"


@pytest.mark.parametrize(
    ("given", "named", "remedy"),
    [
        ("--target-rps=many", "--target-rps many:", "number"),
        ("--target-rps=nan", "--target-rps nan:", "number"),
        ("--target-rps=0", "--target-rps 0:", "above 0"),
        ("--spare-pods=1.5", "--spare-pods 1.5:", "whole number"),
        ("--concurrency=0", "--concurrency 0:", "1 to 64"),
        ("--burstiness=0.5", "--burstiness 0.5:", "from 1 to 100"),
        ("--hard-share=2", "--hard-share 2:", "from 0 to 1"),
        ("--hard-factor=nan", "--hard-factor nan:", "from 1 to 1000"),
        ("--cpus-per-node=0", "--cpus-per-node 0:", "above 0"),
        ("--max-utilisation=80", "--max-utilisation 80:", "from 0.01 to below 1"),
        ("--max-utilisation=1", "--max-utilisation 1:", "to below 1"),
        ("--slo-p95=soon", "--slo-p95 soon:", "5s"),
        ("--slo-rtf-p95=5s", "--slo-rtf-p95 5s:", "number"),
        ("--slo-rtf-p99=0", "--slo-rtf-p99 0:", "above 0"),
        ("--tokens-per-second=6+-x", "--tokens-per-second 6+-x:", "6.6+-2"),
        ("--audio=30s:much", "--audio 30s:much: '30s:much'", LENGTHS),
        ("--audio=30s:", "--audio 30s:: '30s:'", LENGTHS),
        ("--audio=30s:1,", "--audio 30s:1,: ''", LENGTHS),
        ("--audio=30s:-0.5,30s:1", "--audio 30s:-0.5,30s:1: '30s:-0.5'", LENGTHS),
        ("--audio=30s:nan", "--audio 30s:nan: '30s:nan'", LENGTHS),
        ("--audio=0s:1", "--audio 0s:1: '0s:1'", LENGTHS),
        ("--max-age-days=old", "--max-age-days old:", "number"),
        ("--max-age-days=-1", "--max-age-days -1:", "0 or more"),
        ("--max-age-days=", "--max-age-days '':", "give one, or leave it out"),
        ("--seed=-1", "--seed -1:", "0 to"),
        ("--allow-mismatch=tokens", "--allow-mismatch:", "--ratio-config"),
        ("--price-per-node-hour=1", "--price-per-node-hour", "--cpus-per-node"),
        ("--spare-nodes=1", "--spare-nodes 1:", "--pods-per-node"),
        ("--pods-per-node=0", "--pods-per-node", "1 to"),
        ("--assume-slowdown=0.5", "--assume-slowdown", "1 to"),
        ("--model=large", "large", "--model"),
        ("--ratio-config=none.json", "none.json:", "whisper-bench ratio"),
    ],
)
def test_misuse_exits_2_with_option_value_and_remedy(here, capsys, given, named, remedy):
    assert main(["size", "generic", *ASKED, given]) == 2
    said = capsys.readouterr().err
    assert named in said
    assert remedy in said.partition(named)[2]


def test_two_objectives_are_misuse(here, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["size", "generic", *ASKED, "--slo-p99", "30s"])
    assert caught.value.code == 2
