"""What one Pod requests: CPU and memory, from what was measured on its architecture."""

import math

import msgspec

from whisper_bench.errors import BenchError

MEMORY_MARGIN = 1.25
"""Memory beyond the measured peak: the service around Whisper, longer clips, fragmentation."""
MEMORY_STEP_MIB = 64
_MIB = 2**20
BUSY_MARGIN = 0.05
"""A process may use this share more CPU than it has threads, by short-lived helpers (the same
share as for contended rounds, contention.py)."""


class PodSize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests of the Whisper container, which are also its limits.

    `cpu` is a whole number of CPUs: what the threads can use under the limit that was measured
    (`measured_limit_cpus`; None: none was in force). `memory_mib` in MiB: the peak of one process
    times `margin`, rounded up to `step_mib`, for each of `concurrency` workers. `measured_on` names
    the machine whose peak it is. `busy_cpus` are the CPUs that one request kept busy: CPU-seconds
    over latency.
    """

    threads: int
    cpu: int
    memory_mib: int
    concurrency: int
    peak_rss_bytes: int
    margin: float
    step_mib: int
    busy_cpus: float
    measured_on: str
    measured_limit_cpus: float | None = None

    @property
    def below_measured_limit(self) -> bool:
        """Whether a worker gets fewer CPUs than the limit that its throttling was judged under."""
        limit_cpus = self.measured_limit_cpus
        return limit_cpus is not None and self.cpu < math.ceil(limit_cpus) * self.concurrency


def pod_size(
    *,
    threads: int,
    cpu_limit: float | None,
    peak_rss_bytes: int,
    busy_cpus: float,
    measured_on: str,
    concurrency: int = 1,
    present_cpus: float | None = None,
) -> PodSize:
    """Return the size of a Pod with workers as they were measured.

    A worker gets as many CPUs as its threads can use: at most the limit that was in force, or all
    that the machine had (`present_cpus`), at least one, and whole ones.

    Raises:
        BenchError: a figure is not above 0.

    """
    given = {"threads": threads, "cpu_limit": cpu_limit, "peak_rss_bytes": peak_rss_bytes}
    for name, value in given.items():
        if value is not None and not 0 < value < math.inf:
            raise BenchError(f"{name} {value:g}: give a number above 0")
    most_cpus = min((cpus for cpus in (cpu_limit, present_cpus) if cpus is not None), default=None)
    needed_mib = peak_rss_bytes / _MIB * MEMORY_MARGIN * concurrency
    return PodSize(
        threads=threads,
        cpu=usable_cpus(threads, most_cpus, busy_cpus) * concurrency,
        memory_mib=MEMORY_STEP_MIB * math.ceil(needed_mib / MEMORY_STEP_MIB),
        concurrency=concurrency,
        peak_rss_bytes=peak_rss_bytes,
        margin=MEMORY_MARGIN,
        step_mib=MEMORY_STEP_MIB,
        busy_cpus=busy_cpus,
        measured_on=measured_on,
        measured_limit_cpus=cpu_limit,
    )


def usable_cpus(threads: int, most_cpus: float | None, busy_cpus: float) -> int:
    """Return the whole CPUs that a worker can use, at least one.

    A worker that kept more CPUs busy than it has threads gets what it used.
    """
    used = busy_cpus if busy_cpus > threads * (1 + BUSY_MARGIN) else float(threads)
    return max(1, math.ceil(used if most_cpus is None else min(used, most_cpus)))
