"""The pinned models: names, sizes and files."""

from whisper_bench.weights.pins import (
    MODEL_FILES,
    MODEL_NAMES,
    is_shape_only,
    pinned_files,
    real_size,
    unpinned_files,
)


def test_the_names_of_the_models():
    assert MODEL_NAMES == ("base", "small", "medium", "small-shape-only", "medium-shape-only")
    assert real_size("small-shape-only") == "small"
    assert is_shape_only("small-shape-only")
    assert not is_shape_only("small")


def test_every_file_of_every_model_is_pinned():
    for name in MODEL_NAMES:
        assert set(pinned_files(name)) == set(MODEL_FILES)
        assert unpinned_files(name, pinned_files(name)) == []
    assert unpinned_files("large", {"model.bin": "a"}) == ["model.bin"]
