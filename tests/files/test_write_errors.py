"""Why a file cannot be written: the message names the cause and its remedy."""

import errno
import os
import subprocess
import sys

import pytest

from support.folders import tree
from whisper_bench.errors import BenchError
from whisper_bench.files.replacement import write_all_over
from whisper_bench.files.write_errors import reason_of, remedy_of


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
        (a_folder, "Is a directory; a folder has the file's name: move it away"),
        (a_link_to_itself, "a link to itself: remove it"),
        (a_link_to_nowhere, "a part of the path is missing: correct it"),
        (a_pipe, "it is not a regular file"),
        (a_link_to_the_other, "it is the same file as .*/a, through a link; remove the link"),
    ],
)
def test_a_place_that_no_file_can_have_is_refused_and_nothing_changes(tmp_path, two, make, remedy):
    make(tmp_path / "b")
    before = tree(tmp_path)
    with pytest.raises(BenchError, match=f"cannot write .*/b: .*{remedy}") as caught:
        write_all_over(two, option="--output")
    assert "free the disk" not in str(caught.value)
    assert tree(tmp_path) == before


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchError, match=r"move it away, or choose another folder \(--output\)"):
        write_all_over({tmp_path / "file" / "b": b""}, option="--output")


def test_a_name_that_is_too_long_is_refused(tmp_path, two):
    before = tree(tmp_path)
    with pytest.raises(BenchError, match="File name too long; give a shorter name"):
        write_all_over({**two, tmp_path / ("x" * 300): b""})
    assert tree(tmp_path) == before


def test_a_folder_without_permission_is_not_called_a_full_disk(tmp_path):
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
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.getuid() and parent.name.startswith(("pytest-", "test_")):
            parent.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True
    )
    assert "Permission denied; let this user write there (chmod, chown" in done.stdout


def test_each_cause_has_its_remedy_with_the_option():
    full = OSError(errno.ENOSPC, "No space left on device")
    assert remedy_of(full, "--output") == "free the disk or choose another folder (--output)"
    assert remedy_of(full) == "free the disk or choose another folder"
    odd = OSError("odd")
    assert remedy_of(odd) == "check the disk, or choose another folder"
    assert (reason_of(odd), reason_of(OSError())) == ("odd", "OSError")
