"""Fixtures of the worker's tests."""

import pytest

from whisper_bench.case.clip import load_clip
from whisper_bench.case.decoding import Decoding
from whisper_bench.weights.contents import hashed_files
from whisper_bench.worker.protocol import Assignment


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
