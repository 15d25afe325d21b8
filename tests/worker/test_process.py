import os
import shutil
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import msgspec
import pytest

from whisper_bench.case.backend import Backend, parse_backend
from whisper_bench.case.clip import load_clip
from whisper_bench.case.decoding import Decoding
from whisper_bench.case.language_codes import CODES
from whisper_bench.errors import BenchError, WorkerDiedError
from whisper_bench.weights.contents import hashed_files
from whisper_bench.worker import process
from whisper_bench.worker.environment import worker_environment
from whisper_bench.worker.process import Worker
from whisper_bench.worker.protocol import Assignment, Measured
from whisper_bench.worker.usage import peak_rss_bytes, run_queue_wait_s

X86_LOG = """\
[2026-11-24 06:13:25.032] [ctranslate2] [thread 3290] [info] CPU: AuthenticAMD (SSE4.1=true, AVX=true)
[2026-11-24 06:13:25.032] [ctranslate2] [thread 3290] [info]  - Selected ISA: AVX2
[2026-11-24 06:13:25.032] [ctranslate2] [thread 3290] [info]  - Use Intel MKL: false
[2026-11-24 06:13:25.032] [ctranslate2] [thread 3290] [info]  - SGEMM backend: DNNL (packed: false)
[2026-11-24 06:13:25.032] [ctranslate2] [thread 3290] [info]  - GEMM_S8 backend: DNNL (packed: false, u8s8 preferred: true)
[2026-11-24 06:13:25.713] [ctranslate2] [thread 3290] [info]  - Selected compute type: int8_float32
"""


def test_backend_from_the_log_of_this_kind_of_machine():
    assert parse_backend(X86_LOG) == Backend("AVX2", "DNNL", "DNNL", False, "int8_float32")  # noqa: FBT003


def test_a_log_that_says_nothing():
    assert parse_backend("something else") == Backend()


def test_thread_variables_override_those_of_the_user():
    given = {"OMP_NUM_THREADS": "8", "CT2_FORCE_CPU_ISA": "AVX2", "PATH": "/bin"}
    environment = worker_environment(2, given)
    assert environment["OMP_NUM_THREADS"] == "2"
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
    assert environment["VECLIB_MAXIMUM_THREADS"] == "1"
    assert environment["CT2_FORCE_CPU_ISA"] == "AVX2"
    assert environment["PATH"] == "/bin"


@pytest.fixture
def assignment(toy_dir, toy_clip):
    def make(**changes):
        settings = {
            "model": "base", "folder": str(toy_dir / "base"), "clip": load_clip(toy_clip),
            "threads": 1, "compute_type": "int8", "decoding": Decoding("vi", beam_size=1),
            "warmup_rounds": 0, "files": hashed_files(toy_dir / "base"),
        }  # fmt: skip
        return Assignment(**{**settings, **changes})

    return make


def test_a_worker_measures_and_tells_of_itself(assignment):
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


def test_a_worker_without_a_decoding_tells_the_language(assignment, toy_clip):
    clip = msgspec.structs.replace(load_clip(toy_clip), language=None)
    with Worker(assignment(decoding=None, warmup_rounds=0, clip=clip)) as worker:
        heard = worker.language()
    assert heard.code in CODES
    assert heard.known.source == "detected"
    assert heard.known.model == "base"
    assert 0 < heard.known.probability <= 1


def test_an_answer_is_not_timed_without_its_work(assignment):
    """A lazy generator that nobody consumes would take no CPU at all."""
    with Worker(assignment()) as worker:
        heard = worker.round().transcription
    assert heard.cpu_s > 0.01
    assert heard.wall_s > 0.01


def test_peak_memory_is_the_workers_own_and_not_its_parents():
    """Linux hands ru_maxrss of the parent on through exec; VmHWM is the process's own."""
    program = "from whisper_bench.worker.usage import peak_rss_bytes; print(peak_rss_bytes())"
    ballast = bytearray(300 * 2**20)
    ballast[:: 2**12] = b"x" * len(ballast[:: 2**12])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 100 * 2**20
    assert peak_rss_bytes() > 300 * 2**20


def test_peak_memory_without_proc(tmp_path, monkeypatch):
    from whisper_bench.worker import usage

    linux = peak_rss_bytes(tmp_path / "absent")
    monkeypatch.setattr(usage.platform, "system", lambda: "Darwin")
    assert peak_rss_bytes(tmp_path / "absent") == pytest.approx(linux / 1024, rel=0.1)
    (tmp_path / "status").write_text("Name:\tpython\n")
    assert peak_rss_bytes(tmp_path / "status") == pytest.approx(linux / 1024, rel=0.1)


def test_waiting_for_a_cpu(tmp_path):
    assert run_queue_wait_s(tmp_path / "absent") is None
    for name, text in (("1", "5 1500000000 3\n"), ("2", "5 500000000 3\n")):
        (tmp_path / "task" / name).mkdir(parents=True)
        (tmp_path / "task" / name / "schedstat").write_text(text)
    assert run_queue_wait_s(tmp_path / "task") == 2.0
    (tmp_path / "task" / "1" / "schedstat").write_text("5\n")
    assert run_queue_wait_s(tmp_path / "task") is None


@pytest.mark.parametrize("noticed", [True, False])
def test_a_killed_worker_says_when_how_and_why(assignment, noticed):
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


