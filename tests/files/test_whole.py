import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.disks import small_disk_at
from whisper_bench.errors import BenchError
from whisper_bench.files.whole import write_new
from whisper_bench.measure.journal_reader import identity_of
from whisper_bench.ratio.config import load_config
from whisper_bench.results.files import load_results
from whisper_bench.saved.file import read_saved


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_taken_name_gets_a_number(tmp_path):
    path = tmp_path / "deep" / "m4.json"
    assert write_new(path, b"1") == path
    assert write_new(path, b"2").name == "m4_2.json"
    assert write_new(path, b"3").name == "m4_3.json"
    assert [(path.parent / name).read_bytes() for name in names(path.parent)] == [b"1", b"2", b"3"]


def test_the_same_bytes_written_twice_are_one_file(tmp_path):
    path = tmp_path / "m4.json"
    write_new(path, b"1")
    write_new(path, b"2")
    assert write_new(path, b"2").name == "m4_2.json"
    assert write_new(path, b"1") == path
    assert names(tmp_path) == ["m4.json", "m4_2.json"]


def test_concurrent_writers_overwrite_nothing(tmp_path):
    contents = [str(number).encode() for number in range(30)]
    with ThreadPoolExecutor(10) as pool:
        paths = list(pool.map(lambda content: write_new(tmp_path / "m4.json", content), contents))
    assert len(set(paths)) == 30
    assert sorted(path.read_bytes() for path in paths) == sorted(contents)


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 64 KiB."""
    with small_disk_at(tmp_path / "disk", "64k") as folder:
        yield folder


def test_a_full_disk_leaves_nothing_behind(small_disk):
    (small_disk / "ballast").write_bytes(bytes(60 * 1024))
    with pytest.raises(BenchError) as caught:
        write_new(small_disk / "m4.json", bytes(20 * 1024))
    assert "No space left on device" in str(caught.value)
    assert "--whisper-results" in str(caught.value)
    assert names(small_disk) == ["ballast"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(BenchError, match="cannot write .*results/m4.json"):
        write_new(tmp_path / "results" / "m4.json", b"1")


def test_new_files_without_hard_links_overwrite_nothing(tmp_path, monkeypatch):
    def refused(_source, _target):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    path = tmp_path / "m4.json"
    assert [write_new(path, content).name for content in (b"1", b"2", b"1")] == [
        "m4.json", "m4_2.json", "m4.json",
    ]  # fmt: skip
    assert names(tmp_path) == ["m4.json", "m4_2.json"]
    assert path.read_bytes() == b"1"


def test_another_error_of_linking_is_reported(tmp_path, monkeypatch):
    def broken(_source, _target):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "link", broken)
    with pytest.raises(BenchError, match="Input/output error"):
        write_new(tmp_path / "m4.json", b"1")
    assert names(tmp_path) == []


def test_several_files_are_written_all_or_none(tmp_path):
    from whisper_bench.files.replacement import write_all_over

    (tmp_path / "a").write_text("old")
    (tmp_path / "folder").write_text("a file where a folder should be")
    with pytest.raises(BenchError, match="cannot write .*folder/b"):
        write_all_over({tmp_path / "a": b"new", tmp_path / "folder" / "b": b"new"})
    assert (tmp_path / "a").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "folder"]


def test_a_link_stays_a_link_and_the_mode_is_kept(tmp_path):
    from whisper_bench.files.replacement import write_over

    real = tmp_path / "real.yaml"
    real.write_text("old")
    real.chmod(0o600)
    link = tmp_path / "link.yaml"
    link.symlink_to("real.yaml")
    assert write_over(link, b"new") == link
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode & 0o777 == 0o600


def test_a_file_larger_than_the_limit_is_not_read(tmp_path, monkeypatch):
    from whisper_bench.files import whole as files

    path = tmp_path / "0001_m4.json"
    path.write_bytes(bytes(101))
    assert len(files.read_bounded(path)) == 101
    monkeypatch.setattr(files, "MOST_FILE_BYTES", 100)
    with pytest.raises(OSError, match="more than 100 bytes"):
        files.read_bounded(path)
    assert len(files.read_bounded(path, 101)) == 101


READERS = {
    "a saved run": read_saved,
    "a result file": load_results,
    "ratio_config.json": load_config,
    "a journal": identity_of,
}


@pytest.mark.parametrize("reader", READERS)
def test_foreign_files_are_read_up_to_a_limit(tmp_path, monkeypatch, reader):
    monkeypatch.setattr("whisper_bench.files.whole.MOST_FILE_BYTES", 100)
    path = tmp_path / "0001_m4.json"
    path.write_bytes(b" " * 101)
    with pytest.raises(BenchError, match="0001_m4.json: it has more than 100 bytes; "):
        READERS[reader](path)
    with pytest.raises(BenchError, match="it is not a regular file"):
        READERS[reader](Path("/dev/zero"))
