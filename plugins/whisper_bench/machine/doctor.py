"""What of a node spoils a measurement, or leaves speed unused, and what to do about each."""

from collections.abc import Iterable, Mapping

import msgspec

from whisper_bench.machine.cpu_limit import CpuLimit
from whisper_bench.machine.node import Node

STOLEN = 0.01
"""Share of CPU time from which a neighbour on the host is worth a word."""
ISA_VARIABLE = "CT2_FORCE_CPU_ISA"
_GIB = 2**30
UNKNOWN = "unknown"
_OTHER_KERNELS = (
    "CTranslate2 may choose its AVX2 kernels all the same, and a run's record says which: try "
    f"{ISA_VARIABLE}=AVX512 under another save name, and compare with whisper-bench ratio"
)
_OTHER_ENGINE = (
    "an engine that uses it computes the encoder 3 to 4 times as fast (OpenVINO, bfloat16)"
)


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fact of the node; `remedy` is what to do about it, None where nothing is to be done."""

    fact: str
    value: str
    remedy: str | None = None


def findings(
    node: Node,
    limit: CpuLimit,
    *,
    memory_bytes: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Return what is known of a node, in the order of a reader's questions."""
    return [
        _cpus(node),
        _siblings(node),
        _sockets(node),
        _limit(limit),
        _steal(node),
        _governor(node),
        _boost(node),
        _huge_pages(node),
        _memory(memory_bytes),
        Finding(
            "memory bandwidth",
            "not told by the kernel",
            "measure it as it counts: --whisper-copies=1,all shows what full memory costs",
        ),
        *_vectors(node, environment or {}),
    ]


def _cpus(node: Node) -> Finding:
    if node.online_cpus is None:
        return Finding("CPUs", UNKNOWN)
    few = node.online_cpus < 4  # noqa: PLR2004 - facts of full nodes are of 16
    remedy = "a full node of production has more: measure --whisper-copies=1,all on such a one"
    return Finding("CPUs", f"{node.online_cpus}", remedy if few else None)


def _siblings(node: Node) -> Finding:
    value, remedy = {
        "none": ("none: each CPU is a core", None),
        "shared": (
            f"{node.threads_per_core} CPUs share a core",
            "one alone is faster than all at once: measure --whisper-copies=1,all",
        ),
        "hidden": (
            "hidden by the hypervisor",
            "two CPUs may share a core and nothing shows it: measure --whisper-copies=1,all",
        ),
        "unknown": (UNKNOWN, "measure --whisper-copies=1,all"),
    }[node.siblings]
    return Finding("siblings", value, remedy)


def _sockets(node: Node) -> Finding:
    known = [
        f"{count} {name}"
        for count, name in ((node.sockets, "socket(s)"), (node.numa_nodes, "NUMA node(s)"))
        if count is not None
    ]
    crossed = (node.numa_nodes or 1) > 1
    remedy = (
        "memory of the other node is slower: the kubelet's topology manager "
        "(--topology-manager-policy=single-numa-node) keeps a Pod on one"
    )
    return Finding("sockets", ", ".join(known) or UNKNOWN, remedy if crossed else None)


def _limit(limit: CpuLimit) -> Finding:
    """Tell a quota from a cpuset, which the kubelet's static policy gives."""
    if limit.quota_cpus is not None:
        return Finding("CPU limit", f"a quota of {limit.quota_cpus:g} CPU(s): {limit.source}")
    online, affinity = limit.online_cpus, limit.affinity_cpus
    if online and affinity and affinity < online:
        return Finding(
            "CPU limit",
            f"a cpuset of {affinity} of {online} CPUs, and no quota (the kubelet's static CPU "
            "policy gives that)",
            "more threads than CPUs take turns here and no counter shows it: "
            f"--whisper-threads={affinity} or fewer",
        )
    if limit.unknown is not None:
        return Finding("CPU limit", f"not known: {limit.unknown}", "see docs/throttling.md")
    return Finding("CPU limit", "none", "measure under a Pod's: --whisper-cpu-limit=1")


def _steal(node: Node) -> Finding:
    share = node.steal_share
    if share is None:
        return Finding("stolen time", UNKNOWN)
    remedy = (
        "the host runs other guests on these CPUs: use a dedicated node type, and judge by "
        "CPU-seconds and by runs of several days (--all-runs)"
    )
    value = f"{share:.2%} of CPU time since start"
    if share == 0 and node.hypervisor:
        value += "; many hypervisors report none"
    return Finding("stolen time", value, remedy if share >= STOLEN else None)


def _governor(node: Node) -> Finding:
    if node.governor is None:
        return Finding("governor", "not told" if node.hypervisor else UNKNOWN)
    steady = node.governor == "performance"
    return Finding(
        "governor",
        node.governor,
        None if steady else "the clock follows the load: cpupower frequency-set -g performance",
    )


def _boost(node: Node) -> Finding:
    if node.boost is None:
        return Finding("boost", "not told" if node.hypervisor else UNKNOWN)
    remedy = "one busy CPU is clocked higher than all: measure --whisper-copies=1,all"
    return Finding("boost", "on" if node.boost else "off", remedy if node.boost else None)


def _memory(left_bytes: int | None) -> Finding:
    value = UNKNOWN if left_bytes is None else f"{left_bytes / _GIB:.1f} GiB"
    return Finding("memory left", value)


def _huge_pages(node: Node) -> Finding:
    return Finding("huge pages", node.huge_pages or UNKNOWN)


def _vectors(node: Node, environment: Mapping[str, str]) -> Iterable[Finding]:
    if node.vectors is None:
        yield Finding("vector units", UNKNOWN)
        return
    yield Finding("vector units", ", ".join(node.vectors) or "none that is known")
    forced = environment.get(ISA_VARIABLE)
    if "avx512f" in node.vectors:
        value = f"present; {ISA_VARIABLE}={forced}" if forced else "present"
        yield Finding("AVX-512", value, None if forced else _OTHER_KERNELS)
    if "amx_int8" in node.vectors:
        yield Finding("AMX", "present, and CTranslate2 has no kernels for it", _OTHER_ENGINE)
