"""One file that pytest-benchmark saved: parsed once, and refused with the cause."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from whisper_bench.case.record import EXTRA_INFO_KEY, RECORD_VERSION, CaseRecord
from whisper_bench.case.record_check import check_record, refuse_twins
from whisper_bench.errors import BenchError
from whisper_bench.files.json_input import fault_of
from whisper_bench.files.whole import UNREADABLE, read_bounded
from whisper_bench.machine.identity import Chip, Machine
from whisper_bench.text.plain import quoted

_AGREE = 1e-9
_YEARS = range(2000, 2200)
_CUT = ("it is empty", "it is cut short")
_REMEDY = "measure again or name another run"
_HALF_WRITTEN = (
    "the run that wrote it was killed: continue from its rounds with pytest benchmarks "
    "--benchmark-save=NAME --whisper-resume; or delete the file, and measure again or name "
    "another run"
)


class SavedStats(msgspec.Struct, frozen=True):
    """The raw samples, in seconds; absent where another suite's run was saved without them."""

    data: list[float] = []


class SavedExtra(msgspec.Struct, frozen=True):
    """extra_info; another suite's benchmark has no record of ours."""

    whisper_bench: CaseRecord | None = None


class SavedBenchmark(msgspec.Struct, frozen=True):
    """One benchmark of a saved run; extra keys are pytest-benchmark's."""

    name: str
    extra_info: SavedExtra
    stats: SavedStats
    params: Any = None


class MachineInfo(msgspec.Struct, frozen=True):
    """pytest-benchmark's machine_info, as far as it is used: see `machine_of`."""

    node: str
    system: str
    release: str
    python_version: str
    whisper_bench: Chip | None = None


class SavedRun(msgspec.Struct, frozen=True):
    """One saved file of pytest-benchmark."""

    machine_info: MachineInfo
    datetime: datetime
    benchmarks: list[SavedBenchmark]


def read_saved(path: Path) -> SavedRun:
    """Parse a saved run.

    Raises:
        BenchError: it cannot be read, is cut short, holds NaN, or is not pytest-benchmark's.

    """
    try:
        content = read_bounded(path)
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror or error}; name another saved run") from error
    return parse_saved(content, str(path))


def parse_saved(content: bytes, where: str) -> SavedRun:
    """Parse the bytes of a saved run; `where` names them in an error."""
    try:
        run = msgspec.json.decode(content, type=SavedRun)
    except UNREADABLE as error:
        why = _why(content, error)
        raise BenchError(
            f"{where}: {why}; {_HALF_WRITTEN if why.startswith(_CUT) else _REMEDY}"
        ) from error
    return _dated(run, where)


def _dated(run: SavedRun, where: str) -> SavedRun:
    if run.datetime.year not in _YEARS:
        raise BenchError(
            f"{where}: datetime {run.datetime} is an invalid date for a run; correct this "
            "machine's clock and measure again"
        )
    return run


def machine_of(run: SavedRun, where: str) -> Machine:
    """Return the machine that measured a saved run.

    Raises:
        BenchError: its machine_info has nothing of ours.

    """
    info = run.machine_info
    if info.whisper_bench is None:
        raise BenchError(f"{where}: machine_info has no whisper_bench; measure again")
    return Machine(
        **msgspec.structs.asdict(info.whisper_bench),
        node=info.node,
        system=info.system,
        kernel=info.release,
        python=info.python_version,
    )


def records_of(run: SavedRun, where: str) -> list[CaseRecord]:
    """Return the records of our cases in a saved run; their rounds are its raw samples.

    Raises:
        BenchError: no case of ours is in it, one is there twice, or samples are missing or edited.

    """
    records = [
        _checked(benchmark, record, where)
        for benchmark in run.benchmarks
        if (record := benchmark.extra_info.whisper_bench) is not None
    ]
    if not records:
        raise BenchError(
            f"{where}: no case of whisper-bench is in it; save one with pytest benchmarks "
            "--benchmark-save=NAME"
        )
    refuse_twins(records, where)
    return records


def _checked(benchmark: SavedBenchmark, record: CaseRecord, where: str) -> CaseRecord:
    if record.record_version != RECORD_VERSION:
        raise BenchError(
            f"{where}: {benchmark.name} is of record version {record.record_version}, and this "
            f"whisper-bench reads {RECORD_VERSION}; measure again"
        )
    check_record(record, where)
    trouble = _params_trouble(benchmark.params, record)
    trouble = trouble or _samples_trouble(benchmark.stats.data, record)
    if trouble is not None:
        raise BenchError(
            f"{where}: {benchmark.name}: {trouble}; the file was edited or cut, measure again"
        )
    return record


def _params_trouble(params: Any, record: CaseRecord) -> str | None:
    """Say where pytest's parameters are of another case, since its own table shows those."""
    for name, true in record.case.cell.items() if isinstance(params, dict) else ():
        value = params.get(name, true)
        if value != true:
            return f"{name} is {quoted(str(value))} in its params and {quoted(str(true))} on record"
    return None


def _samples_trouble(samples: list[float], record: CaseRecord) -> str | None:
    latencies_s = [measured.latency_s for measured in record.rounds]
    if len(samples) != len(latencies_s):
        return f"{len(samples)} samples and {len(latencies_s)} rounds on record"
    if samples != latencies_s and not all(map(_agree, samples, latencies_s)):
        return "its samples are not those of its rounds on record"
    return None


def _agree(value: float, true: float) -> bool:
    return abs(value - true) <= _AGREE * true


def utc(moment: datetime) -> datetime:
    """Return a moment of pytest-benchmark's in UTC, to the second."""
    return moment.astimezone(UTC).replace(microsecond=0)


def _why(content: bytes, error: Exception) -> str:
    try:
        versions = _record_versions(msgspec.json.decode(content)) - {str(RECORD_VERSION)}
    except UNREADABLE:
        return fault_of(content, error)
    if versions:
        listed = ", ".join(sorted(versions))
        return f"it is of record version {listed}, and this whisper-bench reads {RECORD_VERSION}"
    return f"it is not a saved run of this suite ({fault_of(content, error)})"


def _record_versions(document: Any) -> set[str]:
    """Return the versions of our records in any JSON document."""
    benchmarks = document.get("benchmarks") if isinstance(document, dict) else None
    versions = set()
    for benchmark in benchmarks if isinstance(benchmarks, list) else []:
        extra = benchmark.get("extra_info") if isinstance(benchmark, dict) else None
        record = extra.get(EXTRA_INFO_KEY) if isinstance(extra, dict) else None
        if isinstance(record, dict):
            versions.add(str(record.get("record_version")))
    return versions
