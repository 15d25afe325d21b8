"""What a node is: CPUs and their siblings, clock, memory pages, vector units, stolen time.

Read from Linux's /proc and /sys (Documentation/ABI/stable/sysfs-devices-system-cpu,
Documentation/admin-guide/pm/cpufreq.rst, proc_stat(5)). What is not told there is None: macOS has
neither, and a container may hide a part.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from whisper_bench.ranges import CpuCount, Share, Word

CPU = "sys/devices/system/cpu"
_VECTORS = (
    *("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16"),
    *("asimd", "asimddp", "i8mm", "bf16", "sve", "sve2"),
)
"""Flags of /proc/cpuinfo that speak of units that could multiply matrices."""
_STEAL, _GUEST = 7, 8
"""Places in the first line of /proc/stat; guest time is counted in user time as well."""


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node's facts; None is unknown.

    `threads_per_core` is what the kernel sees: a hypervisor may hide siblings. `steal_share` is of
    all CPU time since the system started.
    """

    online_cpus: CpuCount | None = None
    threads_per_core: CpuCount | None = None
    sockets: CpuCount | None = None
    numa_nodes: CpuCount | None = None
    hypervisor: bool | None = None
    governor: Word | None = None
    boost: bool | None = None
    huge_pages: Word | None = None
    steal_share: Share | None = None
    vectors: list[str] | None = None

    @property
    def siblings(self) -> Literal["none", "shared", "hidden", "unknown"]:
        """Whether two of its CPUs share a core, as far as that is told."""
        if self.threads_per_core is None:
            return "unknown"
        if self.threads_per_core > 1:
            return "shared"
        # a guest sees what its hypervisor shows; a machine of its own shows the truth
        return "none" if self.hypervisor is False else "hidden"


def read_node(root: Path = Path("/")) -> Node:
    """Return what is told of the node under `root`."""
    cpuinfo = _text(root / "proc/cpuinfo")
    flags = _flags(cpuinfo)
    return Node(
        online_cpus=_online(root),
        threads_per_core=_count(_text(root / CPU / "cpu0/topology/thread_siblings_list")),
        sockets=_different(root, "topology/physical_package_id"),
        numa_nodes=len(list((root / "sys/devices/system/node").glob("node[0-9]*"))) or None,
        hypervisor=_hypervisor(root, flags),
        governor=_one(root, "cpufreq/scaling_governor"),
        boost=_boost(root),
        huge_pages=_chosen(_text(root / "sys/kernel/mm/transparent_hugepage/enabled")),
        steal_share=_steal(_text(root / "proc/stat")),
        vectors=None if flags is None else [name for name in _VECTORS if name in flags],
    )


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None


def _online(root: Path) -> int | None:
    told = _count(_text(root / CPU / "online"))
    return told or (os.cpu_count() if root == Path("/") else None)


def _count(text: str | None) -> int | None:
    """Count the CPUs of a list such as 0-3,8 (cpuset(7), List format)."""
    if not text:
        return None
    with suppress(ValueError):
        ends = [[int(end) for end in part.split("-")] for part in text.split(",")]
        return sum(part[-1] - part[0] + 1 for part in ends)
    return None


def _values(root: Path, name: str) -> list[str]:
    texts = (_text(cpu / name) for cpu in sorted((root / CPU).glob("cpu[0-9]*")))
    return list(dict.fromkeys(text for text in texts if text))


def _different(root: Path, name: str) -> int | None:
    return len(_values(root, name)) or None


def _one(root: Path, name: str) -> str | None:
    return ", ".join(_values(root, name)) or None


def _boost(root: Path) -> bool | None:
    """Tell whether the clock may rise above its base (intel_pstate.rst; cpufreq.rst)."""
    for name, on in (("cpufreq/boost", "1"), ("intel_pstate/no_turbo", "0")):
        text = _text(root / CPU / name)
        if text is not None:
            return text == on
    return None


def _flags(cpuinfo: str | None) -> frozenset[str] | None:
    for line in (cpuinfo or "").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in {"flags", "Features"}:
            return frozenset(value.split())
    return None


def _hypervisor(root: Path, flags: Iterable[str] | None) -> bool | None:
    """Tell a guest by its CPUID flag on x86-64, or by what the hypervisor says of itself."""
    if flags is not None and "hypervisor" in flags:
        return True
    if (root / "sys/hypervisor/type").exists():
        return True
    is_x86 = flags is not None and "sse2" in flags
    return False if is_x86 else None


def _chosen(text: str | None) -> str | None:
    """Return the word in brackets."""
    return text.partition("[")[2].partition("]")[0] or None if text else None


def _steal(stat: str | None) -> float | None:
    words = (stat or "").partition("\n")[0].split()
    if len(words) <= _STEAL + 1 or words[0] != "cpu":
        return None
    with suppress(ValueError):
        ticks = [int(word) for word in words[1 : _GUEST + 1]]
        return ticks[_STEAL] / sum(ticks) if sum(ticks) else None
    return None
