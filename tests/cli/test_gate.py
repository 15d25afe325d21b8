"""`whisper-bench gate` as a user types it: what stops it before anything is measured, and its ends."""

import json
import shutil
import signal
from pathlib import Path

import pytest

from support.gates import Played, around
from support.project import ROOT
from whisper_bench.cli import main
from whisper_bench.errors import BenchError
from whisper_bench.gate import process as gate_process
from whisper_bench.gate.files import remove_older
from whisper_bench.gate.process import SideFailedError
from whisper_bench.gate.side import side_of
from whisper_bench.ratio.calculate import calculate_ratio
from whisper_bench.ratio.config import save_config
from whisper_bench.ratio.load import load_run

SAMPLE = ROOT / "docs" / "sample"
SIZED = f"generic --storage {SAMPLE} --model base --target-rps 0.5 --slo-p95 20s"
SIDES = ["image:suite:main", "image:suite:new"]


@pytest.fixture
def measuring(home, monkeypatch):
    """Let no side run: it is played, and the sides asked for are noted."""

    class Sides(Played):
        def __call__(self, side):
            name = "baseline" if side == side_of(SIDES[0]) else "candidate"
            self.order.append(name)
            return getattr(self, name)(self.order.count(name))

    played = Sides(around(1.0), around(1.0, seed=2))
    monkeypatch.setattr(gate_process, "Runner", lambda *_, **__: played)
    return played


def gate(capsys, *options):
    status = main(["gate", *SIDES, *map(str, options)])
    return (status, *capsys.readouterr())


def test_a_candidate_as_fast_passes_with_status_0_and_files(measuring, capsys):
    status, out, err = gate(capsys)
    assert status == 0
    assert out.splitlines()[-1].startswith("PASS: base-t1-vi_30s: not slower: ")
    assert "wrote benchmark_results/gate.xml\n" in out
    assert "baseline   1/32  base-t1-vi_30s 1.0" in err
    assert "after 4 pairs: base-t1-vi_30s: " in err


def test_a_slower_candidate_fails_with_status_1_and_the_same_json(measuring, capsys):
    measuring.candidate = around(1.3)
    status, out, _ = gate(capsys, "--json")
    assert status == 1
    document = json.loads(out)
    assert document["answer"] == "FAIL"
    assert document == json.loads(Path("benchmark_results/gate.json").read_text())


@pytest.mark.parametrize(("option", "expected"), [((), 3), (("--on-no-evidence=warn",), 0)])
def test_no_evidence_exits_3_unless_it_only_warns(measuring, capsys, option, expected):
    measuring.candidate = around(1.1, spread=0.1)
    status, out, _ = gate(capsys, "--max-pairs", "4", *option)
    assert status == expected
    assert out.splitlines()[-1].startswith("NO EVIDENCE: ")


def test_a_side_that_could_not_be_measured_exits_3_even_if_no_evidence_only_warns(
    measuring, capsys
):
    def gone(_):
        raise SideFailedError("exit status 125")

    measuring.baseline = gone
    assert gate(capsys, "--on-no-evidence=warn")[0] == 3


