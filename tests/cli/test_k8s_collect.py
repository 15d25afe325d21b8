"""`whisper-bench k8s collect` as a user types it."""

import io
import json
import sys

import pytest

from support.pod_runs import INSECURE, RUN, SAMPLE, framed_log
from whisper_bench.cli import main
from whisper_bench.cli.show import show_json
from whisper_bench.cluster.client import UnreachableError

pytestmark = pytest.mark.filterwarnings(INSECURE)
COLLECTED = f"{SAMPLE.name}/0001_avx.json"


def refused(capsys, *arguments, status=2):
    assert main([str(item) for item in arguments]) == status
    return capsys.readouterr().err


def test_collect_saves_the_run_and_results_of_a_log_file(home, capsys):
    (home / "pod.log").write_text(framed_log())
    assert main(["k8s", "collect", "pod.log"]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == f"collected avx from pod.log: .benchmarks/{COLLECTED}"
    assert [line.split()[0] for line in rest] == [
        "benchmark_results/avx_base_2026-11-24.json",
        "benchmark_results/avx_small-shape-only_2026-11-24.json",
    ]
    assert (home / ".benchmarks" / COLLECTED).read_bytes() == RUN.read_bytes()


def test_collect_reads_stdin_and_reports_in_json(home, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(framed_log().encode())))
    assert main(["k8s", "collect", "-", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["faults"] == []
    (actual,) = document["runs"]
    assert (actual["save_name"], actual["log"], actual["new"]) == ("avx", "-", True)
    assert actual["results"][0]["result"]["model_size"] == "base"


def test_three_collected_logs_make_one_matrix(home, capsys):
    """Logs of one machine held to three instruction sets, in the place of three node types."""
    names = ("0001_avx2.json", "0003_avx.json", "0002_generic.json")
    for name in names:
        (home / f"{name}.log").write_text(framed_log(SAMPLE / name))
    assert main(["k8s", "collect", *(f"{name}.log" for name in names)]) == 0
    capsys.readouterr()
    through = ["--allow-mismatch", "tokens", "--allow-mismatch", "cases"]
    assert main(["ratio", "avx2", "avx", "generic", *through]) == 0
    out = capsys.readouterr().out
    assert all(item in out for item in ("avx2", "avx", "generic"))
    assert main(["ratio", "avx", "generic"]) == 0


def test_collect_of_a_cut_log_exits_1_and_saves_nothing(home, capsys):
    text = framed_log()
    (home / "pod.log").write_text(text[: len(text) // 2])
    assert main(["k8s", "collect", "pod.log"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("FAILED: pod.log: ")
    assert "missing or damaged" in err
    assert not (home / ".benchmarks").exists()


def test_collect_of_a_missing_file_exits_2_with_the_remedy(home, capsys):
    assert "no.log: No such file or directory; pass a log file, - for stdin, pod/NAME" in refused(
        capsys, "k8s", "collect", "no.log"
    )


def test_show_json_refuses_an_object_without_a_json_form():
    with pytest.raises(TypeError, match="object cannot be written as JSON"):
        show_json({"a": object()})


def test_collect_reads_a_utf_16_log_of_powershell(home, capsys):
    (home / "pod.log").write_bytes(framed_log().encode("utf-16"))
    assert main(["k8s", "collect", "pod.log"]) == 0


def test_collect_from_a_closed_stdin_exits_2_with_the_remedy(home, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert "-: stdin is closed; pass a log file" in refused(capsys, "k8s", "collect", "-")


def test_a_log_of_one_long_hostile_line_is_quoted_short_and_escaped(home, capsys):
    (home / "pod.log").write_text("\x1b[2J" + "x" * 500_000)
    message = refused(capsys, "k8s", "collect", "pod.log", status=1)
    assert len(message) < 600
    assert "\\x1b[2Jxxx" in message


def test_collect_without_a_stderr_keeps_its_status(home, monkeypatch):
    (home / "pod.log").write_text("a")
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["k8s", "collect", "pod.log"]) == 1


def test_an_interrupted_collection_keeps_what_came(home, capsys, monkeypatch, where, kubelet):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("whisper_bench.cluster.fetch.Fetcher.logs", interrupted)
    (home / "pod.log").write_text(framed_log())
    assert main(["k8s", "collect", "pod.log", "pod/none", *where]) == 130
    out, err = capsys.readouterr()
    assert out.startswith("collected avx from pod.log")
    assert err.startswith("FAILED: interrupted")


def test_a_cluster_that_is_lost_keeps_what_came(home, capsys, monkeypatch, where):
    def lost(*_):
        raise UnreachableError("no answer")

    monkeypatch.setattr("whisper_bench.cluster.fetch.Fetcher.logs", lost)
    (home / "pod.log").write_text(framed_log())
    assert main(["k8s", "collect", "pod.log", "pod/none", *where]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("collected avx from pod.log")
    assert err == "FAILED: no answer\n"
    assert main(["k8s", "collect", "pod/none", *where]) == 1
    assert capsys.readouterr().err == "whisper-bench k8s: no answer\n"
