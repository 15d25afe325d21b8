"""--whisper-cpu-limit: what the kernel holds of it, and a control group that has it."""

from whisper_bench.errors import BenchError
from whisper_bench.machine.cpu_limit import CpuLimit
from whisper_bench.machine.quota import QuotaGroup, held_cpus, is_held


def held_limit(cpus: float) -> float:
    """Return the quota that the kernel holds for what `--whisper-cpu-limit` asks for.

    Raises:
        BenchError: it is smaller than the kernel takes.

    """
    try:
        return held_cpus(cpus)
    except BenchError as error:
        raise BenchError(f"--whisper-cpu-limit={cpus:g}: {error}") from error


def quota_for(cpus: float | None, in_force: CpuLimit) -> QuotaGroup | None:
    """Put a demanded limit in force for the workers, unless it is already.

    Raises:
        BenchError: it cannot be; the message says what is in force, and what helps.

    """
    if cpus is None or is_held(cpus, in_force.cpus):
        return None
    usable = in_force.usable_cpus
    if usable is not None and usable < cpus:
        raise BenchError(
            f"--whisper-cpu-limit={cpus:g}: the CPU limit in force is {in_force}, and only "
            f"{usable:g} CPU(s) can be used; run where there are more: docker run --rm "
            f"--cpus={cpus:g} IMAGE"
        )
    try:
        return QuotaGroup(cpus)
    except BenchError as error:
        raise BenchError(
            f"--whisper-cpu-limit={cpus:g}: the CPU limit in force is {in_force}, and {error}"
        ) from error
