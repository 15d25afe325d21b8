"""The design's public functions, in this process."""

import shutil
from pathlib import Path

import pytest

import whisper_bench
from whisper_bench.case.clip import load_clip
from whisper_bench.errors import BenchError


def test_the_public_names_are_importable_and_documented():
    for name in whisper_bench.__all__:
        assert getattr(whisper_bench, name).__doc__
    assert set(whisper_bench.__all__) == set(dir(whisper_bench))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = whisper_bench.nonsense


def test_a_model_is_loaded_warmed_up_and_measured(toy_dir, toy_clip):
    model = whisper_bench.load_model("base", folder=toy_dir / "base", threads=1)
    clip = load_clip(toy_clip)
    whisper_bench.run_warmup(model, clip, rounds=1)
    rounds = list(whisper_bench.run_benchmark(model, clip, rounds=2))
    assert len(rounds) == 2
    assert rounds[0].text == rounds[1].text
    for measured in rounds:
        assert min(measured.wall_s, measured.cpu_s, measured.tokens) > 0
    assert model.compute_type == "int8_float32"


def test_audio_is_decoded_before_the_first_round(toy_dir, toy_clip, tmp_path):
    clip = tmp_path / "gone.wav"
    clip.write_bytes(toy_clip.read_bytes())
    clip.with_suffix(".json").write_text('{"language": "vi"}')
    model = whisper_bench.load_model("base", folder=toy_dir / "base")
    rounds = whisper_bench.run_benchmark(model, load_clip(clip), rounds=1)
    clip.unlink()
    assert next(rounds).tokens > 0


def test_base_is_found_without_a_folder(base_weights):
    model = whisper_bench.load_model("base")
    assert model.threads == 1
    assert Path(base_weights.folder).is_dir()


def test_a_broken_tokenizer_is_an_error_with_a_remedy(toy_dir, tmp_path):
    folder = shutil.copytree(toy_dir / "base", tmp_path / "base")
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(BenchError, match="cannot be loaded: EOF while parsing.*complete weights"):
        whisper_bench.load_model("base", folder=folder)


def test_an_unknown_compute_type_is_refused(toy_dir):
    with pytest.raises(BenchError, match="compute type 'int4' cannot be loaded"):
        whisper_bench.load_model("base", folder=toy_dir / "base", compute_type="int4")
