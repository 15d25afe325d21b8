"""What is loaded is what was hashed: changes meanwhile, other users, private copies."""

import os
import shutil
from pathlib import Path

import pytest

import whisper_bench
from whisper_bench.errors import BenchError
from whisper_bench.weights.contents import hashed_files
from whisper_bench.weights.held import held_weights

FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")


def test_weights_of_this_user_are_loaded_in_place(folder, cache):
    with held_weights(folder) as held:
        assert held.folder == folder
        assert held.files == hashed_files(folder)
        assert set(held.files) == set(FILES)
    assert not cache.exists()


def while_held(folder, change):
    """Change something where the weights have been hashed and are being loaded."""
    with held_weights(folder):
        change()


@pytest.mark.parametrize("name", [*FILES[:3], "vocabulary.json", "preprocessor_config.json"])
def test_a_file_replaced_between_hash_and_load_is_refused(folder, name):
    def change():
        (folder / "other").write_text("what was not hashed")
        (folder / "other").replace(folder / name)

    with pytest.raises(BenchError, match=f"{name}, the folder changed while they were loaded"):
        while_held(folder, change)


def test_a_file_written_in_place_between_hash_and_load_is_refused(folder):
    def change():
        size = (folder / "config.json").stat().st_size
        (folder / "config.json").write_text("x" * size)
        os.utime(folder / "config.json", ns=(0, 0))  # what a writer can set back: not ctime

    with pytest.raises(BenchError, match=r"base: config\.json changed while they were loaded"):
        while_held(folder, change)


def test_a_link_changed_between_hash_and_load_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "other")
    link = tmp_path / "linked"
    link.symlink_to(folder)

    def change():
        link.unlink()
        link.symlink_to(tmp_path / "other")

    with pytest.raises(BenchError, match=r"model\.bin.* changed while"):
        while_held(link, change)


def test_a_swap_that_is_undone_is_refused_too(folder):
    def change():
        (folder / "model.bin").rename(folder / "kept")
        (folder / "model.bin").write_text("other bytes, loaded by now")
        (folder / "kept").replace(folder / "model.bin")

    with pytest.raises(BenchError, match="the folder changed while"):
        while_held(folder, change)


def test_a_file_changed_after_the_check_is_refused(folder):
    checked = hashed_files(folder)
    (folder / "config.json").write_text("{}")
    with pytest.raises(BenchError) as caught, held_weights(folder, checked):
        pytest.fail("it was loaded")
    for part in (checked["config.json"], hashed_files(folder)["config.json"], "config.json had"):
        assert part in str(caught.value)


def test_a_file_added_after_the_check_is_refused(folder):
    checked = hashed_files(folder)
    (folder / "preprocessor_config.json").write_text("{}")
    with (
        pytest.raises(BenchError, match=r"preprocessor_config\.json had sha256 none when the run"),
        held_weights(folder, checked),
    ):
        pytest.fail("it was loaded")


def test_load_model_reports_the_files_that_it_loaded(toy_dir):
    model = whisper_bench.load_model(folder=toy_dir / "base")
    assert model.files == hashed_files(toy_dir / "base")
    assert "vocabulary.json" in model.files
    assert model.load_s > 0


def test_a_file_swapped_inside_the_loader_is_refused(toy_dir, tmp_path, monkeypatch):
    """Hashed, then replaced, then loaded, all in the process that loads."""
    import faster_whisper

    shutil.copytree(toy_dir / "base", tmp_path / "base")
    load = faster_whisper.WhisperModel

    def swapped(path, **settings):
        config = Path(path, "config.json")
        (tmp_path / "other").write_text(config.read_text().replace("50257", "11"))
        (tmp_path / "other").replace(config)
        return load(path, **settings)

    monkeypatch.setattr(faster_whisper, "WhisperModel", swapped)
    with pytest.raises(BenchError, match=r"config\.json, the folder changed while"):
        whisper_bench.load_model(folder=tmp_path / "base")
