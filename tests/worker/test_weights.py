"""A worker and its weights: loaded as checked, and from a private copy where others can write."""

import os
import shutil
import signal

import pytest

from whisper_bench.errors import BenchError
from whisper_bench.weights.contents import hashed_files
from whisper_bench.worker.process import Worker


def test_a_worker_reports_the_files_that_it_loaded(assignment, toy_dir):
    with Worker(assignment()) as worker:
        assert worker.ready.files == hashed_files(toy_dir / "base")


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json"])
def test_weights_replaced_after_the_check_are_refused(assignment, toy_dir, tmp_path, name):
    folder = shutil.copytree(toy_dir / "base", tmp_path / "base")
    checked = hashed_files(folder)
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    with pytest.raises(BenchError) as caught:
        Worker(assignment(folder=str(folder), files=checked))
    for part in (f"{name} had sha256 {checked[name]}", hashed_files(folder)[name]):
        assert part in str(caught.value)


def test_a_private_copy_of_a_killed_worker_is_removed(assignment, tmp_path, monkeypatch):
    monkeypatch.setenv("WHISPER_BENCH_CACHE", str(tmp_path))
    with Worker(assignment()) as worker:
        left = tmp_path / "whisper-bench-private-left"
        left.mkdir()
        os.kill(worker.ready.pid, signal.SIGKILL)
    assert not left.exists()


def test_weights_that_others_can_write_are_loaded_from_a_copy(
    assignment, toy_dir, tmp_path, monkeypatch
):
    monkeypatch.setenv("WHISPER_BENCH_CACHE", str(tmp_path / "cache"))
    folder = shutil.copytree(toy_dir / "base", tmp_path / "base")
    folder.chmod(0o777)
    with Worker(assignment(folder=str(folder))) as worker:
        assert worker.ready.files == hashed_files(folder)
        assert worker.round().transcription.tokens > 0
    assert list((tmp_path / "cache").iterdir()) == []
