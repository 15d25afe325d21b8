"""A run as the ratio sees it: who measured, what must agree, and what its processes tell.

The samples are boiled down the moment a run is read, so that thousands of runs fit in memory.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from whisper_bench.case import case_label
from whisper_bench.engine import Decoding
from whisper_bench.errors import BenchError
from whisper_bench.machine import Architecture
from whisper_bench.ratio.stability import stability_warnings
from whisper_bench.record import CaseRecord, trust_warnings
from whisper_bench.results.convert import record_of
from whisper_bench.results.schema import Result
from whisper_bench.saved.file import SavedMachine, SavedRun, cases_of, read_saved, utc
from whisper_bench.saved.find import STORAGE, find_saved, save_name
from whisper_bench.welch import LogMean, log_mean

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class RunFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who measured a run, and when (`moment`); `where` is its file."""

    name: str
    where: str
    moment: Moment
    architecture: Architecture
    cpu_model: str
    node: str
    system: str
    kernel: str
    python: str


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must agree in two runs for their ratio to mean something.

    `cpu_limit` is in CPUs, None for no limit; `tokens` are those decoded in each round.
    """

    model_sha256: str
    clip_sha256: str
    compute_type: str
    compute_type_in_use: str
    decoding: Decoding
    threads: int
    cpu_limit: float | None
    versions: dict[str, str]
    tokens: int


class Samples(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure's geometric mean in seconds: of the processes' means, and of the rounds."""

    by_process: LogMean
    by_round: LogMean

    def of(self, *, within_run: bool) -> LogMean:
        """Return what an interval is made of: the processes', or within a run the rounds'."""
        return self.by_round if within_run else self.by_process


class RunCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case of a run, boiled down; `cpu` is None where a clock was too coarse to tell it.

    `setting` is what cannot agree between machines, by name: instruction set, GEMM backend ...
    """

    model: str
    threads: int
    clip: str
    identity: Identity
    setting: dict[str, str]
    latency: Samples
    cpu: Samples | None
    processes: int
    rounds: int
    contended_rounds: int
    warnings: list[str]

    @property
    def label(self) -> str:
        """Name the case for people."""
        return case_label(self.model, self.threads, self.clip)


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run of one machine."""

    facts: RunFacts
    cases: list[RunCase]


def load_run(name: str | Path, storage: Path = STORAGE) -> Run:
    """Load the newest saved run called `name` (a name, a number, both, or a file's path).

    Raises:
        BenchError: there is none, or it is broken, foreign or of another version.

    """
    path = find_saved(str(name), storage)
    return run_of_saved(read_saved(path), save_name(path), str(path))


def run_of_saved(saved: SavedRun, name: str, where: str) -> Run:
    """Return a saved run of pytest-benchmark, boiled down.

    Raises:
        BenchError: no case of ours is in it, or samples are missing.

    """
    return run_of_records(
        (case.record for case in cases_of(saved, where)),
        facts_of_saved(saved.machine_info, name, where, saved.datetime),
    )


def run_of_results(results: Sequence[Result]) -> Run:
    """Return the run that result files were written from.

    Raises:
        BenchError: there is none, or they are of different runs.

    """
    if not results:
        raise BenchError("a ratio needs a result file at least; none was given")
    facts = [_facts_of_result(result) for result in results]
    for other in facts[1:]:
        if other != facts[0]:
            raise BenchError(
                f"result files of different runs: {facts[0].name} of {facts[0].moment} and "
                f"{other.name} of {other.moment}; give those of one run and machine"
            )
    return Run(facts[0], [run_case(record_of(result)) for result in results])


def run_of_records(records: Iterable[CaseRecord], facts: RunFacts) -> Run:
    """Return a run that has just been measured."""
    return Run(facts, [run_case(record) for record in records])


def facts_of_saved(machine: SavedMachine, name: str, where: str, moment: str) -> RunFacts:
    """Return who measured a run of pytest-benchmark's, from its machine_info.

    Raises:
        BenchError: machine_info has nothing of ours.

    """
    ours = machine.whisper_bench
    if ours is None:
        raise BenchError(f"{where}: machine_info has no whisper_bench; measure again")
    return RunFacts(
        name=name,
        where=where,
        moment=datetime.fromisoformat(utc(moment)),
        architecture=ours.architecture,
        cpu_model=ours.cpu_model,
        node=machine.node,
        system=machine.system,
        kernel=machine.release,
        python=machine.python_version,
    )


def run_case(record: CaseRecord) -> RunCase:
    """Boil a case down."""
    return RunCase(
        model=record.model,
        threads=record.threads,
        clip=record.clip.name,
        identity=_identity(record),
        setting=_setting(record),
        latency=Samples(
            log_mean([process.mean_latency_s for process in record.processes]),
            log_mean([each.latency_s for each in record.rounds]),
        ),
        cpu=_cpu(record),
        processes=len(record.processes),
        rounds=len(record.rounds),
        contended_rounds=sum(each.contended is True for each in record.rounds),
        warnings=[*trust_warnings(record), *stability_warnings(record)],
    )


def _cpu(record: CaseRecord) -> Samples | None:
    processes = [process.mean_cpu_s for process in record.processes]
    rounds = [each.cpu_s for each in record.rounds]
    # a clock too coarse for the work tells nothing
    return Samples(log_mean(processes), log_mean(rounds)) if min(rounds) > 0 else None


def _identity(record: CaseRecord) -> Identity:
    return Identity(
        model_sha256=record.weights.sha256,
        clip_sha256=record.clip.sha256,
        compute_type=record.compute_type,
        compute_type_in_use=record.compute_type_in_use,
        decoding=record.decoding,
        threads=record.threads,
        cpu_limit=record.cpu_limit.cpus,
        versions=record.versions,
        tokens=record.tokens,
    )


def _setting(record: CaseRecord) -> dict[str, str]:
    backend = msgspec.structs.asdict(record.backend)
    told = {name: str(value) for name, value in backend.items() if value is not None}
    told.pop("compute_type", None)  # it must agree, and is compared as such
    return {**told, "cpu_limit_source": record.cpu_limit.source}


def _facts_of_result(result: Result) -> RunFacts:
    detail = result.detail
    return RunFacts(
        name=detail.save_name,
        where=f"result files of {detail.save_name}",
        moment=datetime.fromisoformat(result.timestamp),
        architecture=result.architecture,
        cpu_model=result.cpu_model,
        node=detail.node,
        system=detail.system,
        kernel=detail.kernel,
        python=detail.versions["python"],
    )
