"""From the records of a run to results in the schema."""

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from whisper_bench.case.record import (
    RECORD_VERSION,
    CaseRecord,
    contended_rounds,
    counters_of,
    trust_warnings,
)
from whisper_bench.case.record_check import check_record
from whisper_bench.case.work import CaseWork, no_work, work_of
from whisper_bench.errors import BenchError
from whisper_bench.files.names import checked_name
from whisper_bench.machine.identity import Machine
from whisper_bench.results.schema import SCHEMA_VERSION, Detail, LatencySummary, Result
from whisper_bench.saved.file import SavedRun, machine_of, records_of, utc
from whisper_bench.stats.quantile import percentile, samples_needed
from whisper_bench.throttling.judge import judged
from whisper_bench.throttling.verdict import CaseVerdict, most_serious

_MIB = 2**20
_MS_PER_S = 1000
_AGREE = 1e-9
_OF_CASE_ALONE = (
    *("latency_s", "cpu_s", "cpu_limit", "counters", "throttled_share"),
    *("contended_rounds", "rounds"),
)
"""Figures of a verdict in which the other cases of the run have no part."""


def results_of(run: SavedRun, save_name: str, where: str) -> list[Result]:
    """Return one result a case of a saved run; `where` names the run in an error."""
    return results_of_records(records_of(run, where), run, save_name, where)


def results_of_records(
    records: Sequence[CaseRecord], run: SavedRun, save_name: str, where: str
) -> list[Result]:
    """Return one result a record; machine and moment are those of the run they are saved in."""
    checked_name(save_name, f"{where}: save name")
    machine = machine_of(run, where)
    return [
        _result(record, verdict, run, machine, save_name)
        for record, verdict in zip(records, judged(records).cases, strict=True)
    ]


def _result(
    record: CaseRecord, verdict: CaseVerdict, run: SavedRun, machine: Machine, save_name: str
) -> Result:
    return Result(
        timestamp=utc(run.datetime).strftime("%Y-%m-%dT%H:%M:%SZ"),
        architecture=machine.architecture,
        cpu_model=machine.cpu_model,
        **_totals(record),
        schema_version=SCHEMA_VERSION,
        detail=_detail(record, verdict, machine, save_name),
    )


def _detail(record: CaseRecord, verdict: CaseVerdict, machine: Machine, save_name: str) -> Detail:
    figures = _figures(record)
    return Detail(
        save_name=save_name,
        node=machine.node,
        system=machine.system,
        kernel=machine.kernel,
        python=machine.python,
        **figures,
        latency=_latency(record),
        throttling=verdict,
        unknown=_unknown(record, figures["work"]),
        warnings=warnings_of(record),
        record=record,
    )


def _samples(record: CaseRecord) -> list[float]:
    return [measured.latency_s for measured in record.rounds]


def _totals(record: CaseRecord) -> dict[str, Any]:
    """Return what of the design's own keys follows from the record."""
    samples = _samples(record)
    total_s = math.fsum(samples)
    limit = record.cpu_limit.cpus
    peak_bytes = max(process.peak_rss_bytes for process in record.processes)
    return {
        "model_size": record.model,
        "iterations": len(samples),
        "avg_latency_ms": total_s / len(samples) * _MS_PER_S,
        "total_time_s": total_s,
        "rps": len(samples) / total_s,
        "cpu_limit": int(limit) if limit is not None and limit == int(limit) else limit,
        "memory_mb": math.ceil(peak_bytes / _MIB),
    }


def _figures(record: CaseRecord) -> dict[str, Any]:
    """Return the figures of `detail` that follow from the record."""
    return {
        "cpu_s_per_request": statistics.fmean(measured.cpu_s for measured in record.rounds),
        "real_time_factor": statistics.fmean(_samples(record)) / record.clip.duration_s,
        "work": work_of(record),
    }


def _latency(record: CaseRecord) -> LatencySummary:
    samples = _samples(record)
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
    rounds, warnings = len(record.rounds), trust_warnings(record)
    if rounds < samples_needed(95):
        warnings.append(
            f"{rounds} rounds: p95 needs {samples_needed(95)}, p99 {samples_needed(99)}"
        )
    return warnings


def check_result(result: Result, where: str) -> None:
    """Hold a result that was read to the rounds that it carries.

    Raises:
        BenchError: a name cannot be a file's, or a figure does not follow from the rounds.

    """
    checked_name(result.detail.save_name, f"{where}: save name")
    check_record(result.detail.record, where)
    refuse_edited(_derived(result), where)


def refuse_edited(figures: Iterable[tuple[str, Any, Any]], where: str) -> None:
    """Refuse figures, given as name, value as read and value as it must be, that differ.

    Raises:
        BenchError: it names the figure and both values.

    """
    for name, value, true in figures:
        if not _agree(value, true):
            raise BenchError(
                f"{where}: {name} is {value}, but its rounds give {true}; the file was edited, "
                "convert the saved run again"
            )


def _derived(result: Result) -> Iterator[tuple[str, Any, Any]]:
    """Yield each figure that follows from the record: its name, as it was read, as it must be."""
    detail, record = result.detail, result.detail.record
    yield "detail.record.record_version", record.record_version, RECORD_VERSION
    for name, true in _totals(record).items():
        yield name, getattr(result, name), true
    for name, true in _figures(record).items():
        yield f"detail.{name}", getattr(detail, name), true
    for name, true in msgspec.structs.asdict(_latency(record)).items():
        yield f"detail.latency.{name}", getattr(detail.latency, name), true
    for name, true in _of_verdict(detail.throttling, record).items():
        yield f"detail.throttling.{name}", getattr(detail.throttling, name), true


def _of_verdict(verdict: CaseVerdict, record: CaseRecord) -> dict[str, Any]:
    """Return the fields of a verdict that follow from its own case and findings alone."""
    alone = judged([record]).cases[0]
    facts = {name: getattr(alone, name) for name in _OF_CASE_ALONE}
    return {**facts, "verdict": most_serious(verdict.findings)}


def _agree(value: Any, true: Any) -> bool:
    if isinstance(value, float) and isinstance(true, float):
        return math.isclose(value, true, rel_tol=_AGREE)
    if isinstance(value, msgspec.Struct) and isinstance(true, type(value)):
        names = value.__struct_fields__
        return all(_agree(getattr(value, name), getattr(true, name)) for name in names)
    return bool(value == true)


def _unknown(record: CaseRecord, work: CaseWork | None) -> dict[str, str]:
    """Say of each figure that is null why it is."""
    limit = record.cpu_limit
    reasons = {
        "cpu_limit": (limit.cpus, limit.source),
        "counters": (counters_of(record), f"no quota whose counters can be read ({limit.source})"),
        "contended_rounds": (contended_rounds(record), "fewer CPUs than threads, or no schedstat"),
        "word_error_rate": (record.word_error_rate, "the clip has no text beside it"),
        "work": (work, no_work(record)),
        "revision": (record.weights.revision, "the weights are not those of a pinned revision"),
    }
    return {name: reason for name, (value, reason) in reasons.items() if value is None}
