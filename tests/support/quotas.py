"""A real quota of the kernel's, for tests that count what it takes."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def quota_of(quota_us, period_us=100_000):
    """Make a real version 1 group with a quota; skipped with the reason where that cannot be."""
    parent = Path("/sys/fs/cgroup/cpu")
    if not (parent / "cpu.cfs_quota_us").exists():
        # the kernel mounts version 1 or 2; version 2 is tested in a guest (test_v2_guest.py)
        pytest.skip(f"no cgroup v1 cpu controller at {parent}")
    folder = parent / f"whisper-bench-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made in {parent}: {error}")
    try:
        (folder / "cpu.cfs_period_us").write_text(str(period_us))
        (folder / "cpu.cfs_quota_us").write_text(str(quota_us))
        (folder / "cpu.shares").write_text(
            "262144"
        )  # the most: it reaches its quota, who else runs
        yield folder
    finally:
        folder.rmdir()
