"""What is loaded is what was hashed: changes meanwhile, other users, private copies."""

import fcntl
import os
import shutil
import stat
from pathlib import Path

import pytest

import whisper_bench
from whisper_bench.errors import BenchError
from whisper_bench.weights import private
from whisper_bench.weights.contents import hashed_files
from whisper_bench.weights.held import held_weights
from whisper_bench.weights.ownership import changeable_by_others

FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")
SOMEBODY = 12345


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


def test_weights_that_only_this_user_can_change_are_loaded_where_they_are(folder, cache):
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


def test_a_link_led_elsewhere_between_hash_and_load_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "other")
    link = tmp_path / "linked"
    link.symlink_to(folder)

    def change():
        link.unlink()
        link.symlink_to(tmp_path / "other")

    with pytest.raises(BenchError, match=r"model\.bin.* changed while"):
        while_held(link, change)


def test_a_swap_that_is_taken_back_is_refused_as_well(folder):
    def change():
        (folder / "model.bin").rename(folder / "kept")
        (folder / "model.bin").write_text("other bytes, loaded by now")
        (folder / "kept").replace(folder / "model.bin")

    with pytest.raises(BenchError, match="the folder changed while"):
        while_held(folder, change)


def test_other_files_than_those_that_were_checked_are_refused_before_loading(folder):
    checked = hashed_files(folder)
    (folder / "config.json").write_text("{}")
    with pytest.raises(BenchError) as caught, held_weights(folder, checked):
        pytest.fail("it was loaded")
    for part in (checked["config.json"], hashed_files(folder)["config.json"], "config.json had"):
        assert part in str(caught.value)


def test_a_file_that_is_there_only_now_is_refused_before_loading(folder):
    checked = hashed_files(folder)
    (folder / "preprocessor_config.json").write_text("{}")
    with (
        pytest.raises(BenchError, match=r"preprocessor_config\.json had sha256 none when the run"),
        held_weights(folder, checked),
    ):
        pytest.fail("it was loaded")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_an_error_and_nothing_is_fetched(folder, name):
    (folder / name).unlink()
    with pytest.raises(BenchError, match=f"lack {name}, and nothing is fetched"):
        whisper_bench.load_model(folder=folder)


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json"])
def test_a_pipe_for_a_file_is_refused_and_not_waited_for(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(BenchError, match=f"{name} is not a regular file"):
        hashed_files(folder)


def test_a_file_that_cannot_be_read(folder, monkeypatch):
    def refused(*_arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("whisper_bench.weights.contents.os.open", refused)
    with pytest.raises(BenchError, match=r"model\.bin cannot be read \(Permission denied\)"):
        hashed_files(folder)


def _world_writable_file(folder):
    (folder / "config.json").chmod(0o666)
    return folder / "config.json"


def _group_writable_folder(folder):
    folder.chmod(0o775)
    return folder


def _world_writable_parent(folder):
    folder.parent.chmod(0o777)
    return folder.parent


def _link_through_a_folder_of_others(folder):
    blobs = folder.parent / "blobs"
    blobs.mkdir()
    (folder / "model.bin").rename(blobs / "blob")
    (folder / "model.bin").symlink_to("../blobs/blob")
    blobs.chmod(0o777)
    return blobs


def _anothers_file(folder):
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(folder / "tokenizer.json", SOMEBODY, -1)
    return folder / "tokenizer.json"


WAYS = [
    _world_writable_file,
    _group_writable_folder,
    _world_writable_parent,
    _link_through_a_folder_of_others,
    _anothers_file,
]


@pytest.mark.parametrize("open_to_others", WAYS)
def test_weights_that_others_can_change_are_loaded_from_a_private_copy(
    folder, cache, open_to_others
):
    culprit = open_to_others(folder)
    assert changeable_by_others(folder / name for name in FILES) == culprit
    with held_weights(folder) as held:
        assert held.folder.parent == cache
        assert stat.S_IMODE(held.folder.stat().st_mode) == 0o700
        assert held.files == hashed_files(folder)
        (folder / "model.bin").write_text("somebody else's, too late")
        assert hashed_files(held.folder) == held.files
    assert list(cache.iterdir()) == []


def test_a_private_copy_is_removed_when_loading_fails(folder, cache):
    _group_writable_folder(folder)
    with pytest.raises(RuntimeError), held_weights(folder):
        raise RuntimeError
    assert list(cache.iterdir()) == []


def test_a_sticky_folder_is_no_way_in_and_root_is_trusted(folder):
    folder.parent.chmod(0o1777)
    assert changeable_by_others([folder / "model.bin"]) is None


def test_links_are_followed_from_the_root_and_upwards(folder, tmp_path):
    (tmp_path / "absolute").symlink_to(folder)
    (tmp_path / "models" / "upwards").symlink_to("../models/base/../base")
    for link in (tmp_path / "absolute", tmp_path / "models" / "upwards"):
        assert changeable_by_others([link / "model.bin"]) is None
    folder.chmod(0o777)
    for link in (tmp_path / "absolute", tmp_path / "models" / "upwards"):
        assert changeable_by_others([link / "model.bin"]) == folder


def test_a_circle_of_links_ends(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(BenchError, match="circle of links"):
        changeable_by_others([tmp_path / "a"])


def test_without_room_for_a_private_copy_nothing_is_loaded_or_left(
    folder, cache, tmp_path, monkeypatch
):
    _group_writable_folder(folder)

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(private.shutil, "copyfileobj", full)
    monkeypatch.setattr(private.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    with pytest.raises(BenchError) as caught, held_weights(folder):
        pytest.fail("it was loaded")
    for part in (f"can change {folder}", "No space left", "chmod go-w", "WHISPER_BENCH_CACHE"):
        assert part in str(caught.value)
    assert list(cache.iterdir()) == list((tmp_path / "tmp").iterdir()) == []


def test_a_private_copy_is_not_made_where_others_can_swap_it(folder, cache, tmp_path, monkeypatch):
    _group_writable_folder(folder)
    cache.mkdir()
    cache.chmod(0o777)
    monkeypatch.setattr(private.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    with held_weights(folder) as held:
        assert held.folder.parent == tmp_path / "tmp"


def test_a_copy_that_a_kill_left_is_removed_and_one_in_use_is_not(cache):
    left, used = (cache / f"whisper-bench-private-{name}" for name in ("left", "used"))
    for each in (left, used):
        each.mkdir(parents=True)
        (each / "model.bin").write_text("145 MB")
    lock = os.open(used, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        private.remove_left_copies()
    finally:
        os.close(lock)
    assert list(cache.iterdir()) == [used]


def test_a_copys_name_that_is_a_link_is_not_followed(cache, tmp_path):
    (tmp_path / "precious").mkdir()
    cache.mkdir()
    (cache / "whisper-bench-private-link").symlink_to(tmp_path / "precious")
    private.remove_left_copies()
    assert (tmp_path / "precious").is_dir()


def test_load_model_tells_what_it_loaded(toy_dir):
    model = whisper_bench.load_model(folder=toy_dir / "base")
    assert model.files == hashed_files(toy_dir / "base")
    assert "vocabulary.json" in model.files
    assert model.load_s > 0


def test_bytes_swapped_in_under_the_loader_itself_are_refused(toy_dir, tmp_path, monkeypatch):
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
