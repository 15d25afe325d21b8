"""Shape-only weights: never taken for real ones, whatever their label says."""

import os

import msgspec
import pytest

from support.hashes import sha256_of
from support.weights import refusal
from whisper_bench.weights.pins import PINS, SHAPE_ONLY_SHA256
from whisper_bench.weights.resolve import MARKER, ShapeOnlyMarker, resolve_weights


def test_shape_only_weights_are_refused_under_the_real_name(model_dir):
    marker = ShapeOnlyMarker("small", "0" * 64, "1" * 64)
    message = refusal("small", model_dir=model_dir("small", marker=marker))
    assert "has weights of small's shape only" in message
    assert "--whisper-models small-shape-only" in message


def test_shape_only_weights_need_their_label(model_dir, nowhere):
    assert "has no shape_only.json for small" in refusal(
        "small-shape-only", model_dir=model_dir("small-shape-only")
    )
    assert "make them from base's with: python benchmarks/shape_only.py medium" in refusal(
        "medium-shape-only"
    )


def test_a_label_of_another_size_or_broken_is_refused(model_dir):
    folder = model_dir("medium-shape-only", marker=ShapeOnlyMarker("small", "0" * 64, "1" * 64))
    assert "has no shape_only.json for medium" in refusal("medium-shape-only", model_dir=folder)
    (folder / "medium-shape-only" / MARKER).write_text("{")
    assert "make the weights again: python benchmarks/shape_only.py medium" in refusal(
        "medium-shape-only", model_dir=folder
    )


def test_the_hash_in_the_label_proves_nothing(model_dir):
    """The label beside them names their own hash, and is no proof of anything."""
    folder = model_dir("small-shape-only", b"touched")
    digest = sha256_of(folder / "small-shape-only" / "model.bin")
    marker = ShapeOnlyMarker("small", digest, PINS["base"].model_sha256)
    (folder / "small-shape-only" / MARKER).write_bytes(msgspec.json.encode(marker))
    message = refusal("small-shape-only", model_dir=folder)
    assert f"has sha256 {digest}, pinned is {SHAPE_ONLY_SHA256['small']}" in message
    weights = resolve_weights("small-shape-only", model_dir=folder, allow_unpinned=True)
    assert (weights.shape_only, weights.pinned, weights.revision) == (True, False, None)


def test_shape_only_weights_are_recognised_without_their_label(model_dir, monkeypatch):
    folder = model_dir("small", b"grown")
    digest = sha256_of(folder / "small" / "model.bin")
    monkeypatch.setitem(SHAPE_ONLY_SHA256, "small", digest)
    message = refusal("small", model_dir=folder, allow_unpinned=True)
    assert "has weights of small's shape only" in message
    assert "--whisper-models small-shape-only" in message


@pytest.mark.parametrize("kind", ["folder", "pipe", "not_utf_8"])
def test_a_label_that_is_not_a_json_file_is_refused(model_dir, kind):
    folder = model_dir("small-shape-only")
    label = folder / "small-shape-only" / MARKER
    label.unlink(missing_ok=True)
    make = {
        "folder": label.mkdir,
        "pipe": lambda: os.mkfifo(label),
        "not_utf_8": lambda: label.write_bytes(b'{"size": "\xff"}'),
    }
    make[kind]()
    assert MARKER in refusal("small-shape-only", model_dir=folder)
