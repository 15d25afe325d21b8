"""Several files at once: all or none, and a message whose remedy fits the cause."""

import errno
import os
import re
import stat
from pathlib import Path

import pytest

from support.folders import tree
from whisper_bench.errors import BenchError
from whisper_bench.files import replacement, scratch
from whisper_bench.files.replacement import write_all_over, write_over
from whisper_bench.files.whole import write_new


def test_the_longest_name_is_written_over(tmp_path):
    path = tmp_path / ("x" * 255)
    write_over(path, b"1")
    write_over(path, b"2")
    assert tree(tmp_path).keys() == {path.name}
    with pytest.raises(BenchError, match="cannot write .*: File name too long"):
        write_new(path, b"3")


def fail_at(monkeypatch, number, error):
    """Have the replacement of the given number raise an error."""
    real, targets = Path.replace, []

    def replace(path, target):
        targets.append(target)
        if len(targets) == number:
            raise error
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EPERM, errno.EROFS, errno.EIO])
def test_a_failed_rename_restores_the_older_files(tmp_path, two, monkeypatch, number):
    (tmp_path / "c").write_text("old c")
    contents = {**two, tmp_path / "new" / "d": b"new", tmp_path / "c": b"new"}
    before = tree(tmp_path)
    fail_at(monkeypatch, 4, OSError(number, os.strerror(number)))
    with pytest.raises(BenchError, match=f"cannot write .*/c: {os.strerror(number)}; ") as caught:
        write_all_over(contents)
    assert "free the disk" not in str(caught.value)
    assert tree(tmp_path) == before


def test_ctrl_c_restores_the_older_files(tmp_path, two, monkeypatch):
    before = tree(tmp_path)
    fail_at(monkeypatch, 2, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        write_all_over(two)
    assert tree(tmp_path) == before


def test_a_file_that_cannot_be_restored_is_kept_and_named(tmp_path, two, monkeypatch):
    real, seen = Path.replace, []

    def replace(path, target):
        seen.append(target)
        if len(seen) <= 2:
            real(path, target)
        if len(seen) > 1:  # of b once it is there: a server that has moved it and answers no more
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(Path, "unlink", unlink_refused_for(tmp_path / "b"))
    with pytest.raises(BenchError, match="b could not be restored .*: remove it") as caught:
        write_all_over(two)
    kept = re.search(
        r"a could not be restored \(.*?\): the older file is kept in (\S+)", str(caught.value)
    )
    assert Path(kept.group(1)).read_text() == "old"


def unlink_refused_for(refused):
    real = Path.unlink

    def unlink(path, missing_ok=False):  # noqa: FBT002 - as Path's own
        if path == refused:
            raise OSError(errno.EIO, "Input/output error")
        return real(path, missing_ok=missing_ok)

    return unlink


def test_without_hard_links_the_older_files_are_restored_too(tmp_path, two, monkeypatch):
    def refused(_source, _target):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    before = tree(tmp_path)
    monkeypatch.setattr(os, "link", refused)
    fail_at(monkeypatch, 2, OSError(errno.EBUSY, "Device or resource busy"))
    with pytest.raises(BenchError, match="busy; it is mounted as a single file: mount its folder"):
        write_all_over(two)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("number", [errno.EIO, errno.EPERM])
def test_a_failed_copy_of_the_older_file_changes_nothing(tmp_path, two, monkeypatch, number):
    def refused(*_):
        raise OSError(number, "refused")

    before = tree(tmp_path)
    monkeypatch.setattr(os, "link", refused)
    monkeypatch.setattr(replacement.shutil, "copy2", refused)
    with pytest.raises(BenchError, match="cannot write .*/a: refused"):
        write_all_over(two)
    assert tree(tmp_path) == before


def test_a_full_disk_changes_nothing_and_says_to_free_it(tmp_path, two, monkeypatch):
    before = tree(tmp_path)
    real, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor)

    monkeypatch.setattr(scratch.os, "fsync", full)
    with pytest.raises(
        BenchError, match="No space left on device; free the disk or choose another"
    ):
        write_all_over({**two, tmp_path / "new" / "c": b""})
    assert tree(tmp_path) == before


def test_a_file_written_over_keeps_mode_and_owner(tmp_path):
    path = tmp_path / "deployment.yaml"
    path.write_text("old")
    path.chmod(0o640)
    owner = (1234, 1235) if os.geteuid() == 0 else (os.getuid(), os.getgid())
    os.chown(path, *owner)
    write_over(path, b"new")
    status = path.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o640, *owner)


def test_a_link_to_a_missing_file_is_followed(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("real")
    write_over(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_an_immutable_file_is_unchanged_and_not_called_lost(tmp_path, two, monkeypatch):
    """An immutable one (chattr +i): neither the new file nor the old one can be moved there."""
    (tmp_path / "b").write_text("old")
    before = tree(tmp_path)
    real = Path.replace

    def replace(path, place):
        if place.name == "b":
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        return real(path, place)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(BenchError, match="cannot write .*/b: Operation not permitted") as caught:
        write_all_over(two, option="--output")
    assert "restored" not in str(caught.value)
    assert tree(tmp_path) == before
