"""Fixtures of the weights' tests."""

import shutil
from pathlib import Path

import msgspec
import pytest

from whisper_bench.weights import resolve, sources
from whisper_bench.weights.pins import MODEL_FILES
from whisper_bench.weights.resolve import MARKER

FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")


@pytest.fixture
def folder(tmp_path):
    """Weights as far as hashing goes."""
    made = tmp_path / "models" / "base"
    made.mkdir(parents=True)
    for name in FILES:
        (made / name).write_text(f"what {name} holds")
    return made


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Where private copies are made."""
    place = tmp_path / "cache"
    monkeypatch.setenv("WHISPER_BENCH_CACHE", str(place))
    return place


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A machine whose only weights are the registry's packages."""
    monkeypatch.setenv("WHISPER_BENCH_CACHE", str(tmp_path / "cache"))

    def absent(_pin):
        raise sources.UnavailableError("the hub is out of reach")

    monkeypatch.setattr(resolve, "cached_hub_folder", absent)
    monkeypatch.setattr(resolve, "downloaded_hub_folder", absent)
    return tmp_path


@pytest.fixture
def model_dir(tmp_path, base_weights):
    """Return a function that makes a folder of weights with the given bytes in it."""

    def make(name, content=b"other weights", marker=None):
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        (folder / "model.bin").write_bytes(content)
        for other in MODEL_FILES[1:]:
            shutil.copy(Path(base_weights.folder, other), folder)
        if marker is not None:
            (folder / MARKER).write_bytes(msgspec.json.encode(marker))
        return folder.parent

    return make
