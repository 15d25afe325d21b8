"""From a saved run of pytest-benchmark to results in the schema."""

import math
import statistics
from collections.abc import Iterator
from typing import Any

import msgspec

from whisper_bench.case.record import (
    RECORD_VERSION,
    CaseRecord,
    contended_rounds,
    trust_warnings,
)
from whisper_bench.case.record_check import check_record
from whisper_bench.errors import BenchError
from whisper_bench.files.names import checked_name
from whisper_bench.machine.counters import CpuCounters, total_counters
from whisper_bench.machine.identity import Machine
from whisper_bench.results.schema import SCHEMA_VERSION, Detail, LatencySummary, Result
from whisper_bench.saved.file import SavedCase, SavedRun, cases_of, machine_of, utc
from whisper_bench.stats.quantile import percentile, samples_needed
from whisper_bench.throttling.judge import judged
from whisper_bench.throttling.verdict import CaseVerdict, most_serious

_MIB = 2**20
_MS_PER_S = 1000
_AGREE = 1e-9
_PYTHON = "python"
_OF_CASE_ALONE = (
    *("latency_s", "cpu_s", "cpu_limit", "counters", "throttled_share"),
    *("contended_rounds", "rounds"),
)
"""Figures of a verdict in which the other cases of the run have no part."""
_COMMON = set(CaseRecord.__struct_fields__) & set(Detail.__struct_fields__)
"""What a result's detail takes over from the record as it is."""


def results_of(run: SavedRun, save_name: str, where: str) -> list[Result]:
    """Return one result a case of a saved run; `where` names the run in an error."""
    checked_name(save_name, f"{where}: save name")
    machine = machine_of(run, where)
    cases = cases_of(run, where)
    verdicts = judged([case.record for case in cases]).cases
    return [
        _result(case, verdict, run, machine, save_name)
        for case, verdict in zip(cases, verdicts, strict=True)
    ]


def _result(
    case: SavedCase, verdict: CaseVerdict, run: SavedRun, machine: Machine, save_name: str
) -> Result:
    record, samples = case.record, case.latencies_s
    return Result(
        timestamp=utc(run.datetime).strftime("%Y-%m-%dT%H:%M:%SZ"),
        architecture=machine.architecture,
        cpu_model=machine.cpu_model,
        model_size=record.model,
        **_totals(record, samples),
        schema_version=SCHEMA_VERSION,
        detail=_detail(case, verdict, machine, save_name),
    )


def _detail(case: SavedCase, verdict: CaseVerdict, machine: Machine, save_name: str) -> Detail:
    record, samples = case.record, case.latencies_s
    facts = {name: getattr(record, name) for name in _COMMON}
    return Detail(
        **{**facts, "versions": {**record.versions, _PYTHON: machine.python}},
        save_name=save_name,
        node=machine.node,
        system=machine.system,
        kernel=machine.kernel,
        **_figures(record, samples),
        latency=_latency(samples),
        throttling=verdict,
        unknown=_unknown(record),
        warnings=warnings_of(record),
    )


def _totals(record: CaseRecord, samples: list[float]) -> dict[str, Any]:
    """Return the figures of the design's own keys."""
    total_s = math.fsum(samples)
    limit = record.cpu_limit.cpus
    peak_bytes = max(process.peak_rss_bytes for process in record.processes)
    return {
        "iterations": len(samples),
        "avg_latency_ms": total_s / len(samples) * _MS_PER_S,
        "total_time_s": total_s,
        "rps": len(samples) / total_s,
        "cpu_limit": int(limit) if limit is not None and limit == int(limit) else limit,
        "memory_mb": math.ceil(peak_bytes / _MIB),
    }


def _figures(record: CaseRecord, samples: list[float]) -> dict[str, Any]:
    """Return the figures of `detail` that follow from the record."""
    return {
        "shape_only": record.weights.shape_only,
        "cpu_s_per_request": statistics.fmean(each.cpu_s for each in record.rounds),
        "real_time_factor": statistics.fmean(samples) / record.clip.duration_s,
        "counters": _counters(record),
        "contended_rounds": contended_rounds(record),
    }


def _latency(samples: list[float]) -> LatencySummary:
    return LatencySummary(
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
    rounds, found = len(record.rounds), trust_warnings(record)
    if rounds < samples_needed(95):
        found.append(f"{rounds} rounds: p95 needs {samples_needed(95)}, p99 {samples_needed(99)}")
    return found


def check_result(result: Result, where: str) -> None:
    """Hold a result that was read to the rounds that it carries.

    Raises:
        BenchError: a name cannot be a file's, or a figure does not follow from the rounds.

    """
    checked_name(result.detail.save_name, f"{where}: save name")
    record = record_of(result)
    check_record(record, where)
    for name, told, true in _derived(result, record):
        if not _agree(told, true):
            raise BenchError(
                f"{where}: {name} is {told}, and its rounds give {true}; the file was edited, "
                "convert the saved run again"
            )


def _derived(result: Result, record: CaseRecord) -> Iterator[tuple[str, Any, Any]]:
    """Yield each figure that follows from the rounds: its name, as it was read, as it must be."""
    detail, samples = result.detail, [each.latency_s for each in record.rounds]
    for name, true in _totals(record, samples).items():
        yield name, getattr(result, name), true
    for name, true in _figures(record, samples).items():
        yield f"detail.{name}", getattr(detail, name), true
    for name, true in msgspec.structs.asdict(_latency(samples)).items():
        yield f"detail.latency.{name}", getattr(detail.latency, name), true
    for name, true in _of_verdict(detail.throttling, record).items():
        yield f"detail.throttling.{name}", getattr(detail.throttling, name), true


def _of_verdict(verdict: CaseVerdict, record: CaseRecord) -> dict[str, Any]:
    """Return what of a verdict follows from its own case and findings, whatever the others were."""
    alone = judged([record]).cases[0]
    facts = {name: getattr(alone, name) for name in _OF_CASE_ALONE}
    return {**facts, "verdict": most_serious(verdict.findings)}


def _agree(told: Any, true: Any) -> bool:
    if isinstance(told, float) and isinstance(true, float):
        return math.isclose(told, true, rel_tol=_AGREE)
    return bool(told == true)


def record_of(result: Result) -> CaseRecord:
    """Return the record that a result was made from."""
    detail = result.detail
    facts = {name: getattr(detail, name) for name in _COMMON}
    versions = {name: version for name, version in detail.versions.items() if name != _PYTHON}
    return CaseRecord(
        **{**facts, "versions": versions},
        record_version=RECORD_VERSION,
        model=result.model_size,
    )


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