def test_the_job_summary_gets_the_answer_and_a_warning_if_it_cannot(
    measuring, capsys, monkeypatch, home
):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(home / "summary.md"))
    gate(capsys)
    assert (home / "summary.md").read_text().startswith("## ✅ PASS: ")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(home / "no" / "summary.md"))
    status, _, err = gate(capsys)
    assert status == 0
    assert "WARNING: the job's summary could not be added to: " in err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--max-slowdown=1"], "--max-slowdown 1: give a share above 0 and up to 100 %"),
        (["--timeout=0s"], "--timeout 0s: give a time above 0"),
        (["--max-age-days=30"], "--max-age-days: there is no ratio to hold to it"),
        (["--allow-mismatch=cases"], "a case that is missing or renamed cannot be gated"),
        (["--sizing=-h"], "--sizing '-h': give the words behind whisper-bench size"),
        (["--sizing=xeon"], "--sizing 'xeon': give the words behind whisper-bench size"),
        (["--max-slowdown=0"], "--max-slowdown 0: give a share above 0 and up to 100 %"),
        (["--max-slowdown=ten"], "--max-slowdown ten: give a share"),
        (["--max-slowdown=10%%"], "--max-slowdown 10%%: give a share"),
        (["--max-pairs=3"], "--max-pairs 3: give a whole number, 4 to 32"),
        (["--max-pairs=5"], "--max-pairs 5: give an even number"),
        (["--max-pairs=1e1"], "--max-pairs 1e1: give a whole number"),
        (["--max-pairs="], "--max-pairs '': a blank value is not allowed"),
        (["--rounds="], "--rounds '': a blank value is not allowed"),
        (["--rounds=0"], "--rounds 0: give a whole number, 1 to 1000"),
        (["--cpus=nan"], "--cpus nan: give a number of CPUs, 0.01 or more, or none"),
        (["--cpus=one"], "--cpus one: give a number of CPUs"),
        (["--timeout=soon"], "--timeout soon: give a time, such as 5s"),
        (["--memory-limit=much"], "--memory-limit much: give a quantity of memory, such as 448Mi"),
        (["--allow-mismatch=speed"], "--allow-mismatch speed: no such field is compared"),
        (["word"], "word: no option of the suite; write those behind --"),
        (["--sizing", "xeon 'a"], '--sizing "xeon \'a": No closing quotation'),
        (
            ["--ratio-config=r.json", "--max-age-days=-1"],
            "--max-age-days -1: give a number of days",
        ),
    ],
)
def test_misuse_exits_2_with_option_and_value_before_any_side_runs(
    measuring, capsys, options, told
):
    status, _, err = gate(capsys, *options)
    assert (status, measuring.order) == (2, [])
    assert told in err


def test_max_slowdown_takes_a_share_or_percent(measuring, capsys):
    gate(capsys, "--max-slowdown=0.25")
    assert json.loads(Path("benchmark_results/gate.json").read_text())["limit"] == 0.25
    gate(capsys, "--max-slowdown=25%")
    assert json.loads(Path("benchmark_results/gate.json").read_text())["limit"] == 0.25


def test_cpus_none_is_refused_for_an_image_and_demands_no_limit_of_a_command(
    measuring, capsys, monkeypatch
):
    status, _, err = gate(capsys, "--cpus", "none")
    assert (status, measuring.order) == (2, [])
    assert "--cpus none: an image demands a limit" in err
    monkeypatch.setitem(globals(), "SIDES", ["command:main", "command:new"])
    status, out, _ = gate(capsys, "--cpus", "none")
    assert status == 0
    assert "ok   threads: within the limit (1 CPU)" in out


@pytest.fixture
def ratio_config(home):
    runs = [load_run(name, SAMPLE) for name in ("avx", "generic")]
    return save_config(calculate_ratio(*runs), home)


def test_a_fresh_ratio_passes_and_is_shown(measuring, capsys, ratio_config):
    status, out, _ = gate(capsys, "--ratio-config", ratio_config, "--max-age-days", "100000")
    assert status == 0
    assert "ok   ratio: ratio_config.json: older run " in out


def test_a_stale_or_broken_ratio_fails_before_any_side_runs(measuring, capsys, ratio_config):
    status, out, _ = gate(capsys, "--ratio-config", ratio_config, "--max-age-days", "0")
    assert (status, measuring.order) == (1, [])
    assert "FAIL: ratio: the ratio is stale: its older run was " in out
    ratio_config.write_bytes(ratio_config.read_bytes()[:-100])
    status, out, _ = gate(capsys, "--ratio-config", ratio_config)
    assert (status, measuring.order) == (1, [])
    assert "Input data was truncated" in out
    assert Path("benchmark_results/gate.xml").read_text().count("<failure") == 2


@pytest.fixture
def deployment(home):
    path = home / "deployment.yaml"
    shutil.copy(SAMPLE / "deployment.yaml", path)
    return path


