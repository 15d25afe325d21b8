"""The control group that limits a process's CPU, in version 1 or 2.

Sources: Linux Documentation/admin-guide/cgroup-v2.rst (cpu.max, cpu.stat, cgroup.events) and
cgroup-v1 scheduler/sched-bwc.rst (cpu.cfs_quota_us, cpu.cfs_period_us, cpu.stat).
"""

import os
from pathlib import Path, PurePosixPath

import msgspec

from whisper_bench.machine.mountinfo import Mount, lines_of, visible_mounts

_V2 = 2
_LARGEST_US = 2**63
"""Above every quota and period in microseconds: the kernel keeps them in 64 bits."""
_ONLY_BELOW_THE_ROOT = ("cgroup.events", "cgroup.type", "cpu.max")
"""Version 2's root has none of these, every other group the first two (CFTYPE_NOT_ON_ROOT)."""
_ONLY_IN_THE_ROOT = ("release_agent", "cgroup.sane_behavior")
"""Version 1's root has these, and no other group (CFTYPE_ONLY_ON_ROOT)."""


class CpuGroup(msgspec.Struct, frozen=True):
    """One control group folder, as this process sees it; `version` is 1 or 2."""

    version: int
    folder: Path

    def quota_cpus(self) -> float | None:
        """Return quota / period in CPUs, or None if the group sets no quota.

        Raises:
            OSError: a quota file exists and cannot be read.
            ValueError: it has something else than the kernel writes.

        """
        if self.version == _V2:
            words = self._words("cpu.max")
        else:
            quota = self._words("cpu.cfs_quota_us")
            words = quota and [*quota[:1], *(self._words("cpu.cfs_period_us") or [])]
        if words is None or words[:1] in (["max"], ["-1"]):
            return None
        # a later kernel may write more words
        quota_us, period_us = map(_microseconds, [*words, "", ""][:2])
        return quota_us / period_us

    def _words(self, name: str) -> list[str] | None:
        """Return the words in a file of the group; None if the group has no such file."""
        try:
            return (self.folder / name).read_text(encoding="ascii").split()
        except FileNotFoundError:
            self.folder.stat()  # a missing group is an error, a group without the file is not
            return None


class CpuTree(msgspec.Struct, frozen=True):
    """The groups that limit a process's CPU, its own first.

    `trouble` says what should be readable and is not, `unseen` that groups above the last of
    `groups` are hidden from this process; None if the last is the hierarchy's root.
    """

    groups: list[CpuGroup]
    trouble: str | None = None
    unseen: str | None = None


def cpu_tree(root: Path = Path("/")) -> CpuTree:
    """Find the groups that limit this process's CPU, up to the root of their hierarchy.

    `root` is the file system's root, so that trees of other machines can be read. If version 1 has
    the CPU controller, version 2's tree says nothing of it.
    """
    membership = _membership(root / "proc/self/cgroup")
    if membership is None:
        return CpuTree([], "this system has no cgroup tree")
    version, path = membership
    mounts = [
        mount for mount in visible_mounts(root / "proc/self/mountinfo") if _is_of(mount, version)
    ]
    if not mounts:
        return CpuTree([], f"the CPU controller's tree (version {version}) is not mounted here")
    seen = [_seen(mount, version, path, root) for mount in mounts]
    # the one that shows most of the tree; the last if several show the same
    return max(reversed(seen), key=_reach)


def _reach(tree: CpuTree) -> tuple[bool, bool, int]:
    has_own = bool(tree.groups) and os.path.isdir(tree.groups[0].folder)  # noqa: PTH112 - False, no error
    return has_own, has_own and tree.unseen is None, len(tree.groups)


def _membership(path: Path) -> tuple[int, PurePosixPath] | None:
    """Read /proc/self/cgroup: the group of version 1's cpu controller, else that of version 2."""
    second = None
    for line in lines_of(path):
        hierarchy, _, rest = line.partition(b":")
        controllers, colon, name = rest.partition(b":")
        group = PurePosixPath(os.fsdecode(name))
        if not (colon and group.is_absolute()):
            continue
        if b"cpu" in controllers.split(b","):
            return 1, group
        if hierarchy == b"0" and not controllers:
            second = _V2, group
    return second


def _is_of(mount: Mount, version: int) -> bool:
    if version == _V2:
        return mount.kind == "cgroup2"
    return mount.kind == "cgroup" and "cpu" in mount.options


def _seen(mount: Mount, version: int, path: PurePosixPath, root: Path) -> CpuTree:
    """Return the groups of the process that one mount shows; its own is at `path`."""
    inside = _inside(path, mount.root)
    if inside is None:
        return CpuTree([], f"the process's group {path} is outside the mount of {mount.root}")
    top = root / str(mount.point).lstrip("/")
    groups = [CpuGroup(version, folder) for folder in _upwards(top, inside)]
    return CpuTree(
        groups, unseen=None if _is_root(mount, groups[-1]) else _hidden_above(mount, top)
    )


def _is_root(mount: Mount, top: CpuGroup) -> bool:
    """Tell whether the top of a mount is certainly the root of its hierarchy.

    Inside a cgroup namespace every mount's root reads `/` (cgroup_namespaces(7)), so the files in
    the top decide.
    """
    if mount.root != PurePosixPath("/"):
        return False
    try:
        if top.version == _V2:
            return not any((top.folder / name).exists() for name in _ONLY_BELOW_THE_ROOT)
        return any((top.folder / name).exists() for name in _ONLY_IN_THE_ROOT)
    except OSError:
        return False


def _hidden_above(mount: Mount, top: Path) -> str:
    place = "" if mount.root == PurePosixPath("/") else f" ({mount.root} of the hierarchy)"
    return f"the control groups above {top}{place} are hidden from here"


def _inside(group: PurePosixPath, mount_root: PurePosixPath) -> PurePosixPath | None:
    """Return the group's path below the mount; None if it is outside of it."""
    if ".." in group.parts or ".." in mount_root.parts or not group.is_relative_to(mount_root):
        return None
    return group.relative_to(mount_root)


def _upwards(top: Path, inside: PurePosixPath) -> list[Path]:
    """List the group's folder and those above it, up to the mount point."""
    folders = [top / inside]
    while folders[-1] != top:
        folders.append(folders[-1].parent)
    return folders


def _microseconds(word: str) -> int:
    if not (word.isdigit() and 0 < int(word) < _LARGEST_US):
        raise ValueError(f"{word!r} is not a time in microseconds")
    return int(word)
