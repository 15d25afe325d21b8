"""The CPUs that this process may use at once, and who says so."""

import os
from pathlib import Path

import msgspec

from whisper_bench.cgroup import CpuGroup, cpu_groups


class CpuLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limit in force: `cpus` is min(quota, affinity), None where neither limits."""

    cpus: float | None
    source: str
    quota_cpus: float | None
    quota_group: str | None
    affinity_cpus: int | None
    online_cpus: int | None

    @property
    def usable_cpus(self) -> float | None:
        """The CPUs that can be had at all: the limit, else what there is to run on."""
        return next(
            (each for each in (self.cpus, self.affinity_cpus, self.online_cpus) if each), None
        )


def cpu_limit_in_force(root: Path = Path("/")) -> CpuLimit:
    """Read the limit from the cgroup tree, up to its root, and from the CPU affinity.

    Where something cannot be read (macOS has neither) it is None and `source` says why.
    """
    groups = cpu_groups(root)
    quota, group, trouble = _smallest_quota(groups)
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return combined_limit(quota, group, affinity, os.cpu_count(), trouble or _absence(groups))


def combined_limit(
    quota_cpus: float | None,
    group: CpuGroup | None,
    affinity_cpus: int | None,
    online_cpus: int | None,
    otherwise: str,
) -> CpuLimit:
    """Combine what was read; an affinity to every CPU that is online limits nothing."""
    pinned = affinity_cpus if affinity_cpus and affinity_cpus < (online_cpus or 0) else None
    # a quota above the CPUs that can be run on does not give more of them
    usable = affinity_cpus if quota_cpus is not None else pinned
    cpus = min((limit for limit in (quota_cpus, usable) if limit is not None), default=None)
    if cpus is None:
        source = otherwise
    elif cpus == quota_cpus and group is not None:
        source = f"cgroup v{group.version} quota"
    else:
        source = "affinity"
    folder = str(group.folder) if group else None
    return CpuLimit(cpus, source, quota_cpus, folder, affinity_cpus, online_cpus)


def quota_group(root: Path = Path("/")) -> CpuGroup | None:
    """Return the group whose quota is the smallest: the one that throttles, if any does."""
    return _smallest_quota(cpu_groups(root))[1]


def _smallest_quota(groups: list[CpuGroup]) -> tuple[float | None, CpuGroup | None, str | None]:
    smallest: float | None = None
    holder: CpuGroup | None = None
    trouble: str | None = None
    for group in groups:
        try:
            quota = group.quota_cpus()
        except (OSError, ValueError) as error:
            trouble = f"unknown: {group.folder}: {error}"
            continue
        if quota is not None and (smallest is None or quota < smallest):
            smallest, holder = quota, group
    return smallest, holder, trouble


def _absence(groups: list[CpuGroup]) -> str:
    return "none" if groups else "none: this system has no cgroup tree"
