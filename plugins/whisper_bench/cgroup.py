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
            return None


def cpu_groups(root: Path = Path("/")) -> list[CpuGroup]:
    """List the groups that ration this process's CPU, its own first, then each one above it.

    `root` stands for the file system's root, so that recorded trees can be read. Empty where
    there is no cgroup tree (macOS, or none mounted).
    """
    memberships = _memberships(root / "proc/self/cgroup")
    mounts = list(_mounts(root / "proc/self/mountinfo"))
    for version, path in memberships:
        for mount_version, controllers, mount_root, mount_point in mounts:
            if mount_version == version and (version == 2 or "cpu" in controllers):  # noqa: PLR2004
                top = root / mount_point.lstrip("/")
                return [CpuGroup(version, folder) for folder in _upwards(top, mount_root, path)]
    return []


def _memberships(path: Path) -> list[tuple[int, str]]:
    """Read /proc/self/cgroup: the version 1 cpu controller's group if there is one, then 2's."""
    found = []
    for line in _lines(path):
        hierarchy, controllers, group = line.split(":", 2)
        if "cpu" in controllers.split(","):
            found.append((1, group))
        elif hierarchy == "0" and not controllers:
            found.append((2, group))
    return sorted(found)


def _mounts(path: Path) -> Iterator[tuple[int, list[str], str, str]]:
    """Yield version, controllers, root and mount point of each cgroup mount (proc(5))."""
    for line in _lines(path):
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ")[:3]
        if kind in ("cgroup", "cgroup2"):
            mount_root, mount_point = before.split(" ")[3:5]
            yield (1 if kind == "cgroup" else 2), options.split(","), mount_root, mount_point


def _upwards(top: Path, mount_root: str, group: str) -> list[Path]:
    """List the group's folder and those above it, up to where the hierarchy is mounted."""
    own, seen_from = PurePosixPath(group), PurePosixPath(mount_root)
    inside = own.relative_to(seen_from) if own.is_relative_to(seen_from) else PurePosixPath()
    if ".." in inside.parts:  # a group outside of this namespace's view
        inside = PurePosixPath()
    folders = [top / inside]
    while folders[-1] != top:
        folders.append(folders[-1].parent)
    return [folder for folder in folders if folder.is_dir()]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
