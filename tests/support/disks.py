"""A small real disk, for tests of one that fills up."""

import os
import subprocess
from contextlib import contextmanager

import pytest


def mount_disk(folder, size, *, again=False):
    """Mount a file system of a size, or give the mounted one another; skipped where neither can be."""
    # a disk that fills up must be a real one: the errors come at close and fsync as well as at write
    if os.geteuid() != 0:
        pytest.skip(reason="only root can mount the small file system that this test fills")
    options = f"{'remount,' if again else ''}size={size}"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:  # as in a container without the right to mount
        pytest.skip(reason=f"this machine mounts no tmpfs, which this test fills: {done.stderr}")
    return folder


@contextmanager
def small_disk_at(folder, size):
    """Make a folder that is a file system of a size, until the end."""
    folder.mkdir()
    mount_disk(folder, size)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
