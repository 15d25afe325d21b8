"""From a saved run of pytest-benchmark to results in the schema."""

import math
import statistics
from datetime import UTC, datetime

from whisper_bench.contention import MANY_CONTENDED
from whisper_bench.counters import CpuCounters, total_counters
from whisper_bench.errors import BenchError
from whisper_bench.machine import MachineFacts
from whisper_bench.quantile import percentile, samples_needed
from whisper_bench.record import CaseRecord, contended_rounds
from whisper_bench.results.schema import SCHEMA_VERSION, Detail, Latency, Result
from whisper_bench.saved import SavedCase, SavedMachine, SavedRun, cases_of
from whisper_bench.throttling import judged
from whisper_bench.verdict import CaseVerdict

_MIB = 2**20
_MS_PER_S = 1000


def results_of(run: SavedRun, save_name: str, where: str) -> list[Result]:
    """Return one result a case of a saved run; `where` names the run in an error."""
    machine = run.machine_info.whisper_bench
    if machine is None:
        raise BenchError(f"{where}: machine_info has no whisper_bench; measure again")
    cases = cases_of(run, where)
    verdicts = judged([case.record for case in cases]).cases
    return [
        _result(case, verdict, run, machine, save_name)
        for case, verdict in zip(cases, verdicts, strict=True)
    ]


def _result(
    case: SavedCase, verdict: CaseVerdict, run: SavedRun, machine: MachineFacts, save_name: str
) -> Result:
    record, samples = case.record, case.latencies_s
    total_s = math.fsum(samples)
    limit = record.cpu_limit.cpus
    peak_bytes = max(process.peak_rss_bytes for process in record.processes)
    return Result(
        timestamp=_utc(run.datetime),
        architecture=machine.architecture,
        cpu_model=machine.cpu_model,
        model_size=record.model,
        iterations=len(samples),
        avg_latency_ms=total_s / len(samples) * _MS_PER_S,
        total_time_s=total_s,
        rps=len(samples) / total_s,
        cpu_limit=int(limit) if limit is not None and limit == int(limit) else limit,
        memory_mb=math.ceil(peak_bytes / _MIB),
        schema_version=SCHEMA_VERSION,
        detail=_detail(case, verdict, run.machine_info, save_name),
    )


def _detail(case: SavedCase, verdict: CaseVerdict, machine: SavedMachine, save_name: str) -> Detail:
    record, samples = case.record, case.latencies_s
    return Detail(
        save_name=save_name,
        shape_only=record.weights.shape_only,
        threads=record.threads,
        compute_type=record.compute_type,
        compute_type_in_use=record.compute_type_in_use,
        decoding=record.decoding,
        clip=record.clip,
        weights=record.weights,
        versions={**record.versions, "python": machine.python_version},
        backend=record.backend,
        environment=record.environment,
        cpu_limit=record.cpu_limit,
        node=machine.node,
        system=machine.system,
        kernel=machine.release,
        latency=_latency(samples),
        cpu_s_per_request=statistics.fmean(each.cpu_s for each in record.rounds),
        real_time_factor=statistics.fmean(samples) / record.clip.duration_s,
        counters=_counters(record),
        throttling=verdict,
        contended_rounds=contended_rounds(record),
        unknown=_unknown(record),
        processes=record.processes,
        planned_rounds=record.planned_rounds,
        resumed_rounds=record.resumed_rounds,
        warmup_rounds=record.warmup_rounds,
        tokens=record.tokens,
        transcript=record.transcript,
        word_error_rate=record.word_error_rate,
        word_error_rate_bound=record.word_error_rate_bound,
        warnings=list(warnings_of(record)),
    )


def _latency(samples: list[float]) -> Latency:
    return Latency(
        mean_s=statistics.fmean(samples),
        stddev_s=statistics.stdev(samples) if len(samples) > 1 else 0.0,
        min_s=min(samples),
        p50_s=percentile(samples, 50),
        p90_s=percentile(samples, 90),
        p95_s=percentile(samples, 95),
        p99_s=percentile(samples, 99),
        max_s=max(samples),
    )


def warnings_of(record: CaseRecord) -> list[str]:
    """List what a reader should know before trusting the figures; most serious first."""
    rounds, contended = len(record.rounds), contended_rounds(record)
    found = []
    if record.weights.shape_only:
        found.append("shape-only weights: cost of the model named, not its skill")
    if not record.weights.pinned:
        found.append(f"unpinned weights, sha256 {record.weights.sha256}")
    if contended is None:
        found.append("contention unknown: what tells it is not there (docs/measuring.md)")
    elif contended >= MANY_CONTENDED * rounds:
        found.append(
            f"{contended} of {rounds} rounds contended: the machine was busy, compare CPU-seconds"
        )
    if record.cpu_limit.cpus is None:
        found.append(f"no CPU limit in force ({record.cpu_limit.source})")
    if rounds < record.planned_rounds:
        found.append(f"{rounds} of {record.planned_rounds} rounds: the run was interrupted")
    if len(record.processes) == 1:
        found.append("one process: the spread between processes is not known")
    if rounds < samples_needed(95):
        found.append(f"{rounds} rounds: p95 needs {samples_needed(95)}, p99 {samples_needed(99)}")
    return found


def _unknown(record: CaseRecord) -> dict[str, str]:
    """Say of each figure that is null why it is."""
    limit = record.cpu_limit
    reasons = {
        "cpu_limit": (limit.cpus, limit.source),
        "counters": (_counters(record), f"no quota whose counters can be read ({limit.source})"),
        "contended_rounds": (contended_rounds(record), "fewer CPUs than threads, or no schedstat"),
        "word_error_rate": (record.word_error_rate, "the clip has no text beside it"),
        "revision": (record.weights.revision, "the weights are not those of a pinned revision"),
    }
    return {name: reason for name, (value, reason) in reasons.items() if value is None}


def _counters(record: CaseRecord) -> CpuCounters | None:
    return total_counters([process.counters for process in record.processes])


def _utc(moment: str) -> str:
    parsed = datetime.fromisoformat(moment)
    return parsed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