def test_a_worker_that_crashes_shows_its_last_words(assignment, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nonexistent")
    with pytest.raises(WorkerDiedError, match=r"with exit status 1 before its first round"):
        Worker(assignment())


def test_a_worker_that_answers_without_end_is_ended(assignment, monkeypatch):
    with Worker(assignment()) as worker:
        monkeypatch.setattr(process, "_MOST_REPLY_BYTES", 50)
        with pytest.raises(BenchError, match="answered with more than 0 MiB; measure a shorter"):
            worker.round()
    assert worker._process.returncode == -signal.SIGKILL


def test_of_what_a_worker_writes_on_stderr_the_beginning_and_the_end_are_read(
    assignment, monkeypatch
):
    with Worker(assignment()) as worker:
        os.write(worker._errors.fileno(), b"x" * 3_000_000 + b"\nthe end\n")
        assert len(worker._stderr(end=True)) == len(worker._stderr(end=False)) == 2**18
        assert worker._last_words()[-1] == "the end"
        assert parse_backend(worker._stderr(end=False)) == worker.ready.backend


def test_a_worker_ended_by_a_signal_without_a_name(assignment):
    with Worker(assignment()) as worker:
        os.kill(worker.ready.pid, 40)  # a real-time signal
        with pytest.raises(WorkerDiedError, match="ended by signal 40 in round 1"):
            worker.round()


def test_a_model_that_does_not_load_is_an_answer_and_no_crash(assignment, tmp_path):
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(BenchError, match="with compute type 'int8' does not load"):
        Worker(assignment(folder=str(tmp_path), files=hashed_files(tmp_path)))


def test_a_folder_that_is_not_utf_8_is_an_error_with_a_remedy(assignment):
    with pytest.raises(BenchError, match=r"l\\udcff.* not UTF-8 cannot .*move it"):
        Worker(assignment(folder="/models/l\udcff"))


def test_variables_that_are_not_utf_8_are_recorded_in_hex(assignment, monkeypatch):
    monkeypatch.setenv("CT2_X", "v\udcff")
    with Worker(assignment()) as worker:
        assert worker.ready.environment["CT2_X"] == r"v\xff"


def test_a_worker_outlives_neither_its_run_nor_a_round(assignment):
    """Killed in the middle of a run, the run's worker is gone at once and not a round later."""
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
    deadline_s = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline_s:
        if (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split())[0] == "Z":
            break
        time.sleep(0.02)
    else:
        assert not Path(f"/proc/{pid}").exists()


def test_close_is_harmless_when_the_worker_died_with_unread_lines(assignment):
    worker = Worker(assignment())
    os.kill(worker.ready.pid, signal.SIGKILL)
    time.sleep(0.1)
    worker._process.stdin.write(b"left in the buffer")
    worker.close()
    worker.close()


def test_a_worker_that_does_not_end_is_killed(assignment, monkeypatch):
    worker = Worker(assignment())
    monkeypatch.setattr(process, "_GRACE_S", 0.1)
    os.kill(worker.ready.pid, signal.SIGSTOP)
    worker.close()
    assert not Path(f"/proc/{worker.ready.pid}").exists()


def test_an_answer_that_no_worker_gives_is_refused_and_no_crash():
    class Talking:
        stdout = BytesIO(b'{"type":"measured","transcription":{"wall_s":null}}\n')

    worker = Worker.__new__(Worker)
    worker._process = Talking()
    with pytest.raises(
        BenchError, match=r"the worker's answer: transcription\.wall_s is null: Exp"
    ):
        worker._reply(Measured)


def test_a_worker_tells_the_files_that_it_loaded(assignment, toy_dir):
    with Worker(assignment()) as worker:
        assert worker.ready.files == hashed_files(toy_dir / "base")


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json"])
def test_weights_replaced_between_the_runs_check_and_the_load_are_refused(
    assignment, toy_dir, tmp_path, name
):
    folder = shutil.copytree(toy_dir / "base", tmp_path / "base")
    checked = hashed_files(folder)
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    with pytest.raises(BenchError) as caught:
        Worker(assignment(folder=str(folder), files=checked))
    for part in (f"{name} had sha256 {checked[name]}", hashed_files(folder)[name]):
        assert part in str(caught.value)


def test_a_private_copy_that_a_killed_worker_left_is_removed_with_it(
    assignment, tmp_path, monkeypatch
):
    monkeypatch.setenv("WHISPER_BENCH_CACHE", str(tmp_path))
    with Worker(assignment()) as worker:
        left = tmp_path / "whisper-bench-private-left"
        left.mkdir()
        os.kill(worker.ready.pid, signal.SIGKILL)
    assert not left.exists()


def test_a_worker_loads_weights_that_others_can_write_from_a_copy(
    assignment, toy_dir, tmp_path, monkeypatch
):
    monkeypatch.setenv("WHISPER_BENCH_CACHE", str(tmp_path / "cache"))
    folder = shutil.copytree(toy_dir / "base", tmp_path / "base")
    folder.chmod(0o777)
    with Worker(assignment(folder=str(folder))) as worker:
        assert worker.ready.files == hashed_files(folder)
        assert worker.round().transcription.tokens > 0
    assert list((tmp_path / "cache").iterdir()) == []
