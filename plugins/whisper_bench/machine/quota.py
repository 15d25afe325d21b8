"""Setting a CPU limit: a control group for the workers, which is always removed again.

Needs root or a delegated tree. Version 2's controller must be on for the parent's children
(cgroup.subtree_control), and a group with processes in it cannot have such children, so the groups
above are tried as well (Linux Documentation/admin-guide/cgroup-v2.rst).
"""

import errno
import os
import secrets
import subprocess
from contextlib import suppress
from pathlib import Path

from whisper_bench.errors import BenchError
from whisper_bench.machine.cgroup import CpuGroup, CpuTree, cpu_tree
from whisper_bench.text.plain import readable

PERIOD_US = 100_000
"""The kernel's default period, which Docker and Kubernetes use as well."""
SMALLEST_US = 1_000
"""The smallest quota that the kernel accepts (min_cfs_quota_period, kernel/sched/core.c)."""
_NEXT_BUT_ONE_US = 1.5
_NAME = "whisper-bench-"
# a shell that waits until this process ends in any way, and then removes the empty group
_WATCH = """
read _
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rmdir "$0" 2>/dev/null
    [ -d "$0" ] || exit 0
    sleep 1
done
"""


def held_cpus(cpus: float) -> float:
    """Return the quota that the kernel keeps for so many CPUs: whole microseconds of the period.

    Raises:
        BenchError: it is smaller than the kernel accepts.

    """
    quota_us = round(cpus * PERIOD_US)
    if quota_us < SMALLEST_US:
        raise BenchError(
            f"a quota of {cpus:g} CPU is too small: the kernel accepts "
            f"{SMALLEST_US / PERIOD_US:g} CPU or more; demand at least that"
        )
    return quota_us / PERIOD_US


def is_held(demanded: float, in_force: float | None) -> bool:
    """Tell whether the limit in force is the one demanded, within the kernel's microsecond.

    Docker rounds down to a microsecond, this module to the nearest.
    """
    return in_force is not None and abs(in_force - demanded) * PERIOD_US < _NEXT_BUT_ONE_US


class QuotaGroup:
    """A control group with a quota of `cpus`, for processes that are put into it.

    Raises:
        BenchError: none can be made here; the remedy is a container with this limit.

    """

    def __init__(self, cpus: float, root: Path = Path("/")) -> None:
        cpus = held_cpus(cpus)
        self.group, self._switched_on = _made(cpus, cpu_tree(root))
        try:
            self._watcher = subprocess.Popen(
                ["/bin/sh", "-c", _WATCH, str(self.group.folder)],
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
        except BaseException:
            self._remove()
            raise

    def add(self, pid: int) -> None:
        """Put a process with all its threads into the group."""
        _write(self.group.folder / "cgroup.procs", str(pid))

    def close(self) -> None:
        """Remove the group; its processes must have ended."""
        self._remove()
        assert self._watcher.stdin is not None
        self._watcher.stdin.close()
        self._watcher.wait()

    def _remove(self) -> None:
        with suppress(OSError):
            self.group.folder.rmdir()
        _switch_off(self._switched_on)


def _made(cpus: float, tree: CpuTree) -> tuple[CpuGroup, Path | None]:
    """Make the group under the first parent that allows it; also return what was switched on."""
    name = f"{_NAME}{os.getpid()}-{secrets.token_hex(4)}"
    reasons = [tree.trouble] if tree.trouble else []
    for parent in tree.groups:
        group = CpuGroup(parent.version, parent.folder / name)
        try:
            switched_on = _switch_on(parent)
            try:
                return _limited(group, cpus), switched_on
            except BaseException:
                _switch_off(switched_on)
                raise
        except OSError as error:
            reasons.append(f"{parent.folder}: {error.strerror or error}{_hint(parent, error)}")
    raise BenchError(
        f"no control group with a quota of {cpus:g} CPU can be made here "
        f"({readable('; '.join(reasons))}); run as root, or in a container: "
        f"docker run --rm --cpus={cpus:g} IMAGE, or where systemd runs: "
        f"systemd-run --scope -p CPUQuota={cpus * 100:g}% pytest ..."
    )


def _hint(parent: CpuGroup, error: OSError) -> str:
    """Explain version 1's error: no group may have a larger quota than one above it."""
    smaller_above = parent.version == 1 and error.errno == errno.EINVAL
    return ": a control group above has a smaller quota" if smaller_above else ""


def _switch_on(parent: CpuGroup) -> Path | None:
    """Make version 2 limit the CPU of the parent's children; None if it does already."""
    control = parent.folder / "cgroup.subtree_control"
    if parent.version == 1 or "cpu" in control.read_text(encoding="ascii").split():
        return None
    _write(control, "+cpu")
    return control


def _switch_off(control: Path | None) -> None:
    if control is not None:
        with suppress(OSError):  # another run's group still needs it
            _write(control, "-cpu")


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
    except BaseException:
        group.folder.rmdir()
        raise
    return group


def _try_it(procs: Path) -> None:
    """Move a short process in: who may make a group may still not be allowed to use it."""
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
