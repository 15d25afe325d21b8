"""The gate on real containers of the image, real weights and real clip inside."""

import os
import signal
import subprocess

import msgspec
import pytest

from support.runs import PATIENCE_S, SCRIPTS, wait_until
from whisper_bench.gate.report import Answer, GateReport

pytestmark = pytest.mark.real
QUICK = ("--", "--whisper-warmup-rounds=0")


@pytest.fixture
def gate(engine, image, tmp_path):
    """Start a gate of the image against itself, its output in a file."""
    started = []

    def start(*sides, arguments=("--max-pairs=4", *QUICK)):
        with (tmp_path / "said").open("wb") as said:
            started.append(
                subprocess.Popen(
                    [SCRIPTS / "whisper-bench", "gate", *(sides or 2 * [f"image:{image}"]), *arguments],
                    cwd=tmp_path, stdout=said, stderr=subprocess.STDOUT,
                    env={**os.environ, **engine.environment},
                )
            )  # fmt: skip
        return started[-1]

    yield start
    for item in started:
        item.terminate()
        item.wait(PATIENCE_S)


def report_of(folder):
    content = (folder / "benchmark_results" / "gate.json").read_bytes()
    return msgspec.json.decode(content, type=GateReport)


def containers(engine):
    names = ("ps", "--all", "--quiet", "--filter=name=whisper-bench-gate-")
    return engine.docker(*names).stdout.split()


def until(condition, gate):
    def holds():
        assert gate.poll() is None, "the gate has ended"
        return condition()

    return wait_until(holds, lambda: "it never came")


def test_an_image_against_itself(engine, image, gate, tmp_path):
    # two rounds each, since throttling wants 100 periods of a fast machine, too
    status = gate(arguments=("--max-pairs=4", "--rounds=2", *QUICK)).wait(1_000)
    said, report = (tmp_path / "said").read_text(), report_of(tmp_path)
    # four pairs may not be enough on a noisy machine, and a fail would be a wrong one
    assert report.answer in {Answer.PASS, Answer.NO_EVIDENCE}, said
    assert status == {Answer.PASS: 0, Answer.NO_EVIDENCE: 3}[report.answer]
    assert said.splitlines()[-1].startswith(f"{report.answer}: ")
    sides = [turn.side for turn in report.turns]
    assert sides == 2 * ["baseline", "candidate", "candidate", "baseline"]
    assert all(check.answer is Answer.PASS for check in report.checks), said
    assert report.baseline.what == f"image:{image}"
    # each process is its own container, and the latencies of none are another's
    latencies = [turn.samples[0].latency_s[0] for turn in report.turns]
    assert len(set(latencies)) == len(latencies)
    assert containers(engine) == []


def killed(engine):
    """Kill a container that runs; one may end between the list and the kill."""
    return any(engine.docker("kill", name).returncode == 0 for name in containers(engine))


def test_a_container_that_is_killed_is_a_fail_with_its_reason(engine, gate, tmp_path):
    running = gate()
    until(lambda: "baseline   1/4" in (tmp_path / "said").read_text(), running)
    until(lambda: killed(engine), running)
    assert running.wait(PATIENCE_S) == 1
    report = report_of(tmp_path)
    assert report.answer is Answer.FAIL
    assert "the candidate image:" in report.reason
    assert "it was killed by SIGKILL; usually it was out of memory" in report.reason
    assert containers(engine) == []


def test_a_cancelled_job_leaves_no_container(engine, gate, tmp_path):
    running = gate()
    until(lambda: containers(engine), running)
    running.send_signal(signal.SIGTERM)
    assert running.wait(PATIENCE_S) == 130
    assert containers(engine) == []
    assert not (tmp_path / "benchmark_results" / "gate.json").exists()


def test_an_image_that_is_not_there(engine, gate, tmp_path):
    assert (
        gate("image:whisper-bench-test:none", "image:whisper-bench-test:none").wait(PATIENCE_S) == 3
    )
    assert "exit status 125: the container could not be started" in report_of(tmp_path).reason
