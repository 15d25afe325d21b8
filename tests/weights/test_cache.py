"""The user's cache: folders that appear whole or not at all."""

from pathlib import Path

import pytest

from whisper_bench.errors import BenchError
from whisper_bench.weights import cache


def test_the_default_cache_is_the_folder_of_the_system(monkeypatch):
    monkeypatch.delenv("WHISPER_BENCH_CACHE", raising=False)
    assert cache.cache_folder().name == "pytest-whisper-bench"


def test_an_existing_folder_is_not_made_again(tmp_path):
    made = []
    for _ in range(2):
        cache.folder_made_once(tmp_path / "base", made.append)
    assert len(made) == 1


def test_the_first_of_two_processes_makes_the_folder(tmp_path):
    folder = tmp_path / "base"

    def fill(scratch):
        (scratch / "model.bin").write_text("mine")
        folder.mkdir()  # another process was faster
        (folder / "model.bin").write_text("theirs")

    assert cache.folder_made_once(folder, fill) == folder
    assert (folder / "model.bin").read_text() == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["base"]


def test_a_folder_that_cannot_be_renamed_is_an_error(tmp_path, monkeypatch):
    def refused(_self, _target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(
        BenchError, match="Permission denied; let this user write .*WHISPER_BENCH_CACHE"
    ):
        cache.folder_made_once(tmp_path / "base", lambda _scratch: None)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_names_the_variable(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file where a folder should be")
    monkeypatch.setenv("WHISPER_BENCH_CACHE", str(tmp_path / "cache"))
    folder = cache.cache_folder() / "weights"
    with pytest.raises(BenchError, match=r"choose another folder \(WHISPER_BENCH_CACHE\)"):
        cache.folder_made_once(folder, lambda _scratch: None)
