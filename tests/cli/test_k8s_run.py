"""`whisper-bench k8s run` as a user types it, on a real API server."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.kubelets import NODE, ended, logs, running, scheduled
from support.pod_runs import INSECURE, MANIFEST, POD, SAMPLE, framed_log
from whisper_bench.cli import main

pytestmark = pytest.mark.filterwarnings(INSECURE)
COLLECTED = f"{SAMPLE.name}/0001_avx.json"


def run(where, *options):
    return ["k8s", "run", "--save", "avx", "--manifest", str(MANIFEST), *where, *options]


def refused(capsys, *arguments, status=2):
    assert main([str(item) for item in arguments]) == status
    return capsys.readouterr().err


def test_run_collects_deletes_the_pod_and_reports_in_json(home, capsys, kubelet, where):
    kubelet.play(POD, scheduled, running, logs(framed_log()), ended())
    assert main(run(where, "--json")) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert {name: document[name] for name in ("pod", "node", "phase", "reason", "exit_code")} == {
        "pod": POD, "node": NODE, "phase": "Succeeded", "reason": "", "exit_code": 0
    }  # fmt: skip
    assert document["runs"][0]["saved_run"] == f".benchmarks/{COLLECTED}"
    assert document["faults"] == []
    assert f"{POD}: Succeeded on {NODE}\n{POD}: deleting it\n{POD}: deleted\n" in err
    assert kubelet.names() == []


def test_a_failed_pod_with_results_exits_1_and_keeps_them(home, capsys, kubelet, where):
    kubelet.play(POD, scheduled, running, logs(framed_log()), ended(137, "OOMKilled"))
    assert main(run(where)) == 1
    out, err = capsys.readouterr()
    assert out.startswith(f"collected avx from pod/{POD}: .benchmarks/{COLLECTED}")
    assert (
        f"FAILED: pod/{POD}: Failed on {NODE}: OOMKilled: exit status 137; give the container more "
        "memory"
    ) in err


def test_collect_from_the_cluster_finds_a_kept_pod(home, capsys, kubelet, where):
    kubelet.play(POD, scheduled, running, logs(framed_log()), ended())
    assert main(run(where, "--keep")) == 0
    capsys.readouterr()
    assert main(["k8s", "collect", *where, "--wait", "10m"]) == 0
    assert capsys.readouterr().out.startswith("already there: avx from benchmark-avx")
    assert main(["k8s", "collect", *where, "--selector", "app.kubernetes.io/name=other"]) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_no_pod(home, kubelet, where, number):
    kubelet.play(POD, scheduled, running, logs("collected 1 item\n"))
    command = [Path(sys.executable).with_name("whisper-bench"), *run(where)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        message = ""
        while f"Running on {NODE}" not in message:
            message = process.stderr.readline()
            assert message, "it ended before the Pod ran"
        os.kill(process.pid, number)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert f"{POD}: deleted" in rest
    assert rest.splitlines()[-1].startswith("whisper-bench k8s: interrupted")
    assert kubelet.names() == []


def test_a_missing_kubernetes_client_exits_2_with_the_extra(home, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    (line,) = refused(capsys, *run([])).splitlines()
    assert line.startswith("whisper-bench k8s: ")
    assert line.endswith("pip install 'pytest-whisper-bench[k8s]'")


def test_a_missing_kubeconfig_exits_2_with_the_option(home, capsys):
    message = refused(capsys, *run(["--kubeconfig", "none"]))
    assert "no cluster: Invalid kube-config file" in message
    assert "pass a kubeconfig with --kubeconfig" in message


def test_an_unknown_context_exits_2_with_its_name(home, capsys, apiserver):
    message = refused(capsys, *run(["--kubeconfig", str(apiserver), "--context", "other"]))
    assert "Expected object with name other" in message


def test_a_server_that_never_answered_is_not_asked_again(home, capsys, tmp_path):
    config = tmp_path / "kubeconfig"
    config.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\n"
        "contexts: [{name: a, context: {cluster: a, user: a, namespace: team}}]\n"
        "clusters: [{name: a, cluster: {server: 'http://127.0.0.1:9'}}]\n"
        "users: [{name: a, user: {}}]\n"
    )
    message = refused(capsys, "k8s", "collect", "--kubeconfig", config, status=1)
    assert "no answer from the cluster" in message
    assert "asking again" not in message  # one that has never answered is not waited for


@pytest.mark.parametrize(
    ("options", "named", "remedy"),
    [
        (["--save", "Ä"], "--save 'Ä':", "another name"),
        (["--save", "a/b"], "--save 'a/b':", "another name"),
        (["--node-selector", "a"], "--node-selector a:", "KEY=VALUE"),
        (["--node-selector", "=a"], "--node-selector =a:", "KEY=VALUE"),
        (["--toleration", "a:Never"], "--toleration a:Never:", "NoSchedule"),
        (["--toleration", "="], "--toleration =:", "KEY[=VALUE][:EFFECT]"),
        (["--pending-timeout", "soon"], "--pending-timeout soon:", "5s"),
        (["stress"], "stress:", "after --"),
        (["--storage", "/proc/none"], "/proc/none", "--storage"),
        (["--manifest", "none.yaml"], "none.yaml:", "--manifest"),
    ],
)
def test_misuse_exits_2_with_option_value_and_remedy(home, capsys, options, named, remedy):
    said = refused(capsys, *run([]), *options)
    assert named in said
    assert remedy in said.partition(named)[2]


def test_a_pod_that_is_left_behind_is_a_fault_beside_its_results(
    home, capsys, kubelet, where, monkeypatch
):
    monkeypatch.setattr("whisper_bench.cluster.run._GONE_S", 0.2)
    manifest = home / "pod.yaml"
    manifest.write_text(
        MANIFEST.read_text().replace("  labels:", "  finalizers: [a.b/c]\n  labels:", 1)
    )
    kubelet.play(POD, scheduled, running, logs(framed_log()), ended())
    try:
        assert main([*run(where), "--manifest", str(manifest)]) == 1
    finally:
        kubelet.set_free(POD)
    out, err = capsys.readouterr()
    assert out.startswith("collected avx")
    said = err.partition("FAILED: Pod benchmark-avx ")[2]
    assert "a.b/c" in said, "the finalizer that keeps it"
    assert "delete pod benchmark-avx" in said


def test_an_incomplete_log_is_kept_and_so_is_the_pod(home, capsys, kubelet, where):
    text = framed_log()
    kubelet.play(POD, scheduled, running, logs(text[: len(text) // 2]), ended())
    assert main(run(where)) == 1
    assert "its log is saved as benchmark_results/benchmark-avx.log" in capsys.readouterr().err
    assert (home / "benchmark_results" / "benchmark-avx.log").read_text() == text[: len(text) // 2]
    assert kubelet.names() == [POD]


def test_a_pods_name_that_is_taken_is_refused(home, capsys, kubelet, where):
    kubelet.play(POD, scheduled, running, logs(framed_log()), ended())
    assert main(run(where, "--keep", "--", "--stress")) == 0
    assert "--stress" in kubelet.raw(POD)["spec"]["containers"][0]["args"]
    assert f"Pod {POD} exists already (Succeeded)" in refused(capsys, *run(where), status=1)


def test_the_kubeconfig_comes_from_the_environment_or_the_home_folder(home, apiserver):
    """As kubectl's: KUBECONFIG, and where that is not set the file in the user's home."""
    command = [Path(sys.executable).with_name("whisper-bench"), "k8s", "collect"]
    (home / ".kube").mkdir()
    (home / ".kube" / "config").write_bytes(apiserver.read_bytes())
    others = {name: os.environ[name] for name in os.environ if name != "KUBECONFIG"}
    for named in ({"KUBECONFIG": str(apiserver)}, {"HOME": str(home)}):
        done = subprocess.run(
            [*command, "--selector", "app=none"],
            env={**others, **named}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr.startswith("FAILED: app=none: ")
        assert "namespace default" in done.stderr


def test_a_run_under_another_name_is_refused_and_its_log_kept(home, capsys, kubelet, where):
    """A Pod does not choose which saved run it becomes; its log is kept, to look at."""
    kubelet.play("benchmark-mine", scheduled, running, logs(framed_log()), ended())
    arguments = ["k8s", "run", "--save", "mine", "--manifest", str(MANIFEST), *where]
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "'avx'" in (said := err.partition("FAILED: ")[2])
    assert "'mine'" in said
    assert "--benchmark-save" in said
    assert "its log is saved as benchmark_results/benchmark-mine.log" in err
    assert not list((home / ".benchmarks").rglob("*.json"))


def test_more_runs_than_one_in_a_log_are_refused(home, capsys, kubelet, where):
    text = framed_log() + framed_log(SAMPLE / "0004_avx.json")
    kubelet.play(POD, scheduled, running, logs(text), ended())
    assert main(run(where)) == 1
    assert "2 saved runs" in capsys.readouterr().err.partition(f"FAILED: pod/{POD}: ")[2]
    assert not list((home / ".benchmarks").rglob("*.json"))
