import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from support.project import ROOT, STANDARD_CLIP
from whisper_bench.case.clip import load_clip, samples_of
from whisper_bench.errors import BenchError
from whisper_bench.weights.pins import MODEL_FILES

sys.path.insert(0, str(ROOT / "benchmarks"))

import shape_only
from ct2file import read_variables
from shape_only import grow_shape_only


@pytest.fixture(scope="module")
def small(base_weights, tmp_path_factory):
    if base_weights.source != "registry":
        pytest.skip("the registry's packages are not installed (extra `weights`)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WHISPER_BENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield grow_shape_only("small")


def test_the_small_shape_has_the_sizes_of_small(small):
    variables = read_variables(Path(small.folder) / "model.bin")
    layers = {name.split("/")[1] for name in variables if name.startswith("decoder/layer_")}
    assert len(layers - {"layer_norm"}) == 12
    assert variables["encoder/conv2/bias"].shape == (768,)
    assert variables["encoder/layer_11/ffn/linear_0/weight"].shape == (3072, 768)
    assert variables["decoder/embeddings/weight"].shape == (51865, 768)
    assert np.isfinite(variables["decoder/embeddings/weight"]).all()
    assert (Path(small.folder) / "model.bin").stat().st_size > 450e6
    assert small.shape_only


def test_grown_weights_are_the_pinned_ones_in_every_file(small):
    assert small.pinned
    assert set(small.files) == set(MODEL_FILES)


def test_what_grew_to_other_bytes_is_refused_and_nothing_is_left(
    base_weights, tmp_path, monkeypatch
):
    monkeypatch.setenv("WHISPER_BENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(shape_only, "resolve_weights", lambda _name: base_weights)
    monkeypatch.setattr(shape_only._Growth, "__init__", lambda *_arguments: None)

    def grown(_growth, folder):
        shutil.copytree(base_weights.folder, folder, dirs_exist_ok=True)

    monkeypatch.setattr(shape_only._Growth, "save", grown)
    with pytest.raises(BenchError, match=r"grew to model\.bin with sha256 d01c.*use the versions"):
        grow_shape_only("small")
    assert list((tmp_path / "weights").iterdir()) == []


@pytest.mark.real
def test_small_shape_computes_what_base_computes_at_more_cost(small, base_weights):
    """Encoder and decoder nearly agree (see shape_only.py on the stem); words that tie may differ."""
    from ctranslate2 import Device
    from faster_whisper import WhisperModel

    norms = read_variables(Path(base_weights.folder) / "model.bin")
    gamma, beta = (norms[f"encoder/layer_norm/{part}"] for part in ("gamma", "beta"))

    def computed(weights):
        model = WhisperModel(weights.folder, device="cpu", compute_type="float32", cpu_threads=1)
        features = model.feature_extractor(samples_of(load_clip(STANDARD_CLIP)))[:, :3000]
        start_s = time.process_time()
        encoded = model.encode(features)
        cost_s = time.process_time() - start_s
        languages = dict(model.model.detect_language(encoded)[0])
        return np.array(encoded.to_device(Device.cpu))[0], languages, cost_s

    ours, our_languages, our_cost_s = computed(small)
    bases, base_languages, base_cost_s = computed(base_weights)
    # small's last normalisation is a unit one, its gamma and beta folded into what reads it
    expected = ours[:, :512] * np.sqrt(512 / 768) * gamma + beta
    assert np.corrcoef(expected.ravel(), bases.ravel())[0, 1] > 0.99
    assert our_languages == pytest.approx(base_languages, abs=0.02)
    assert our_cost_s > 1.5 * base_cost_s


def test_another_size_is_refused():
    with pytest.raises(BenchError, match="shape 'large' is not known; use one of small, medium"):
        grow_shape_only("large")


def test_another_binary_version_is_refused(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"\x05\x00\x00\x00")
    with pytest.raises(BenchError, match="binary version 5, but only 6 can be read"):
        read_variables(tmp_path / "model.bin")
