"""`whisper-bench size` and the Deployment: --check, --hpa, and the whole Pod in every output."""

import json
import shutil

import pytest

from support.project import ROOT
from whisper_bench.cli import main

CASES = ROOT / "tests" / "recorded" / "cases" / "deployments"
ASKED = ["size", "generic", "--target-rps", "0.2", "--slo-p95", "20s", "--model", "base"]
ASKED += ["--balancing", "shared", "--deployment", "d.yaml"]
"""4 Pods of 1 CPU and 448 MiB, at 36% of it."""


@pytest.fixture
def here(tmp_path, monkeypatch, drawing_untraced):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "docs" / "sample", tmp_path / ".benchmarks")
    return tmp_path


@pytest.fixture
def sized(here, capsys):
    """Return what size makes of a recorded Deployment, with its exit status, and --check's lines."""

    def size(text, *options):
        (here / "d.yaml").write_text(text)
        status = main([*ASKED, *options])
        out = capsys.readouterr().out
        return status, out, (here / "d.yaml").read_text()

    return size


def checked(capsys, *options):
    status = main([*ASKED, "--check", *options])
    return status, capsys.readouterr().out


def case(name):
    return (CASES / name).read_text()


def test_octal_replicas_are_read_as_kubernetes_does(here, sized, capsys):
    status, _, new = sized(case("24-octal-replicas.yaml").replace("replicas: 010", "replicas: 04"))
    assert status == 0
    assert "  replicas: 04\n" in new
    (here / "d.yaml").write_text(new.replace("replicas: 04", "replicas: 0o10"))
    status, out = checked(capsys)
    assert status == 1
    assert "-  replicas: 0o10\n+  replicas: 4\n" in out
    (here / "d.yaml").write_text(new.replace("replicas: 04", "replicas: 0b100"))
    assert checked(capsys) == (0, "d.yaml matches the sizing\n")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("22-sidecar-no-resources.yaml", "the Pod is Burstable, not Guaranteed: containers[envoy]"),
        (
            "31-pod-level-resources.yaml",
            "containers[whisper] has cpu limit 1, above the whole Pod's limit 500m",
        ),
    ],
)
def test_a_pod_that_is_not_guaranteed_fails_the_check_with_the_fault(
    here, sized, capsys, name, message
):
    status, out, _ = sized(case(name))
    assert status == 0
    assert f"! d.yaml: {message}" in " ".join(out.split()).replace("\n", " ")
    markdown = (here / "sizing_report.md").read_text()
    assert "d.yaml: the Pod is Burstable, with all its containers" in markdown
    assert "is Guaranteed" not in markdown + out
    # the fields are as they should be now, and the check is red for the Pod alone
    status, out = checked(capsys)
    assert status == 1
    assert f"d.yaml: {message}" in out
    assert "matches the sizing" not in out
    status, out = checked(capsys, "--json")
    document = json.loads(out)
    assert (status, document["in_step"], document["diff"]) == (1, False, [])
    assert message in document["deployment"]["faults"][0]
    assert document["deployment"]["quality_of_service"] == "Burstable"


def test_a_sidecars_resources_are_in_notes_and_price(here, sized, capsys):
    limits = "resources: {limits: {cpu: 500m, memory: 64Mi}}"
    text = case("22-sidecar-no-resources.yaml") + f"          {limits}\n"
    price = ["--price-per-node-hour", "0.6", "--cpus-per-node", "6", "--json"]
    _, out, _ = sized(text, *price)
    document = json.loads(out)
    pod = document["report"]["deployment"]
    assert (pod["cpus"], pod["memory_mib"], pod["faults"]) == (1.5, 512.0, [])
    assert "the whole Pod requests 1.5 CPU and 512 MiB, 6 CPU in 4 Pods" in pod["notes"][0]
    # four such Pods fill the node of 6 CPUs
    price_per_hour = document["report"]["sizing"]["price_per_audio_hour"]
    assert price_per_hour == pytest.approx(0.6 / (0.2 * 30))
    assert "The whole Pod as written" in (here / "sizing_report.md").read_text()
    status, out = checked(capsys)
    assert status == 0
    assert out.startswith("d.yaml matches the sizing\nnote: the whole Pod requests 1.5 CPU")
    assert checked(capsys, "--price-per-node-hour=0.6", "--cpus-per-node=6")[0] == 0


