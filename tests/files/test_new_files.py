"""New files: all of them or none, with the mode that the umask leaves."""

import errno
import os
import stat
import subprocess
import sys

import pytest

from support.folders import tree
from whisper_bench.errors import BenchError
from whisper_bench.files.whole import write_all_new


def test_new_files_are_all_written_or_none(tmp_path):
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


def test_new_files_are_removed_if_a_later_one_fails(tmp_path, monkeypatch):
    real = os.link

    def link(source, target):
        if target == tmp_path / "b":
            raise OSError(errno.EIO, "Input/output error")
        real(source, target)

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(BenchError, match="cannot write .*/b: Input/output error; the disk or its"):
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