def test_a_deployment_in_step_passes_and_its_memory_is_the_limit(measuring, capsys, deployment):
    status, out, _ = gate(capsys, "--sizing", f"{SIZED} --deployment {deployment}")
    assert status == 0
    assert "ok   deployment: what the sizing says" in out
    # the sizing's memory is what the candidate's peak is held to
    assert "ok   memory: base-t1-vi_30s: peak of 300 MiB, limit 448 MiB" in out
    status, out, _ = gate(
        capsys, "--sizing", f"{SIZED} --deployment {deployment}", "--memory-limit=200Mi"
    )
    assert status == 1
    assert "FAIL: memory: base-t1-vi_30s: peak of 300 MiB, limit 200 MiB" in out


def test_a_deployment_out_of_step_fails_before_any_side_runs(measuring, capsys, deployment):
    deployment.write_text(deployment.read_text().replace("replicas: 10", "replicas: 9"))
    status, out, _ = gate(capsys, "--sizing", f"{SIZED} --deployment {deployment}")
    assert (status, measuring.order) == (1, [])
    assert "deployment: out of step with the sizing: - replicas: 9; + replicas: 10" in out


def test_a_deployment_whose_pod_is_not_guaranteed_fails_with_the_container(
    measuring, capsys, deployment
):
    another = "      initContainers:\n        - name: warm\n      volumes:\n"
    deployment.write_text(deployment.read_text().replace("      volumes:\n", another))
    status, out, _ = gate(capsys, "--sizing", f"{SIZED} --deployment {deployment}")
    assert (status, measuring.order) == (1, [])
    assert "deployment: out of step with the sizing: the Pod is Burstable, not Guaranteed" in out
    assert "initContainers[warm].resources has no limit of cpu and memory" in out


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ("--slo-p95 1s", "deployment: "),
        ("--deployment none.yaml", "none.yaml"),
        ("--storage nowhere", "deployment: no saved run 'generic' in nowhere"),
    ],
)
def test_a_sizing_that_cannot_be_made_fails_with_the_reason(
    measuring, capsys, deployment, changed, told
):
    status, out, _ = gate(capsys, "--sizing", f"{SIZED} --deployment {deployment} {changed}")
    assert (status, measuring.order) == (1, [])
    assert told in out.splitlines()[-1]


def test_ctrl_c_exits_130_and_leaves_no_answer_of_an_older_gate(measuring, capsys):
    assert gate(capsys)[0] == 0

    def interrupted(_):
        raise KeyboardInterrupt

    measuring.candidate = interrupted
    before = signal.getsignal(signal.SIGTERM)
    status, _, err = gate(capsys)
    assert status == 130
    # nor is an older gate's answer there to pass for this one's
    assert "interrupted; nothing is decided" in err
    assert not Path("benchmark_results/gate.json").exists()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_results_folder_that_cannot_be_written_is_misuse(measuring, capsys, home):
    (home / "taken").write_text("")
    status, _, err = gate(capsys, "--results", "taken")
    assert (status, measuring.order) == (2, [])
    assert "the gate's files cannot be written in taken" in err


def test_a_folder_in_the_place_of_gate_json_is_misuse(measuring, capsys):
    Path("benchmark_results/gate.json").mkdir(parents=True)
    status, _, err = gate(capsys)
    assert (status, measuring.order) == (2, [])
    assert "benchmark_results/gate.json: " in err
    assert "it is a folder, and the gate writes a file of that name; move it away" in err


def test_an_older_gate_that_may_not_be_removed_is_an_error(home, monkeypatch):
    def refused(_path, **_settings):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(BenchError, match=r"gate.json: Permission denied; it is an older gate's"):
        remove_older(home)


def test_words_behind_dashes_are_misuse_of_a_command_that_takes_none(capsys):
    with pytest.raises(SystemExit):
        main(["ratio", "a", "b", "--", "--whisper-rounds=1"])
    assert "unrecognized arguments: -- --whisper-rounds=1" in capsys.readouterr().err