def test_a_node_too_small_for_the_pod_is_misuse_of_a_check_as_well(here, sized, capsys):
    sized(case("22-sidecar-no-resources.yaml"))
    status = checked(capsys, "--price-per-node-hour=1", "--cpus-per-node=0.5")[0]
    assert status == 2


def test_the_autoscalers_share_of_the_whole_pod_is_in_the_report(here, sized):
    init = "      initContainers: [{name: load, resources: {limits: {cpu: 4, memory: 1Gi}}}]\n"
    text = case("24-octal-replicas.yaml").replace(
        "      containers:\n", init + "      containers:\n"
    )
    _, out, _ = sized(text, "--json")
    # it is gone while the Pod serves, and no autoscaler counts it
    assert json.loads(out)["report"]["deployment"]["pod_cpu_percent"] == 36
    assert "Others ask for CPU as well" not in (here / "sizing_report.md").read_text()
    sidecar = init.replace("name: load,", "name: load, restartPolicy: Always,")
    sized(text.replace(init, sidecar))
    whole = "for the whole Pod (metric of type Resource) it is 7%."
    assert whole in (here / "sizing_report.md").read_text()


def test_an_autoscaler_sets_the_replicas_and_hpa_edits_it(here, sized, capsys):
    status, out, new = sized(case("21-hpa-no-replicas.yaml"))
    assert status == 0
    assert "\n  replicas:" not in new
    assert "minReplicas: 3" in new
    assert "minReplicas is 3, and the sizing's 4 Pods" in " ".join(out.split())
    assert checked(capsys)[0] == 1
    status, _, new = sized(new, "--hpa")
    assert status == 0
    assert "  minReplicas: 4\n  maxReplicas: 30\n" in new
    assert "averageUtilization: 36}}" in new
    assert "\n  replicas:" not in new
    status, out = checked(capsys)
    assert status == 0
    assert "note: HorizontalPodAutoscaler stt sets the replicas (4 to 30)" in out
    (here / "d.yaml").write_text(new.replace("maxReplicas: 30", "maxReplicas: 3"))
    assert checked(capsys)[0] == 1
    (here / "d.yaml").write_text(new.replace("minReplicas: 4", "minReplicas: 5"))
    assert checked(capsys)[0] == 0
    status, out = checked(capsys, "--hpa")
    assert status == 1
    assert "-  minReplicas: 5\n+  minReplicas: 4\n" in out


def test_hpa_without_an_autoscaler_or_file_is_misuse(here, capsys):
    (here / "d.yaml").write_text(case("24-octal-replicas.yaml"))
    assert main([*ASKED, "--hpa"]) == 2
    message = "--hpa: d.yaml has 0 HorizontalPodAutoscalers of the Deployment stt, and must have"
    assert message in capsys.readouterr().err
    assert main([*ASKED[:-2], "--hpa"]) == 2
    assert "--hpa: there is no Deployment k8s/deployment.yaml" in (capsys.readouterr().err)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "--deployment d.yaml: "),
        (b"#" * (64 * 2**20 + 1), "--deployment d.yaml: it is larger than 64 MiB"),
        (None, "at `$.containers[0].env[0].name`"),
    ],
)
def test_a_deployment_file_that_cannot_be_read_is_misuse(here, capsys, content, message):
    (here / "d.yaml").write_bytes(content or case("deploy-list-name.yaml").encode())
    assert main(ASKED) == 2
    assert message in capsys.readouterr().err
    assert not (here / "sizing_report.md").exists()
