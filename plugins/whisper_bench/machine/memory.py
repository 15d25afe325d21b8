"""The memory that is left: of the machine, and of the group that this process is in."""

import os
from contextlib import suppress
from pathlib import Path

_KIB = 1024
_GROUPS = (
    ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current", "inactive_file"),
    (
        "sys/fs/cgroup/memory/memory.limit_in_bytes",
        "sys/fs/cgroup/memory/memory.usage_in_bytes",
        "total_inactive_file",
    ),
)
"""Limit, use, and what can be dropped (Linux, Documentation/admin-guide/cgroup-v2.rst)."""


def available_bytes(root: Path = Path("/")) -> int | None:
    """Return the bytes that new processes can take before the kernel kills one; None if unknown.

    MemAvailable of Linux, or less where the container's own group has less; all of a machine
    without a /proc (macOS).
    """
    left = [
        known for known in (_of_machine(root), *(_of_group(root, *group) for group in _GROUPS))
        if known is not None
    ]  # fmt: skip
    return min(left, default=None)


def _of_machine(root: Path) -> int | None:
    with suppress(OSError, ValueError):
        for line in (root / "proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * _KIB
    with suppress(OSError, ValueError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _of_group(root: Path, limit: str, use: str, droppable: str) -> int | None:
    try:
        most = int((root / limit).read_text(encoding="ascii"))  # "max" is no number
        used = int((root / use).read_text(encoding="ascii"))
        stat = ((root / use).parent / "memory.stat").read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    figures = dict(line.split() for line in stat.splitlines())
    return max(0, most - used + int(figures.get(droppable, 0)))
