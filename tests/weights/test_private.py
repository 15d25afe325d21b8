"""A private copy of weights that other users can change."""

import fcntl
import os
import stat

import pytest

from whisper_bench.errors import BenchError
from whisper_bench.weights import private
from whisper_bench.weights.contents import hashed_files
from whisper_bench.weights.held import held_weights
from whisper_bench.weights.ownership import changeable_by_others

FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")


SOMEBODY = 12345


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


def test_without_space_for_a_private_copy_nothing_is_loaded(folder, cache, tmp_path, monkeypatch):
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


def test_a_private_copy_is_not_made_in_an_open_folder(folder, cache, tmp_path, monkeypatch):
    _group_writable_folder(folder)
    cache.mkdir()
    cache.chmod(0o777)
    monkeypatch.setattr(private.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    with held_weights(folder) as held:
        assert held.folder.parent == tmp_path / "tmp"


def test_a_copy_left_by_a_kill_is_removed_and_one_in_use_is_not(cache):
    left, used = (cache / f"whisper-bench-private-{name}" for name in ("left", "used"))
    for copy in (left, used):
        copy.mkdir(parents=True)
        (copy / "model.bin").write_text("145 MB")
    lock = os.open(used, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        private.remove_left_copies()
    finally:
        os.close(lock)
    assert list(cache.iterdir()) == [used]


def test_a_link_with_the_name_of_a_copy_is_not_followed(cache, tmp_path):
    (tmp_path / "precious").mkdir()
    cache.mkdir()
    (cache / "whisper-bench-private-link").symlink_to(tmp_path / "precious")
    private.remove_left_copies()
    assert (tmp_path / "precious").is_dir()
