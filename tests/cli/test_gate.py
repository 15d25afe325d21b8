"""`whisper-bench gate` as a user types it: what stops it before anything is measured, and its ends."""

import json
import signal
from pathlib import Path

import pytest

from support.gates import around
from whisper_bench.gate.process import SideFailedError


def test_a_candidate_as_fast_passes_with_status_0_and_files(measuring, gate):
    status, out, err = gate()
    assert status == 0
    assert out.splitlines()[-1].startswith("PASS: base-t1-vi_30s: not slower: ")
    assert "wrote benchmark_results/gate.xml\n" in out
    assert "baseline   1/32  base-t1-vi_30s 1.0" in err
    assert "after 4 pairs: base-t1-vi_30s: " in err


def test_a_slower_candidate_fails_with_status_1_and_the_same_json(measuring, gate):
    measuring.candidate = around(1.3)
    status, out, _ = gate("--json")
    assert status == 1
    document = json.loads(out)
    assert document["answer"] == "FAIL"
    assert document == json.loads(Path("benchmark_results/gate.json").read_text())


@pytest.mark.parametrize(("option", "expected"), [((), 3), (("--on-no-evidence=warn",), 0)])
def test_no_evidence_exits_3_unless_it_only_warns(measuring, gate, option, expected):
    measuring.candidate = around(1.1, spread=0.1)
    status, out, _ = gate("--max-pairs", "4", *option)
    assert status == expected
    assert out.splitlines()[-1].startswith("NO EVIDENCE: ")


def test_a_side_that_could_not_be_measured_exits_3_even_if_no_evidence_only_warns(measuring, gate):
    def gone(_):
        raise SideFailedError("exit status 125")

    measuring.baseline = gone
    assert gate("--on-no-evidence=warn")[0] == 3


def test_the_job_summary_gets_the_answer_and_a_warning_if_it_cannot(
    measuring, gate, monkeypatch, home
):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(home / "summary.md"))
    gate()
    assert (home / "summary.md").read_text().startswith("## ✅ PASS: ")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(home / "no" / "summary.md"))
    status, _, err = gate()
    assert status == 0
    assert "summary.md" in err.partition("WARNING: ")[2]


def test_ctrl_c_exits_130_and_leaves_no_answer_of_an_older_gate(measuring, gate):
    assert gate()[0] == 0

    def interrupted(_):
        raise KeyboardInterrupt

    measuring.candidate = interrupted
    before = signal.getsignal(signal.SIGTERM)
    status, _, err = gate()
    assert status == 130
    # nor is an older gate's answer there to pass for this one's
    assert "interrupted" in err
    assert not Path("benchmark_results/gate.json").exists()
    assert signal.getsignal(signal.SIGTERM) is before
