"""What must turn a gate red, with the command itself and the real suite, its library a double."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from support.project import ADDOPTS, BENCHMARK, LIGHT, ROOT
from support.runs import PATIENCE_S, SCRIPTS, wait_until
from support.toy import build_toy
from whisper_bench.gate.report import GateReport

RENAMED = BENCHMARK.replace("test_transcribe", "test_renamed")


def environment(**more):
    """A process that is no worker of xdist's, and loads nothing it has no use for."""
    ours = {name: value for name, value in os.environ.items() if name != "PYTEST_XDIST_WORKER"}
    path = [str(LIGHT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**ours, "PYTEST_ADDOPTS": ADDOPTS, "PYTHONPATH": os.pathsep.join(path), **more}


def suite(*arguments):
    """Return the command that runs the real suite."""
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return shlex.join(map(str, words))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, toy_arguments):
    """A baseline that is the same each time and costs nothing: it prints a run of the toy."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "test_bench.py").write_text(BENCHMARK)
    options = ("--benchmark-save=run", "--whisper-rounds=1", "--whisper-processes=1")
    subprocess.run(
        shlex.split(suite(*toy_arguments, *options)), cwd=folder, check=True, env=environment()
    )
    (saved,) = folder.glob(".benchmarks/*/0001_run.json")
    return shlex.join([sys.executable, str(ROOT / "tests" / "support" / "replay.py"), str(saved)])


class Gated:
    """`whisper-bench gate` in the background, in a folder of its own."""

    def __init__(self, folder, baseline, candidate, arguments):
        self.folder = folder
        self.process = subprocess.Popen(
            [SCRIPTS / "whisper-bench", "gate", baseline, candidate, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder,
            env=environment(TMPDIR=str(folder / "scratch")),
        )  # fmt: skip

    def ended(self):
        """Return its exit status, what it printed, its report, and the failures JUnit reads."""
        said, _ = self.process.communicate(timeout=PATIENCE_S)
        results = self.folder / "benchmark_results"
        report = msgspec.json.decode((results / "gate.json").read_bytes(), type=GateReport)
        assert (results / "gate.md").read_text().startswith("## ")
        root = ET.parse(results / "gate.xml").getroot()  # noqa: S314 - it is our own
        assert int(root.get("failures")) == len(root.findall(".//failure"))
        assert not list((self.folder / "scratch").glob("whisper-bench-gate-*"))
        return self.process.returncode, said, report, root.findall(".//failure")


@pytest.fixture
def gate(tmp_path):
    """Start a gate whose candidate is a project in a folder of its own."""
    started = []
    (tmp_path / "scratch").mkdir()
    (tmp_path / "test_bench.py").write_text(BENCHMARK)

    def start(baseline, candidate, *arguments, cpus="none"):
        options = ("--cpus", cpus, "--max-pairs", "4", *arguments)
        started.append(Gated(tmp_path, baseline, candidate, options))
        return started[-1]

    yield start
    for item in started:
        if item.process.poll() is None:
            item.process.send_signal(signal.SIGTERM)
            item.process.communicate(timeout=PATIENCE_S)


def assert_red(gated, *reasons):
    status, said, report, failures = gated.ended()
    assert status == 1, said
    message = " ".join(said.split())
    for reason in reasons:
        assert reason in message
        assert reason in " ".join(report.reason.split())
    assert said.splitlines()[-1].startswith("FAIL: ")
    assert any(reasons[0] in " ".join(item.text.split()) for item in failures)
    assert len(report.turns) <= 2
    assert report.cases == []


def test_a_renamed_benchmark_function(gate, tmp_path, toy_arguments):
    """Both sides are real here, each in its own folder."""
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "test_bench.py").write_text(RENAMED)
    run = suite(*toy_arguments)
    assert_red(
        gate(f"{run} test_bench.py", f"cd new && {run}"),
        "cases: missing in the candidate: test_transcribe[base-t1-noise]; only in the candidate: "
        "test_renamed[base-t1-noise]",
    )


def test_a_renamed_clip(gate, tmp_path, recorded, toy_arguments, toy_clip):
    shutil.copy(toy_clip, tmp_path / "other.wav")
    assert_red(
        gate(recorded, suite(*toy_arguments, "--whisper-clip=other.wav")),
        "only in the candidate: test_transcribe[base-t1-other]",
    )


def test_another_model(gate, tmp_path, recorded, toy_arguments, base_weights):
    build_toy(tmp_path / "models" / "base", Path(base_weights.folder), seed=1)
    assert_red(
        gate(recorded, suite(*toy_arguments, "--whisper-model-dir=models")),
        "model_sha256 of base-t1-noise: ",
    )


FAILING = {
    "--whisper-beam-size=2": ["decoding.beam_size of base-t1-noise: 1 became 2"],
    "--benchmark-disable": ["exit status 4", "benchmarks are disabled (--benchmark-disable)"],
    "-n 2": ["exit status 1 nothing was measured: pytest-xdist is on (-n)"],
    "-k nothing": ["exit status 5: pytest found no case to run", "1 deselected"],
    "absent_folder": ["exit status 4", "file or directory not found: absent_folder"],
}


@pytest.mark.parametrize("arguments", FAILING)
def test_options_of_the_candidate_that_leave_nothing_to_compare(
    gate, recorded, toy_arguments, arguments
):
    candidate = suite(*toy_arguments, *arguments.split())
    assert_red(gate(recorded, candidate), *FAILING[arguments])


def test_a_candidate_that_measures_nothing_and_is_green(gate, recorded):
    assert_red(
        gate(recorded, "true --and nothing"), "it exited with status 0 but without complete results"
    )


def test_more_threads_than_the_limit_has_cpus(gate, toy_arguments):
    """The limit is the affinity's, which needs no control group."""
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        # macOS has no affinity, and of one CPU none can be left out; that the gate counts threads
        # against its limit is tested everywhere in test_limits.py
        pytest.skip(reason="a limit by affinity needs Linux and a CPU to leave out")
    run = f"taskset -c {min(os.sched_getaffinity(0))} {suite(*toy_arguments)}"
    assert_red(
        gate(run, run, "--", "--whisper-threads=2"),
        "threads: base-t2-noise: 2 threads under a limit of 1 CPU",
    )


