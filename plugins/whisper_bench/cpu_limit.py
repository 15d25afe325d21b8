"""The CPUs that this process may use at once, and who says so."""

import os
from pathlib import Path

import msgspec

from whisper_bench.cgroup import CpuGroup, CpuTree, cpu_tree
from whisper_bench.ranges import CpuCount, Cpus, QuotaCpus, Word


class CpuLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limit in force: `cpus` is min(quota, affinity), None where neither limits.

    `quota_trouble` says what kept the quota, or one above it, from being read.
    """

    cpus: Cpus | None
    source: Word
    quota_cpus: QuotaCpus | None
    quota_group: str | None
    affinity_cpus: CpuCount | None
    online_cpus: CpuCount | None
    quota_trouble: str | None = None

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
    quota, group, trouble = _smallest_quota(cpu_tree(root))
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return combined_limit(quota, group, affinity, os.cpu_count(), trouble)


def combined_limit(
    quota_cpus: float | None,
    group: CpuGroup | None,
    affinity_cpus: int | None,
    online_cpus: int | None,
    trouble: str | None = None,
) -> CpuLimit:
    """Combine what was read; an affinity to every CPU that is online limits nothing."""
    pinned = affinity_cpus if affinity_cpus and affinity_cpus < (online_cpus or 0) else None
    # a quota above the CPUs that can be run on does not give more of them
    usable = affinity_cpus if quota_cpus is not None else pinned
    cpus = min((limit for limit in (quota_cpus, usable) if limit is not None), default=None)
    if cpus is None:
        source = f"unknown: {trouble}" if trouble else "none"
    elif group is not None and (cpus == quota_cpus or pinned is None):
        source = f"cgroup v{group.version} quota"
    else:
        source = "affinity"
    folder = str(group.folder) if group else None
    return CpuLimit(cpus, source, quota_cpus, folder, affinity_cpus, online_cpus, trouble)


def quota_group(root: Path = Path("/")) -> CpuGroup | None:
    """Return the group whose quota is the smallest: the one that throttles, if any does."""
    return _smallest_quota(cpu_tree(root))[1]


def _smallest_quota(tree: CpuTree) -> tuple[float | None, CpuGroup | None, str | None]:
    smallest: float | None = None
    holder: CpuGroup | None = None
    trouble = tree.trouble
    for group in tree.groups:
        try:
            quota = group.quota_cpus()
        except (OSError, ValueError) as error:
            trouble = f"{group.folder}: {error}"
            continue
        if quota is not None and (smallest is None or quota < smallest):
            smallest, holder = quota, group
    return smallest, holder, trouble
