"""What one Pod asks for: CPU and memory, from what was measured on its architecture."""

import math

import msgspec

MEMORY_MARGIN = 1.25
"""Memory beyond the measured peak: the service around Whisper, longer clips, fragmentation."""
MEMORY_STEP_MIB = 64
_MIB = 2**20


class PodSize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests, which are also the limits, so that the Pod is Guaranteed.

    `cpu` is a whole number of CPUs, `memory_mib` in MiB: the peak of one process times `margin`,
    rounded up to `step_mib`, for each of `concurrency` workers. `measured_on` names the machine
    whose peak it is. `busy_cpus` are the CPUs that one request kept busy: CPU-seconds over latency.
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


def pod_size(
    *,
    threads: int,
    cpu_limit: float | None,
    peak_rss_bytes: int,
    busy_cpus: float,
    measured_on: str,
    concurrency: int = 1,
) -> PodSize:
    """Return what a Pod asks for whose workers are as they were measured.

    Without a limit in force each thread may have kept a CPU busy.
    """
    cpus = threads if cpu_limit is None else cpu_limit
    needed_mib = peak_rss_bytes / _MIB * MEMORY_MARGIN * concurrency
    return PodSize(
        threads=threads,
        cpu=math.ceil(cpus) * concurrency,
        memory_mib=MEMORY_STEP_MIB * math.ceil(needed_mib / MEMORY_STEP_MIB),
        concurrency=concurrency,
        peak_rss_bytes=peak_rss_bytes,
        margin=MEMORY_MARGIN,
        step_mib=MEMORY_STEP_MIB,
        busy_cpus=busy_cpus,
        measured_on=measured_on,
    )
