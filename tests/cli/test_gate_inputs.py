"""What `whisper-bench gate` checks before it measures: the kept ratio, and the Deployment's sizing."""

import shutil
from pathlib import Path

import pytest

from support.project import ROOT
from whisper_bench.ratio.calculate import calculate_ratio
from whisper_bench.ratio.config import save_config
from whisper_bench.ratio.load import load_run

SAMPLE = ROOT / "docs" / "sample"


SIZED = f"generic --storage {SAMPLE} --model base --target-rps 0.5 --slo-p95 20s"


@pytest.fixture
def ratio_config(home):
    runs = [load_run(name, SAMPLE) for name in ("avx", "generic")]
    return save_config(calculate_ratio(*runs), home)


def test_a_fresh_ratio_passes_and_is_shown(measuring, gate, ratio_config):
    status, out, _ = gate("--ratio-config", ratio_config, "--max-age-days", "100000")
    assert status == 0
    assert "ok   ratio: ratio_config.json: its older run " in out


def test_a_stale_or_broken_ratio_fails_before_any_side_runs(measuring, gate, ratio_config):
    status, out, _ = gate("--ratio-config", ratio_config, "--max-age-days", "0")
    assert (status, measuring.order) == (1, [])
    assert "too old" in out.partition("FAIL: ratio: ")[2]
    ratio_config.write_bytes(ratio_config.read_bytes()[:-100])
    status, out, _ = gate("--ratio-config", ratio_config)
    assert (status, measuring.order) == (1, [])
    assert "truncated" in out.partition("FAIL: ratio: ")[2]
    assert "ratio_config.json" in out
    assert Path("benchmark_results/gate.xml").read_text().count("<failure") == 2


@pytest.fixture
def deployment(home):
    path = home / "deployment.yaml"
    shutil.copy(SAMPLE / "deployment.yaml", path)
    return path


def test_a_deployment_matches_passes_and_its_memory_is_the_limit(measuring, gate, deployment):
    status, out, _ = gate("--sizing", f"{SIZED} --deployment {deployment}")
    assert status == 0
    assert "ok   deployment: matches the sizing" in out
    # the sizing's memory is what the candidate's peak is held to
    assert "ok   memory: base-t1-vi_30s: peak of 300 MiB, limit 448 MiB" in out
    status, out, _ = gate("--sizing", f"{SIZED} --deployment {deployment}", "--memory-limit=200Mi")
    assert status == 1
    assert "FAIL: memory: base-t1-vi_30s: peak of 300 MiB, limit 200 MiB" in out


def test_a_deployment_out_of_step_fails_before_any_side_runs(measuring, gate, deployment):
    deployment.write_text(deployment.read_text().replace("replicas: 10", "replicas: 9"))
    status, out, _ = gate("--sizing", f"{SIZED} --deployment {deployment}")
    assert (status, measuring.order) == (1, [])
    assert "- replicas: 9; + replicas: 10" in out.partition("FAIL: deployment: ")[2]


def test_a_deployment_whose_pod_is_not_guaranteed_fails_with_the_container(
    measuring, gate, deployment
):
    another = "      initContainers:\n        - name: warm\n      volumes:\n"
    deployment.write_text(deployment.read_text().replace("      volumes:\n", another))
    status, out, _ = gate("--sizing", f"{SIZED} --deployment {deployment}")
    assert (status, measuring.order) == (1, [])
    assert "Burstable, not Guaranteed" in out.partition("FAIL: deployment: ")[2]
    assert "initContainers[warm].resources" in out


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ("--slo-p95 1s", "deployment: "),
        ("--deployment none.yaml", "none.yaml"),
        ("--storage nowhere", "deployment: no saved run 'generic' in nowhere"),
        ("--price-per-node-hour 1", "--cpus-per-node"),
        ("--price-per-node-hour 1 --cpus-per-node 0.5", "does not fit on a node of 0.5 CPUs"),
    ],
)
def test_a_sizing_that_cannot_be_made_fails_with_the_reason(
    measuring, gate, deployment, changed, message
):
    status, out, _ = gate("--sizing", f"{SIZED} --deployment {deployment} {changed}")
    assert (status, measuring.order) == (1, [])
    assert message in out.splitlines()[-1]
