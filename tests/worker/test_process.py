import os
import signal
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import msgspec
import pytest

from support.processes import has_ended, wait_until
from whisper_bench.case.backend import parse_backend
from whisper_bench.case.clip import load_clip
from whisper_bench.case.language_codes import CODES
from whisper_bench.errors import BenchError, WorkerDiedError
from whisper_bench.weights.contents import hashed_files
from whisper_bench.worker import process
from whisper_bench.worker.process import Worker
from whisper_bench.worker.protocol import Measured


def test_a_worker_measures_and_reports_its_facts(assignment):
    with Worker(assignment(threads=2)) as worker:
        ready = worker.ready
        first, second = worker.round(), worker.round()
    assert ready.pid != os.getpid()
    assert ready.load_s > 0
    assert ready.compute_type == "int8_float32"
    assert ready.backend.instruction_set is not None
    assert ready.environment["OMP_NUM_THREADS"] == "2"
    assert ready.versions["ctranslate2"]
    assert first.transcription.text == second.transcription.text
    assert first.transcription.tokens == second.transcription.tokens > 0
    assert first.transcription.cpu_s > 0
    assert 20 * 2**20 < first.peak_rss_bytes <= second.peak_rss_bytes < 2**30


def test_a_worker_without_a_decoding_detects_the_language(assignment, toy_clip):
    clip = msgspec.structs.replace(load_clip(toy_clip), language=None)
    with Worker(assignment(decoding=None, warmup_rounds=0, clip=clip)) as worker:
        heard = worker.language()
    assert heard.code in CODES
    assert heard.known.source == "detected"
    assert heard.known.model == "base"
    assert 0 < heard.known.probability <= 1


def test_a_round_includes_the_work_of_the_lazy_generator(assignment):
    """A lazy generator that nobody consumes would take no CPU at all."""
    with Worker(assignment()) as worker:
        heard = worker.round().transcription
    assert heard.cpu_s > 0.01
    assert heard.wall_s > 0.01


@pytest.mark.parametrize("noticed", [True, False])
def test_a_killed_worker_is_reported_with_round_and_cause(assignment, noticed):
    with Worker(assignment()) as worker:
        worker.round()
        os.kill(worker.ready.pid, signal.SIGSTOP)
        os.kill(worker.ready.pid, signal.SIGKILL)
        if noticed:  # then its pipe is broken before anything is sent
            worker._process.wait()
        with pytest.raises(WorkerDiedError) as caught:
            worker.round()
    message = str(caught.value)
    assert f"the worker process {worker.ready.pid} ended by SIGKILL in round 2" in message
    assert "out of memory is the usual cause" in message
    assert "MiB" in message


def test_a_worker_that_crashes_is_reported_with_its_exit_status(assignment, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nonexistent")
    with pytest.raises(WorkerDiedError, match=r"with exit status 1 before its first round"):
        Worker(assignment())


def test_a_worker_whose_answer_is_too_long_is_ended(assignment, monkeypatch):
    with Worker(assignment()) as worker:
        monkeypatch.setattr(process, "_MOST_REPLY_BYTES", 50)
        with pytest.raises(BenchError, match="answered with more than 0 MiB; measure a shorter"):
            worker.round()
    assert worker._process.returncode == -signal.SIGKILL


def test_the_beginning_and_the_end_of_stderr_are_read(assignment, monkeypatch):
    with Worker(assignment()) as worker:
        os.write(worker._errors.fileno(), b"x" * 3_000_000 + b"\nthe end\n")
        assert len(worker._stderr(end=True)) == len(worker._stderr(end=False)) == 2**18
        assert worker._last_lines()[-1] == "the end"
        assert parse_backend(worker._stderr(end=False)) == worker.ready.backend


def test_a_worker_ended_by_a_signal_without_a_name_is_reported(assignment):
    with Worker(assignment()) as worker:
        os.kill(worker.ready.pid, 40)  # a real-time signal
        with pytest.raises(WorkerDiedError, match="ended by signal 40 in round 1"):
            worker.round()


def test_a_model_that_cannot_be_loaded_is_an_error(assignment, tmp_path):
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(BenchError, match="compute type 'int8' cannot be loaded.*complete weights"):
        Worker(assignment(folder=str(tmp_path), files=hashed_files(tmp_path)))


def test_a_folder_that_is_not_utf_8_is_an_error_with_a_remedy(assignment):
    with pytest.raises(BenchError, match=r"l\\udcff.* not UTF-8; move it"):
        Worker(assignment(folder="/models/l\udcff"))


def test_variables_that_are_not_utf_8_are_recorded_in_hex(assignment, monkeypatch):
    monkeypatch.setenv("CT2_X", "v\udcff")
    with Worker(assignment()) as worker:
        assert worker.ready.environment["CT2_X"] == r"v\xff"


def test_a_worker_ends_with_its_run_in_the_middle_of_a_round(assignment):
    """The worker of a killed run ends too."""
    if sys.platform != "linux":
        pytest.skip("only Linux kills a child with its parent; elsewhere it ends with its round")
    import msgspec

    program = """
import sys, msgspec, os, signal
from whisper_bench.worker.process import Worker
from whisper_bench.worker.protocol import Assignment, Measured
worker = Worker(msgspec.json.decode(sys.argv[1], type=Assignment))
print(worker.ready.pid, flush=True)
worker._send(b"round")
os.kill(os.getpid(), signal.SIGKILL)
"""
    encoded = msgspec.json.encode(assignment()).decode()
    done = subprocess.run(
        [sys.executable, "-c", program, encoded], capture_output=True, text=True, check=False
    )
    pid = int(done.stdout)
    wait_until(lambda: has_ended(pid), f"the worker {pid} has not ended with its run")


def test_close_is_harmless_when_the_worker_died_with_unread_lines(assignment):
    worker = Worker(assignment())
    os.kill(worker.ready.pid, signal.SIGKILL)
    wait_until(lambda: has_ended(worker.ready.pid), "the killed worker has not ended")
    worker._process.stdin.write(b"left in the buffer")
    worker.close()
    worker.close()


def test_a_worker_that_does_not_end_is_killed(assignment, monkeypatch):
    worker = Worker(assignment())
    monkeypatch.setattr(process, "_GRACE_S", 0.1)
    os.kill(worker.ready.pid, signal.SIGSTOP)
    worker.close()
    assert not Path(f"/proc/{worker.ready.pid}").exists()


def test_an_invalid_answer_is_refused():
    class Talking:
        stdout = BytesIO(b'{"type":"measured","transcription":{"wall_s":null}}\n')

    worker = Worker.__new__(Worker)
    worker._process = Talking()
    with pytest.raises(
        BenchError, match=r"the worker's answer: transcription\.wall_s is null: Exp"
    ):
        worker._reply(Measured)


def test_a_released_worker_goes_from_round_to_round_until_nobody_listens(assignment):
    worker = Worker(assignment(), wait=False)
    worker.become_ready()
    worker.release()
    first, second = worker.next_round(), worker.next_round()
    assert first.start_s + first.transcription.wall_s <= second.start_s
    for pipe in (worker._process.stdout, worker._process.stdin):
        pipe.close()
    assert worker._process.wait() == 0
    worker.close()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="a stopped process is told by /proc")
def test_a_stopped_worker_is_told_from_one_that_runs_and_one_that_is_gone(assignment):
    with Worker(assignment()) as worker:
        assert not worker.is_stopped
        os.kill(worker.pid, signal.SIGSTOP)
        wait_until(lambda: worker.is_stopped, "the worker is not stopped")
        os.kill(worker.pid, signal.SIGCONT)
    assert not worker.is_stopped
