"""From a saved run of pytest-benchmark to results in the schema."""

import math
import statistics
from datetime import UTC, datetime

from whisper_bench.contention import MANY_CONTENDED
from whisper_bench.cpu_limit import total_counters
from whisper_bench.errors import BenchError
from whisper_bench.quantile import percentile, samples_needed
from whisper_bench.record import CaseRecord
from whisper_bench.results.schema import SCHEMA_VERSION, Detail, Latency, Result
from whisper_bench.saved import MachineFacts, SavedCase, SavedMachine, SavedRun, cases_of

_MIB = 2**20
_MS_PER_S = 1000


def results_of(run: SavedRun, save_name: str, where: str) -> list[Result]:
    """Return one result a case of a saved run; `where` names the run in an error."""
    machine = run.machine_info.whisper_bench
    if machine is None:
        raise BenchError(f"{where}: machine_info has no whisper_bench; measure again")
    return [_result(case, run, machine, save_name) for case in cases_of(run, where)]


def _result(case: SavedCase, run: SavedRun, machine: MachineFacts, save_name: str) -> Result:
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
        detail=_detail(record, samples, run.machine_info, save_name),
    )


def _detail(
    record: CaseRecord, samples: list[float], machine: SavedMachine, save_name: str
) -> Detail:
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
        counters=total_counters([process.counters for process in record.processes]),
        contended_rounds=_contended(record),
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
    rounds, contended = len(record.rounds), _contended(record)
    found = []
    if record.weights.shape_only:
        found.append("shape-only weights: cost of the model named, text of base")
    if not record.weights.pinned:
        found.append(f"unpinned weights, sha256 {record.weights.sha256}")
    if contended >= MANY_CONTENDED * rounds:
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


def _contended(record: CaseRecord) -> int:
    return sum(each.contended is True for each in record.rounds)


def _utc(moment: str) -> str:
    parsed = datetime.fromisoformat(moment)
    return parsed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