def test_a_worker_that_is_killed_in_a_round(gate, tmp_path, recorded, toy_arguments):
    gated = gate(recorded, suite(*toy_arguments), "--rounds", "1000")

    def worker():
        assert gated.process.poll() is None, gated.process.communicate()
        return worker_in_a_round(tmp_path / "scratch")

    pid = wait_until(worker, lambda: "no round was finished")
    os.kill(pid, signal.SIGKILL)
    assert_red(gated, "exit status 1", f"the worker process {pid} ended by SIGKILL in round")


def worker_in_a_round(scratch):
    """Return the worker's process of a run of which a round is on the disk, None as yet."""
    lines = []
    for path in scratch.glob("*/journal/*.jsonl"):
        whole = path.read_bytes().rpartition(b"\n")[0]
        lines += [json.loads(line) for line in whole.splitlines()]
    measured = any(line["type"] == "round" for line in lines)
    (pid,) = [line["ready"]["pid"] for line in lines if line["type"] == "process"] or [None]
    return pid if measured else None


def test_a_baseline_that_fails_is_no_evidence_and_red(gate, recorded):
    status, said, report, failures = gate("sh -c 'exit 7'", recorded).ended()
    assert (status, report.answer) == (3, "NO EVIDENCE")
    assert said.splitlines()[-1].startswith(
        "NO EVIDENCE: runs: the baseline command:sh -c 'exit 7'"
    )
    assert {item.get("type") for item in failures} == {"NO EVIDENCE"}
