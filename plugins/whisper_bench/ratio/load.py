"""Runs for the ratio out of saved runs, result files, and records that were just made.

The samples are boiled down the moment a run is read, so that thousands of runs fit in memory.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import msgspec

from whisper_bench.case.record import CaseRecord, contended_rounds, trust_warnings
from whisper_bench.case.record_check import refuse_twins
from whisper_bench.case.stability import stability_warnings
from whisper_bench.case.work import process_times, round_times
from whisper_bench.errors import BenchError
from whisper_bench.machine.cpu_limit import CpuLimit
from whisper_bench.ratio.fields import companions
from whisper_bench.ratio.run import (
    CaseIdentity,
    ProcessTime,
    Run,
    RunCase,
    RunFacts,
    RunTimes,
    RunWork,
    Samples,
)
from whisper_bench.results.convert import check_result
from whisper_bench.results.schema import Result
from whisper_bench.saved.file import SavedRun, machine_of, read_saved, records_of, utc
from whisper_bench.saved.find import STORAGE, find_saved, save_name
from whisper_bench.stats.welch import log_mean
from whisper_bench.text.plain import readable


def load_run(name: str | Path, storage: Path = STORAGE) -> Run:
    """Load the newest saved run called `name` (a name, a number, both, or a file's path).

    Raises:
        BenchError: there is none, or it is broken, foreign or of another version.

    """
    return load_file(find_saved(str(name), storage))


def load_file(path: Path) -> Run:
    """Load one saved run.

    Raises:
        BenchError: it is broken, foreign or of another version.

    """
    return run_of_saved(read_saved(path), save_name(path), str(path))


def run_of_saved(saved: SavedRun, name: str, where: str) -> Run:
    """Return a saved run of pytest-benchmark, boiled down.

    Raises:
        BenchError: no case of ours is in it, or samples are missing.

    """
    return run_of_records(
        records_of(saved, where),
        facts_of_saved(saved, name, where),
    )


def run_of_results(results: Sequence[Result]) -> Run:
    """Return the run that result files were written from.

    Raises:
        BenchError: there is none, or they are of different runs.

    """
    if not results:
        raise BenchError("a ratio needs at least one result file per side; none was given")
    facts = [_facts_of_result(result) for result in results]
    for result, of_result in zip(results, facts, strict=True):
        check_result(result, of_result.where)
    records = [result.detail.record for result in results]
    for other in facts[1:]:
        if other != facts[0]:
            raise BenchError(
                f"result files of different runs: {facts[0].name} of {facts[0].moment} and "
                f"{other.name} of {other.moment}; give those of one run and machine"
            )
    return run_of_records(records, facts[0])


def run_of_records(records: Iterable[CaseRecord], facts: RunFacts) -> Run:
    """Return a run that has just been measured."""
    measured_cases = list(records)
    refuse_twins(measured_cases, facts.where)
    return Run(facts, [run_case(record, _warnings_of(record)) for record in measured_cases])


def facts_of_saved(saved: SavedRun, name: str, where: str) -> RunFacts:
    """Return which machine measured a saved run of pytest-benchmark, and when.

    Raises:
        BenchError: its machine_info has nothing of ours.

    """
    return RunFacts(
        **msgspec.structs.asdict(machine_of(saved, where)),
        name=readable(name),
        where=readable(where),
        moment=utc(saved.datetime),
    )


def _facts_of_result(result: Result) -> RunFacts:
    return RunFacts(
        **msgspec.structs.asdict(result.machine),
        name=result.detail.save_name,
        where=f"result files of {result.detail.save_name}",
        moment=_moment(result),
    )


def _moment(result: Result) -> datetime:
    try:
        return datetime.fromisoformat(result.timestamp)
    except ValueError:
        raise BenchError(
            f"result file of {result.detail.save_name}: timestamp {result.timestamp} is not a "
            "date; convert the saved run again"
        ) from None


def run_case(record: CaseRecord, warnings: Sequence[str] = ()) -> RunCase:
    """Summarise a case; `warnings` are those to print beside its figures."""
    return RunCase(
        **record.case.cell,
        identity=_shared_identity(msgspec.msgpack.encode(case_identity(record))),
        setting=_shared_setting(msgspec.msgpack.encode(case_setting(record))),
        latency=Samples(
            None,
            log_mean([process.mean_latency_s for process in record.processes]),
            log_mean([measured.latency_s for measured in record.rounds]),
        ),
        cpu=_cpu(record),
        runs=1,
        processes=len(record.processes),
        rounds=len(record.rounds),
        contended_rounds=contended_rounds(record),
        peak_rss_bytes=max(process.peak_rss_bytes for process in record.processes),
        warnings=list(warnings),
        work=_work(record),
        first_rounds=_first_rounds(record),
    )


@lru_cache
def _shared_identity(packed: bytes) -> CaseIdentity:
    """Return one object for all that are equal: thousands of runs say the same of their cases."""
    return msgspec.msgpack.decode(packed, type=CaseIdentity)


@lru_cache
def _shared_setting(packed: bytes) -> dict[str, str]:
    return msgspec.msgpack.decode(packed, type=dict[str, str])


def _warnings_of(record: CaseRecord) -> list[str]:
    return [*trust_warnings(record), *stability_warnings(record)]


def _first_rounds(record: CaseRecord) -> frozenset[tuple[float, float, float]]:
    # the first of each process comes last here, and so it stays
    firsts = {measured.process: measured for measured in reversed(record.rounds)}
    return frozenset(
        (measured.latency_s, measured.wall_s, measured.cpu_s) for measured in firsts.values()
    )


def _work(record: CaseRecord) -> RunWork | None:
    rounds = round_times(record)
    if not rounds:
        return None
    processes = process_times(record, rounds)
    windows, tokens = (
        Samples(
            None,
            log_mean([getattr(times, name) for times in processes]),
            log_mean([getattr(times, name) for times in rounds]),
        )
        for name in ("window_s", "token_s")
    )
    return RunWork(
        audio_s=record.clip.duration_s,
        windows=rounds[0].windows,
        window=windows,
        token=tokens,
        times=[
            RunTimes(
                record.tokens,
                tuple(ProcessTime(times.round_s, times.token_s) for times in processes),
                tuple(ProcessTime(times.round_cpu_s, times.token_cpu_s) for times in processes),
            )
        ],
    )


def _cpu(record: CaseRecord) -> Samples | None:
    processes = [process.mean_cpu_s for process in record.processes]
    rounds = [measured.cpu_s for measured in record.rounds]
    # a clock too coarse for the work tells nothing
    return (
        Samples(None, log_mean(processes), log_mean(rounds))
        if min(*rounds, *processes) > 0
        else None
    )


def case_identity(record: CaseRecord) -> CaseIdentity:
    """Return what must agree in another run's case for the two to be compared."""
    return CaseIdentity(
        model_sha256=record.weights.sha256,
        clip_sha256=record.clip.sha256,
        compute_type=record.compute_type,
        compute_type_in_use=record.compute_type_in_use,
        decoding=record.decoding,
        threads=record.threads,
        cpu_limit=record.cpu_limit.compared,
        versions=record.versions,
        tokens=record.tokens,
        weights=None if record.weights.files is None else companions(record.weights.files),
        copies=record.copies,
    )


def case_setting(record: CaseRecord) -> dict[str, str]:
    """Return how a case was measured, as far as that may differ in another run."""
    backend = msgspec.structs.asdict(record.backend)
    kernels = {name: str(value) for name, value in backend.items() if value is not None}
    kernels.pop("compute_type", None)  # it must agree, and is compared as such
    return {
        **kernels,
        "cpu_limit_source": _limit_source(record.cpu_limit),
        "warmup_rounds": str(record.warmup_rounds),
        "placement": record.placement or "floating",
        **{f"environment.{name}": value for name, value in record.environment.items()},
    }


def _limit_source(limit: CpuLimit) -> str:
    """Return what runs of one machine share: no container's name, nothing that busy threads got."""
    return limit.compared if limit.compared == "unknown" else limit.source
