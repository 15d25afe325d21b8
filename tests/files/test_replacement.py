"""Several files at once: all or none, and a message whose remedy fits the cause."""

import errno
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from whisper_bench.errors import BenchError
from whisper_bench.files import replacement, scratch
from whisper_bench.files.replacement import write_all_over, write_over
from whisper_bench.files.whole import write_all_new, write_new
from whisper_bench.files.write_errors import reason_of, remedy_of


def tree(folder):
    """Return everything in a folder: what kind it is, its mode and its bytes."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() else None,
        )
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def two(tmp_path):
    """The contents of two files, of which the first was there before."""
    (tmp_path / "a").write_text("old")
    return {tmp_path / "a": b"new", tmp_path / "b": b"new"}


def a_folder(path):
    path.mkdir()


def a_link_to_itself(path):
    path.symlink_to(path.name)


def a_link_to_nowhere(path):
    path.symlink_to("missing/file")


def a_pipe(path):
    os.mkfifo(path)


def a_link_to_the_other(path):
    path.symlink_to("a")


@pytest.mark.parametrize(
    ("make", "remedy"),
    [
        (a_folder, "Is a directory; a folder is where the file would be: move it away"),
        (a_link_to_itself, "a link that leads to itself: remove it"),
        (a_link_to_nowhere, "a link or a part of the path leads nowhere: correct it"),
        (a_pipe, "it is not a regular file"),
        (a_link_to_the_other, "it is the same file as .*/a, through a link; remove the link"),
    ],
)
def test_a_place_that_takes_no_file_is_told_and_all_stays_as_it_was(tmp_path, two, make, remedy):
    make(tmp_path / "b")
    before = tree(tmp_path)
    with pytest.raises(BenchError, match=f"cannot write .*/b: .*{remedy}") as caught:
        write_all_over(two, option="--output")
    assert "free the disk" not in str(caught.value)
    assert tree(tmp_path) == before


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchError, match=r"move it away, or name another folder \(--output\)"):
        write_all_over({tmp_path / "file" / "b": b""}, option="--output")


def test_a_name_that_is_too_long(tmp_path, two):
    before = tree(tmp_path)
    with pytest.raises(BenchError, match="File name too long; give a shorter name"):
        write_all_over({**two, tmp_path / ("x" * 300): b""})
    assert tree(tmp_path) == before


def test_a_name_as_long_as_one_can_be(tmp_path):
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
def test_a_rename_that_fails_midway_puts_back_what_was_there(tmp_path, two, monkeypatch, number):
    (tmp_path / "c").write_text("old c")
    contents = {**two, tmp_path / "new" / "d": b"new", tmp_path / "c": b"new"}
    before = tree(tmp_path)
    fail_at(monkeypatch, 4, OSError(number, os.strerror(number)))
    with pytest.raises(BenchError, match=f"cannot write .*/c: {os.strerror(number)}; ") as caught:
        write_all_over(contents)
    assert "free the disk" not in str(caught.value)
    assert tree(tmp_path) == before


def test_ctrl_c_midway_puts_back_what_was_there(tmp_path, two, monkeypatch):
    before = tree(tmp_path)
    fail_at(monkeypatch, 2, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        write_all_over(two)
    assert tree(tmp_path) == before


def test_what_cannot_be_put_back_is_kept_and_named(tmp_path, two, monkeypatch):
    real, seen = Path.replace, []

    def replace(path, target):
        seen.append(target)
        if len(seen) <= 2:
            real(path, target)
        if len(seen) > 1:  # of b once it is there: a server that has moved it and answers no more
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(Path, "unlink", unlink_refused_for(tmp_path / "b"))
    with pytest.raises(BenchError, match="b could not be put back .*: remove it") as caught:
        write_all_over(two)
    kept = re.search(
        r"a could not be put back \(.*?\): what was there is kept in (\S+)", str(caught.value)
    )
    assert Path(kept.group(1)).read_text() == "old"


def unlink_refused_for(refused):
    real = Path.unlink

    def unlink(path, missing_ok=False):  # noqa: FBT002 - as Path's own
        if path == refused:
            raise OSError(errno.EIO, "Input/output error")
        return real(path, missing_ok=missing_ok)

    return unlink


def test_a_file_system_without_hard_links_puts_back_as_well(tmp_path, two, monkeypatch):
    def refused(_source, _target):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    before = tree(tmp_path)
    monkeypatch.setattr(os, "link", refused)
    fail_at(monkeypatch, 2, OSError(errno.EBUSY, "Device or resource busy"))
    with pytest.raises(BenchError, match="busy; it is mounted as a single file: mount its folder"):
        write_all_over(two)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("number", [errno.EIO, errno.EPERM])
def test_a_second_name_that_cannot_be_had(tmp_path, two, monkeypatch, number):
    def refused(*_):
        raise OSError(number, "refused")

    before = tree(tmp_path)
    monkeypatch.setattr(os, "link", refused)
    monkeypatch.setattr(replacement.shutil, "copy2", refused)
    with pytest.raises(BenchError, match="cannot write .*/a: refused"):
        write_all_over(two)
    assert tree(tmp_path) == before


def test_a_full_disk_leaves_all_as_it_was_and_says_to_free_it(tmp_path, two, monkeypatch):
    before = tree(tmp_path)
    real, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor)

    monkeypatch.setattr(scratch.os, "fsync", full)
    with pytest.raises(BenchError, match="No space left on device; free the disk or name another"):
        write_all_over({**two, tmp_path / "new" / "c": b""})
    assert tree(tmp_path) == before


def test_new_files_are_all_there_or_none(tmp_path):
    (tmp_path / "there").write_bytes(b"1")
    (tmp_path / "folder").mkdir()
    (tmp_path / "nowhere").symlink_to("missing")
    before = tree(tmp_path)
    names = ["there", "folder", "nowhere", "fresh"]
    with pytest.raises(BenchError, match="File name too long"):
        write_all_new(
            [*((tmp_path / name, b"1") for name in names), (tmp_path / ("x" * 300), b"1")]
        )
    assert tree(tmp_path) == before
    paths = write_all_new([(tmp_path / name, b"1") for name in names])
    assert [path.name for path in paths] == ["there", "folder_2", "nowhere_2", "fresh"]


def test_new_files_that_have_their_names_are_taken_away_where_a_later_one_fails(
    tmp_path, monkeypatch
):
    real = os.link

    def link(source, target):
        if target == tmp_path / "b":
            raise OSError(errno.EIO, "Input/output error")
        real(source, target)

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(BenchError, match="cannot write .*/b: Input/output error; the disk is fail"):
        write_all_new([(tmp_path / "deep" / "a", b"1"), (tmp_path / "b", b"1")])
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077, 0o002])
def test_new_files_and_folders_have_the_mode_that_the_umask_leaves(tmp_path, umask):
    program = (
        "import os, sys\n"
        f"os.umask({umask})\n"
        "from pathlib import Path\n"
        "from whisper_bench.files.replacement import write_over\n"
        "from whisper_bench.files.whole import write_new\n"
        "from whisper_bench.weights.cache import folder_made_once\n"
        "write_new(Path('deep/new'), b'')\n"
        "write_over(Path('deep/over'), b'')\n"
        "folder_made_once(Path('cache/base'), lambda folder: None)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    modes = {name: stat.S_IMODE(mode) for name, (mode, _) in tree(tmp_path).items()}
    assert modes == {
        "deep": 0o777 & ~umask,
        "deep/new": 0o666 & ~umask,
        "deep/over": 0o666 & ~umask,
        "cache": 0o777 & ~umask,
        "cache/base": 0o777 & ~umask,
    }


def test_a_file_that_was_there_keeps_its_mode_and_owner(tmp_path):
    path = tmp_path / "deployment.yaml"
    path.write_text("old")
    path.chmod(0o640)
    owner = (1234, 1235) if os.geteuid() == 0 else (os.getuid(), os.getgid())
    os.chown(path, *owner)
    write_over(path, b"new")
    found = path.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o640, *owner)


def test_a_link_to_a_file_that_is_not_there_yet_is_followed(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("real")
    write_over(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_folder_that_may_not_be_written_is_not_told_as_a_full_disk(tmp_path):
    folder = tmp_path / "readonly"
    folder.mkdir(mode=0o555)
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from whisper_bench.files.replacement import write_over\n"
        "from whisper_bench.errors import BenchError\n"
        "os.setuid(65534) if os.getuid() == 0 else None\n"
        "try:\n"
        "    write_over(Path(sys.argv[1]) / 'a', b'')\n"
        "except BenchError as error:\n"
        "    print(error)\n"
    )
    for each in (tmp_path, *tmp_path.parents):
        if each.stat().st_uid == os.getuid() and each.name.startswith(("pytest-", "test_")):
            each.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True
    )
    assert "Permission denied; let this user write there (chmod, chown" in done.stdout


def test_each_cause_has_its_remedy_and_names_the_option():
    full = OSError(errno.ENOSPC, "No space left on device")
    assert remedy_of(full, "--output") == "free the disk or name another folder (--output)"
    assert remedy_of(full) == "free the disk or name another folder"
    odd = OSError("odd")
    assert remedy_of(odd) == "look at the disk, or name another folder"
    assert (reason_of(odd), reason_of(OSError())) == ("odd", "OSError")


def test_a_file_that_may_not_be_replaced_is_as_it_was_and_not_called_lost(
    tmp_path, two, monkeypatch
):
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
    assert "put back" not in str(caught.value)
    assert tree(tmp_path) == before
