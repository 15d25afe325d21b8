"""Whether a side's threads and memory fit in the limits that it runs under."""

from collections.abc import Sequence

from whisper_bench.case.record import CaseRecord
from whisper_bench.gate.process import ProcessRun
from whisper_bench.gate.report import Answer, Check
from whisper_bench.machine.cpu_limit import WHERE_TO_LOOK, CpuLimit
from whisper_bench.machine.quota import is_held

_MIB = 2**20


def threads_within_limit(candidate: ProcessRun, demanded: float | None) -> Check:
    """Check that no case has more threads than CPUs, and that the demanded limit is in force."""
    for case in candidate.cases:
        limit, threads = case.record.cpu_limit, case.record.threads
        if demanded is not None and not _is_within(demanded, limit.cpus):
            why = f"a limit of {demanded:g} CPU is demanded, but {_limit(limit)}"
            return Check("threads", Answer.FAIL, f"{case.record.label}: {why}")
        if limit.cpus is not None and threads > limit.cpus:
            why = f"{case.record.label}: {threads} threads under a limit of {limit.cpus:g} CPU"
            return Check("threads", Answer.FAIL, f"{why}: they wait for each other")
    limits = [case.record.cpu_limit for case in candidate.cases]
    unknown = next((limit.unknown for limit in limits if limit.unknown is not None), None)
    if unknown is not None:
        why = f"it is unknown if a quota is in force: {unknown}; {WHERE_TO_LOOK}"
        return Check("threads", Answer.NO_EVIDENCE, why)
    shown = ", ".join(
        "no limit" if cpus is None else f"{cpus:g} CPU"
        for cpus in dict.fromkeys(limit.cpus for limit in limits)
    )
    return Check("threads", Answer.PASS, f"within the limit ({shown})")


def memory_within_limit(candidate: Sequence[CaseRecord], limit_bytes: int | None) -> list[Check]:
    """Compare the peak resident memory with the container's limit, if there is one."""
    if limit_bytes is None:
        return []
    peaks = {
        record.label: max(process.peak_rss_bytes for process in record.processes)
        for record in candidate
    }
    label, peak = max(peaks.items(), key=lambda peak_of: peak_of[1])
    message = f"{label}: peak of {peak / _MIB:.0f} MiB, limit {limit_bytes / _MIB:.0f} MiB"
    return [Check("memory", Answer.FAIL if peak > limit_bytes else Answer.PASS, message)]


def _limit(limit: CpuLimit) -> str:
    if limit.cpus is None and limit.unknown is not None:
        return f"the limit in force is unknown ({limit.unknown})"
    in_force = "none" if limit.cpus is None else f"{limit.cpus:g}"
    return f"{in_force} is in force ({limit.source})"


def _is_within(demanded: float, in_force: float | None) -> bool:
    return in_force is not None and (in_force <= demanded or is_held(demanded, in_force))
