"""The CPUs that this process may use at once, and what limits them."""

import os
from fractions import Fraction
from operator import itemgetter
from pathlib import Path
from typing import Literal

import msgspec

from whisper_bench.machine.cgroup import CpuGroup, CpuTree, cpu_tree
from whisper_bench.ranges import CpuCount, Cpus, Duration, QuotaCpus, Seconds, Threads, Word
from whisper_bench.text.plain import readable

WHOLE_TREE = "whole"
"""The value of `CpuLimit.tree` if every group up to the root of the hierarchy was read."""
BUSY_SHARE = 0.98
"""Share of a CPU that each busy thread gets if nothing limits it: measured 0.99 to 1.00 without
a quota, 0.92 to 0.93 for two under 1.9 CPU, 0.97 for one under 0.97 CPU (docs/throttling.md)."""
WHERE_TO_LOOK = (
    "look at the CPU limit of the task definition or Pod, or at cpu.max (version 1: "
    "cpu.cfs_quota_us) of the groups above on the host; or give the container a quota of its own: "
    "docker run --cpus=1"
)


class BusyThreads(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The CPU-seconds that threads which only compute got, and the wall time of each."""

    threads: Threads
    cpu_s: Seconds
    wall_s: Duration

    @property
    def had_all(self) -> bool:
        """Whether each had a CPU all the time, so that no quota can have stopped them."""
        return self.cpu_s >= BUSY_SHARE * self.threads * self.wall_s

    def __str__(self) -> str:
        return (
            f"{self.threads} busy thread(s) got {self.cpu_s / self.wall_s:.2f} CPU "
            f"for {self.wall_s:.1f} s"
        )


class CpuLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limit in force: `cpus` is min(quota, affinity), None if neither limits.

    `quota_trouble` says why the quota, or one above it, could not be read. `tree` is "whole", or
    says which groups above are hidden from here; None if it is not known (no tree, or saved by an
    older version). `busy` is what busy threads got, if a hidden quota could not be excluded.
    """

    cpus: Cpus | None
    source: Word
    quota_cpus: QuotaCpus | None
    quota_group: str | None
    affinity_cpus: CpuCount | None
    online_cpus: CpuCount | None
    quota_trouble: str | None = None
    tree: str | None = None
    busy: BusyThreads | None = None

    @property
    def usable_cpus(self) -> float | None:
        """The CPUs that can be used: the limit, else the affinity, else those online."""
        return self.cpus or self.affinity_cpus or self.online_cpus

    @property
    def unseen(self) -> str | None:
        """Which groups are hidden from here; None if none is known to be."""
        return None if self.tree == WHOLE_TREE else self.tree

    @property
    def hides_a_quota(self) -> bool:
        """Whether a quota may be in force that could not be seen at all."""
        proven = self.busy is not None and self.busy.had_all
        return self.quota_cpus is None and self.unseen is not None and not proven

    @property
    def unknown(self) -> str | None:
        """Why it is not known whether another quota is in force; None if it is known."""
        return self.quota_trouble or (self.unseen if self.hides_a_quota else None)

    @property
    def compared(self) -> float | Literal["unknown"] | None:
        """The limit that two runs must share: "unknown" if a limit may be in force unseen.

        Busy threads that got all their CPUs do not change it: with a neighbour they may get less.
        A system without affinity (macOS) has no control groups either.
        """
        unread = self.quota_trouble is not None and self.affinity_cpus is not None
        return "unknown" if self.cpus is None and (unread or self.unseen) else self.cpus

    def __str__(self) -> str:
        if self.cpus is not None:
            return f"{self.cpus:g} ({self.source})"
        return "none" if self.unknown is None else f"not known ({self.unknown})"


def shares_of(cpus: float, each: float) -> int:
    """Return how many shares of CPUs there are: as decimals, since 16 // 1.6 is 9 in binary."""
    return int(Fraction(str(cpus)) / Fraction(str(each)))


def cpu_limit_in_force(root: Path = Path("/")) -> CpuLimit:
    """Read the limit from the cgroup tree, up to its root, and from the CPU affinity.

    What cannot be read (macOS has neither) is None, and `source` says why.
    """
    tree = cpu_tree(root)
    quotas, trouble = _quotas(tree)
    quota, group = quotas[0] if quotas else (None, None)
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    seen = (tree.unseen or WHOLE_TREE) if tree.groups else None
    return combined_limit(quota, group, affinity, os.cpu_count(), trouble, seen)


def combined_limit(  # noqa: PLR0917 - what was read, in the order of the reading
    quota_cpus: float | None,
    group: CpuGroup | None,
    affinity_cpus: int | None,
    online_cpus: int | None,
    trouble: str | None = None,
    tree: str | None = None,
) -> CpuLimit:
    """Combine quota and affinity into the limit in force, and say where it comes from."""
    pinned = _pinned(affinity_cpus, online_cpus)
    cpus = smallest_limit(quota_cpus, affinity_cpus, online_cpus)
    limit = CpuLimit(
        cpus=cpus,
        source="none",
        quota_cpus=quota_cpus,
        quota_group=readable(str(group.folder)) if group else None,
        affinity_cpus=affinity_cpus,
        online_cpus=online_cpus,
        quota_trouble=trouble and readable(trouble),
        tree=tree and readable(tree),
    )
    if cpus is None:
        source = f"unknown: {limit.unknown}" if limit.unknown else "none"
    elif group is not None and (cpus == quota_cpus or pinned is None):
        source = f"cgroup v{group.version} quota"
    else:
        source = "affinity"
    return msgspec.structs.replace(limit, source=source)


def smallest_limit(
    quota_cpus: float | None, affinity_cpus: int | None, online_cpus: int | None
) -> float | None:
    """Return the smaller of quota and affinity; None if neither limits."""
    # a quota above the CPUs of the affinity does not give more of them
    usable = affinity_cpus if quota_cpus is not None else _pinned(affinity_cpus, online_cpus)
    return min((limit for limit in (quota_cpus, usable) if limit is not None), default=None)


def _pinned(affinity_cpus: int | None, online_cpus: int | None) -> int | None:
    """Return the affinity; None if it has every CPU that is online, and so limits nothing."""
    return affinity_cpus if affinity_cpus and affinity_cpus < (online_cpus or 0) else None


def no_limit_words(limit: CpuLimit) -> str:
    """Say that no limit was found, and what could not be seen."""
    if limit.unknown is not None:
        return f"no CPU limit in force can be seen ({limit.unknown})"
    if limit.unseen is not None:
        return f"no CPU limit in force ({limit.busy}; {limit.unseen})"
    return f"no CPU limit in force ({limit.source})"


def no_limit_warning(limit: CpuLimit) -> str:
    """Warn that results will record no limit, and say how to set one."""
    text = f"WARNING: {no_limit_words(limit)}; results record cpu_limit null. "
    if limit.usable_cpus == 1:
        text += (
            "This machine or container has only one CPU, but that does not count as a limit: it "
            "may get more. "
        )
    return (
        f"{text}To compare runs, set a limit: docker run --cpus=1; in LXC or a virtual machine "
        "--whisper-cpu-limit=1 as root, systemd-run --scope -p CPUQuota=100% pytest ..., or "
        "lxc config set NAME limits.cpu.allowance=100ms/100ms"
    )


def quota_groups(root: Path = Path("/")) -> list[CpuGroup]:
    """Return the groups that set a quota, the smallest first: any of them may throttle.

    A larger one throttles if other groups below it use it up as well.
    """
    return [group for _, group in _quotas(cpu_tree(root))[0]]


def _quotas(tree: CpuTree) -> tuple[list[tuple[float, CpuGroup]], str | None]:
    """Return each group's quota, the smallest first, and why one could not be read."""
    quotas = []
    trouble = tree.trouble
    for group in tree.groups:
        try:
            quota = group.quota_cpus()
        except (OSError, ValueError) as error:
            trouble = f"{group.folder}: {error}"
            continue
        if quota is not None:
            quotas.append((quota, group))
    return sorted(quotas, key=itemgetter(0)), trouble
