"""Peak memory and waiting time of a process, as the kernel counts them."""

import subprocess
import sys

import pytest

from whisper_bench.worker.usage import peak_rss_bytes, run_queue_wait_s


def test_peak_memory_is_not_that_of_the_parent():
    """Linux hands ru_maxrss of the parent on through exec; VmHWM is the process's own."""
    program = "from whisper_bench.worker.usage import peak_rss_bytes; print(peak_rss_bytes())"
    ballast = bytearray(300 * 2**20)
    ballast[:: 2**12] = b"x" * len(ballast[:: 2**12])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 100 * 2**20
    assert peak_rss_bytes() > 300 * 2**20


def test_peak_memory_without_proc_is_from_getrusage(tmp_path, monkeypatch):
    from whisper_bench.worker import usage

    linux = peak_rss_bytes(tmp_path / "absent")
    monkeypatch.setattr(usage.platform, "system", lambda: "Darwin")
    assert peak_rss_bytes(tmp_path / "absent") == pytest.approx(linux / 1024, rel=0.1)
    (tmp_path / "status").write_text("Name:\tpython\n")
    assert peak_rss_bytes(tmp_path / "status") == pytest.approx(linux / 1024, rel=0.1)


def test_the_waiting_time_of_all_threads_is_summed(tmp_path):
    assert run_queue_wait_s(tmp_path / "absent") is None
    for name, text in (("1", "5 1500000000 3\n"), ("2", "5 500000000 3\n")):
        (tmp_path / "task" / name).mkdir(parents=True)
        (tmp_path / "task" / name / "schedstat").write_text(text)
    assert run_queue_wait_s(tmp_path / "task") == 2.0
    (tmp_path / "task" / "1" / "schedstat").write_text("5\n")
    assert run_queue_wait_s(tmp_path / "task") is None
