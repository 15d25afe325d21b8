"""Putting a CPU limit in force: a control group for the workers, gone whatever happens.

Needs root or a delegated tree. Version 2's controller must be on for the parent's children
(cgroup.subtree_control), and a group with processes in it can have no such children, which is why
the groups above are tried as well (Linux Documentation/admin-guide/cgroup-v2.rst).
"""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from whisper_bench.cgroup import CpuGroup, cpu_groups
from whisper_bench.errors import BenchError

PERIOD_US = 100_000
"""The kernel's default period, which Docker and Kubernetes use as well."""
_NAME = "whisper-bench-"
# a shell that waits for this process's end, however it comes, and then removes the empty group
_WATCH = """
read _
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rmdir "$0" 2>/dev/null
    [ -d "$0" ] || exit 0
    sleep 1
done
"""


class QuotaGroup:
    """A control group with a quota of `cpus`, for processes that are put into it.

    Raises:
        BenchError: none can be made here; the remedy is a container with that limit.

    """

    def __init__(self, cpus: float, root: Path = Path("/")) -> None:
        self.group = _made(cpus, cpu_groups(root))
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, str(self.group.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def add(self, pid: int) -> None:
        """Put a process with all its threads into the group."""
        _write(self.group.folder / "cgroup.procs", str(pid))

    def close(self) -> None:
        """Remove the group; its processes must have ended."""
        with suppress(OSError):
            self.group.folder.rmdir()
        assert self._watcher.stdin is not None
        self._watcher.stdin.close()
        self._watcher.wait()


def _made(cpus: float, groups: list[CpuGroup]) -> CpuGroup:
    reasons = []
    for parent in groups:
        group = CpuGroup(parent.version, parent.folder / f"{_NAME}{os.getpid()}")
        try:
            return _limited(group, cpus)
        except OSError as error:
            reasons.append(f"{parent.folder}: {error.strerror or error}")
    tried = "; ".join(reasons) or "this system has no cgroup tree with a CPU controller"
    raise BenchError(
        f"no control group with a quota of {cpus:g} CPU can be made here ({tried}); run as root, "
        f"or in a container: docker run --rm --cpus={cpus:g} IMAGE"
    )


def _limited(group: CpuGroup, cpus: float) -> CpuGroup:
    quota_us = round(cpus * PERIOD_US)
    group.folder.mkdir()
    try:
        if group.version == 1:
            _write(group.folder / "cpu.cfs_period_us", str(PERIOD_US))
            _write(group.folder / "cpu.cfs_quota_us", str(quota_us))
        else:
            _write(group.folder / "cpu.max", f"{quota_us} {PERIOD_US}")
        _try_it(group.folder / "cgroup.procs")
    except OSError:
        group.folder.rmdir()
        raise
    return group


def _try_it(procs: Path) -> None:
    """Move a process in that ends at once, since making a group does not mean one may use it."""
    with subprocess.Popen(["/bin/sh", "-c", "read _"], stdin=subprocess.PIPE) as trial:
        try:
            _write(procs, str(trial.pid))
        finally:
            trial.kill()


def _write(path: Path, text: str) -> None:
    # opened without O_CREAT: a file that the kernel did not make is not a control
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
