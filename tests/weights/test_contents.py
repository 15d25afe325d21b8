"""The files of a folder of weights: missing ones, pipes, and those that cannot be read."""

import errno
import os
from pathlib import Path

import pytest

import whisper_bench
from whisper_bench.errors import BenchError
from whisper_bench.weights.contents import hashed_files, is_there

FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_an_error_and_not_downloaded(folder, name):
    (folder / name).unlink()
    with pytest.raises(BenchError, match=f"{name} missing, and never downloaded"):
        whisper_bench.load_model(folder=folder)


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json"])
def test_a_pipe_in_the_place_of_a_file_is_refused_at_once(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(BenchError, match=f"{name} is not a regular file"):
        hashed_files(folder)


def test_a_file_that_cannot_be_read_is_an_error(folder, monkeypatch):
    def refused(*_arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("whisper_bench.weights.contents.os.open", refused)
    with pytest.raises(BenchError, match=r"model\.bin cannot be read \(Permission denied\)"):
        hashed_files(folder)


def test_a_folder_without_permission_is_an_error(tmp_path, monkeypatch):
    def closed(path, **_settings):
        raise PermissionError(errno.EACCES, "Permission denied", path)

    (tmp_path / "base").mkdir()
    monkeypatch.setattr(Path, "stat", closed)
    with pytest.raises(BenchError, match=r"cannot check whether .*model.bin exists .*chmod a\+rX"):
        is_there(tmp_path / "base" / "model.bin")


def test_a_model_dir_that_is_a_file_has_no_model(tmp_path):
    (tmp_path / "base").write_text("")
    assert not is_there(tmp_path / "base" / "model.bin")
