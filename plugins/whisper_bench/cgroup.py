"""Finding the control group that rations a process's CPU, in version 1 or 2.

Sources: Linux Documentation/admin-guide/cgroup-v2.rst (cpu.max, cpu.stat) and
cgroup-v1 scheduler/sched-bwc.rst (cpu.cfs_quota_us, cpu.cfs_period_us, cpu.stat).
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import msgspec


class CpuGroup(msgspec.Struct, frozen=True):
    """One control group folder, as this process sees it; `version` is 1 or 2."""

    version: int
    folder: Path

    def quota_cpus(self) -> float | None:
        """Return quota / period in CPUs, or None where the group sets no quota.

        Raises:
            OSError: a quota file is there and cannot be read.
            ValueError: it holds something else than the kernel writes.

        """
        if self.version == 1:
            quota = self._word("cpu.cfs_quota_us")
            period = self._word("cpu.cfs_period_us")
        else:
            quota, _, period = (self._word("cpu.max") or "").partition(" ")
        if not quota or quota in ("max", "-1"):
            return None
        return int(quota) / int(period or "")

    def _word(self, name: str) -> str | None:
        try:
            return (self.folder / name).read_text(encoding="ascii").strip()
        except FileNotFoundError:
            self.folder.stat()  # a group that is not there is an error, one without the file none
            return None


class CpuTree(msgspec.Struct, frozen=True):
    """The groups that ration a process's CPU, its own first; `trouble` is what cannot be seen."""

    groups: list[CpuGroup]
    trouble: str | None = None


def cpu_tree(root: Path = Path("/")) -> CpuTree:
    """Find the groups that ration this process's CPU, up to the root of their hierarchy.

    `root` stands for the file system's root, so that trees of other machines can be read. Where
    version 1 has the CPU controller, version 2's tree says nothing of it.
    """
    membership = _membership(root / "proc/self/cgroup")
    if membership is None:
        return CpuTree([], "this system has no cgroup tree")
    version, path = membership
    for mount_version, controllers, mount_root, mount_point in _mounts(
        root / "proc/self/mountinfo"
    ):
        if mount_version == version and (version == 2 or "cpu" in controllers):  # noqa: PLR2004
            inside = _inside(path, mount_root)
            if inside is None:
                return CpuTree(
                    [], f"the process's group {path} is outside the mount of {mount_root}"
                )
            top = root / mount_point.lstrip("/")
            return CpuTree([CpuGroup(version, folder) for folder in _upwards(top, inside)])
    return CpuTree([], f"the CPU controller's tree (version {version}) is not mounted here")


def _membership(path: Path) -> tuple[int, str] | None:
    """Read /proc/self/cgroup: the version 1 cpu controller's group if there is one, else 2's."""
    second = None
    for line in _lines(path):
        hierarchy, controllers, group = line.split(":", 2)
        if "cpu" in controllers.split(","):
            return 1, group
        if hierarchy == "0" and not controllers:
            second = 2, group
    return second


def _mounts(path: Path) -> Iterator[tuple[int, list[str], str, str]]:
    """Yield version, controllers, root and mount point of each cgroup mount (proc(5))."""
    for line in _lines(path):
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ")[:3]
        if kind in ("cgroup", "cgroup2"):
            mount_root, mount_point = before.split(" ")[3:5]
            yield (1 if kind == "cgroup" else 2), options.split(","), mount_root, mount_point


def _inside(group: str, mount_root: str) -> PurePosixPath | None:
    """Return the group's path below the mount; None where it is not to be seen from there."""
    own, seen_from = PurePosixPath(group), PurePosixPath(mount_root)
    if ".." in own.parts or ".." in seen_from.parts or not own.is_relative_to(seen_from):
        return None
    return own.relative_to(seen_from)


def _upwards(top: Path, inside: PurePosixPath) -> list[Path]:
    """List the group's folder and those above it, up to where the hierarchy is mounted."""
    folders = [top / inside]
    while folders[-1] != top:
        folders.append(folders[-1].parent)
    return folders


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
