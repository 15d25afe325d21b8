"""The split of a transcription: the encoder and the decoder are timed, and all else passed on."""

import time

import pytest

from whisper_bench.case.clip import load_clip
from whisper_bench.worker.engine import load_model, run_benchmark
from whisper_bench.worker.phases import PhaseClock


class Model:
    """CTranslate2's Whisper, as far as a clock sees it: phases that use a known CPU time."""

    is_multilingual = True

    def encode(self, features, *, to_cpu):
        work(0.02)
        return features, to_cpu

    def generate(self, features, prompts):
        work(0.01)
        return features, prompts


def work(cpu_s):
    end_s = time.process_time() + cpu_s
    while time.process_time() < end_s:
        pass


def test_each_phase_has_its_calls_and_seconds():
    clock = PhaseClock(Model())
    for window in range(2):
        assert clock.encode(window, to_cpu=True) == (window, True)
        assert clock.generate(window, ["prompt"]) == (window, ["prompt"])
    split = clock.take()
    assert split.windows == 2
    assert (split.encode_cpu_s, split.decode_cpu_s) == pytest.approx((0.04, 0.02), abs=0.005)
    assert split.encode_s >= 0.04 <= split.encode_cpu_s + 0.005
    assert split.decode_s >= 0.02


def test_a_split_is_taken_once():
    clock = PhaseClock(Model())
    clock.encode(0, to_cpu=True)
    assert clock.take() is None  # nothing was decoded
    clock.generate(0, [])
    assert clock.take() is None
    clock.encode(0, to_cpu=True)
    clock.generate(0, [])
    assert clock.take().windows == 1


def test_all_else_is_the_models_own():
    assert PhaseClock(Model()).is_multilingual is True
    with pytest.raises(AttributeError, match="no_such"):
        _ = PhaseClock(Model()).no_such


def test_rounds_of_a_model_are_split(toy_dir, toy_clip):
    clip = load_clip(toy_clip)
    for measured in run_benchmark(load_model("base", folder=toy_dir / "base"), clip, rounds=2):
        split = measured.split
        assert split.windows == clip.windows == 1
        assert 0.5 * measured.wall_s < split.encode_s + split.decode_s <= measured.wall_s
        assert split.encode_cpu_s + split.decode_cpu_s <= measured.cpu_s
