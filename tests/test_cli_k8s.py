"""`whisper-bench k8s run` and `k8s collect` as a user types them."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kubelets import NODE, ended, logs, running, scheduled
from pod_runs import INSECURE, MANIFEST, POD, RUN, SAMPLE, framed_log
from whisper_bench.cli import main
from whisper_bench.cli.show import show_json

pytestmark = pytest.mark.filterwarnings(INSECURE)
COLLECTED = f"{SAMPLE.name}/0001_avx.json"


def run(where, *options):
    return ["k8s", "run", "--save", "avx", "--manifest", str(MANIFEST), *where, *options]


def refused(capsys, *arguments, status=2):
    assert main([str(each) for each in arguments]) == status
    return capsys.readouterr().err


def test_collect_a_file(home, capsys):
    (home / "pod.log").write_text(framed_log())
    assert main(["k8s", "collect", "pod.log"]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == f"collected avx from pod.log: .benchmarks/{COLLECTED}"
    assert [line.split()[0] for line in rest] == [
        "benchmark_results/avx_base_2026-11-24.json",
        "benchmark_results/avx_small-shape-only_2026-11-24.json",
    ]
    assert (home / ".benchmarks" / COLLECTED).read_bytes() == RUN.read_bytes()


def test_collect_stdin(home, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(framed_log().encode())))
    assert main(["k8s", "collect", "-", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["faults"] == []
    (found,) = document["runs"]
    assert (found["save_name"], found["log"], found["new"]) == ("avx", "-", True)
    assert found["results"][0]["result"]["model_size"] == "base"


def test_a_fleet_of_three_settings_in_one_matrix(home, capsys):
    """Logs of one machine held to three instruction sets, in the place of three node types."""
    names = ("0001_avx2.json", "0003_avx.json", "0002_generic.json")
    for name in names:
        (home / f"{name}.log").write_text(framed_log(SAMPLE / name))
    assert main(["k8s", "collect", *(f"{name}.log" for name in names)]) == 0
    capsys.readouterr()
    through = ["--allow-mismatch", "tokens", "--allow-mismatch", "cases"]
    assert main(["ratio", "avx2", "avx", "generic", *through]) == 0
    out = capsys.readouterr().out
    assert all(each in out for each in ("avx2", "avx", "generic"))
    assert main(["ratio", "avx", "generic"]) == 0


def test_collect_what_is_cut(home, capsys):
    text = framed_log()
    (home / "pod.log").write_text(text[: len(text) // 2])
    assert main(["k8s", "collect", "pod.log"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("FAILED: pod.log: ")
    assert "missing or damaged" in err
    assert not (home / ".benchmarks").exists()


def test_collect_no_such_file(home, capsys):
    assert "no.log: No such file or directory; name a log file, - for stdin, pod/NAME" in refused(
        capsys, "k8s", "collect", "no.log"
    )


def test_run(home, capsys, kubelet, where):
    kubelet.play(POD, scheduled, running, logs(framed_log()), ended())
    assert main(run(where, "--json")) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert {name: document[name] for name in ("pod", "node", "phase", "reason", "exit_code")} == {
        "pod": POD, "node": NODE, "phase": "Succeeded", "reason": "", "exit_code": 0
    }  # fmt: skip
    assert document["runs"][0]["saved_run"] == f".benchmarks/{COLLECTED}"
    assert document["faults"] == []
    assert f"{POD}: Succeeded on {NODE}\n{POD}: deleted\n" in err
    assert kubelet.names() == []


def test_run_that_fails_and_has_results(home, capsys, kubelet, where):
    kubelet.play(POD, scheduled, running, logs(framed_log()), ended(137, "OOMKilled"))
    assert main(run(where)) == 1
    out, err = capsys.readouterr()
    assert out.startswith(f"collected avx from pod/{POD}: .benchmarks/{COLLECTED}")
    assert (
        f"FAILED: pod/{POD}: Failed on {NODE}: OOMKilled: exit status 137; give the container more "
        "memory"
    ) in err


def test_collect_from_the_cluster(home, capsys, kubelet, where):
    kubelet.play(POD, scheduled, running, logs(framed_log()), ended())
    assert main(run(where, "--keep")) == 0
    capsys.readouterr()
    assert main(["k8s", "collect", *where, "--wait", "5s"]) == 0
    assert capsys.readouterr().out.startswith("already there: avx from benchmark-avx")
    assert main(["k8s", "collect", *where, "--selector", "app.kubernetes.io/name=other"]) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_no_pod(home, kubelet, where, number):
    kubelet.play(POD, scheduled, running, logs("collected 1 item\n"))
    command = [Path(sys.executable).with_name("whisper-bench"), *run(where)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        told = ""
        while f"Running on {NODE}" not in told:
            told = process.stderr.readline()
            assert told, "it ended before the Pod ran"
        os.kill(process.pid, number)
        rest = process.stderr.read()
    assert process.returncode == 1
    assert f"{POD}: deleted" in rest
    assert rest.endswith("whisper-bench k8s: interrupted; nothing was collected\n")
    assert kubelet.names() == []


def test_no_client(home, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    assert refused(capsys, *run([])) == (
        "whisper-bench k8s: the Kubernetes client is not installed; pip install "
        "'pytest-whisper-bench[k8s]'\n"
    )


def test_no_cluster(home, capsys):
    told = refused(capsys, *run(["--kubeconfig", "none"]))
    assert "no cluster: Invalid kube-config file" in told
    assert "name a kubeconfig with --kubeconfig" in told


def test_no_such_context(home, capsys, apiserver):
    told = refused(capsys, *run(["--kubeconfig", str(apiserver), "--context", "other"]))
    assert "Expected object with name other" in told


def test_a_server_that_does_not_answer(home, capsys, tmp_path):
    config = tmp_path / "kubeconfig"
    config.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\n"
        "contexts: [{name: a, context: {cluster: a, user: a, namespace: team}}]\n"
        "clusters: [{name: a, cluster: {server: 'http://127.0.0.1:9'}}]\n"
        "users: [{name: a, user: {}}]\n"
    )
    told = refused(capsys, "k8s", "collect", "--kubeconfig", config, status=1)
    assert "no answer from the cluster" in told
    assert "asking again" not in told  # one that has never answered is not waited for


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--save", "Ä"], "--save 'Ä': a Pod is named after it"),
        (["--node-selector", "a"], "--node-selector 'a': write KEY=VALUE"),
        (["--node-selector", "=a"], "--node-selector '=a': write KEY=VALUE"),
        (["--toleration", "a:Never"], "where EFFECT is one of NoSchedule"),
        (["--toleration", "="], "--toleration '=': write KEY[=VALUE][:EFFECT]"),
        (["--pending-timeout", "soon"], "'soon' is no time"),
        (["--manifest", "none.yaml"], "none.yaml: No such file or directory; name the Pod's"),
    ],
)
def test_misuse(home, capsys, options, told):
    assert told in refused(capsys, *run([]), *options)


def test_only_what_has_a_place_in_json():
    with pytest.raises(TypeError, match="object has no place in JSON"):
        show_json({"a": object()})
