"""One file that pytest-benchmark saved: parsed once, and refused with the cause."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.machine import MachineFacts
from whisper_bench.record import EXTRA_INFO_KEY, RECORD_VERSION, CaseRecord


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


class SavedMachine(msgspec.Struct, frozen=True):
    """machine_info, as far as it is used."""

    node: str
    system: str
    release: str
    python_version: str
    whisper_bench: MachineFacts | None = None


class SavedRun(msgspec.Struct, frozen=True):
    """One saved file of pytest-benchmark."""

    machine_info: SavedMachine
    datetime: str
    benchmarks: list[SavedBenchmark]


class SavedCase(msgspec.Struct, frozen=True):
    """A case of ours in a saved run, with its raw samples in seconds."""

    record: CaseRecord
    latencies_s: list[float]


def read_saved(path: Path) -> SavedRun:
    """Parse a saved run.

    Raises:
        BenchError: it cannot be read, is cut short, holds NaN, or is not pytest-benchmark's.

    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror or error}; name another saved run") from error
    return parse_saved(content, str(path))


def parse_saved(content: bytes, where: str) -> SavedRun:
    """Parse the bytes of a saved run; `where` names them in an error."""
    try:
        return msgspec.json.decode(content, type=SavedRun)
    except msgspec.MsgspecError as error:
        raise BenchError(
            f"{where}: {_why(content, error)}; measure again or name another run"
        ) from error


def cases_of(run: SavedRun, where: str) -> list[SavedCase]:
    """Return our cases of a saved run, each with all its raw samples.

    Raises:
        BenchError: no case of ours is in it, or samples are missing.

    """
    cases = [
        _case(benchmark, record, where)
        for benchmark in run.benchmarks
        if (record := benchmark.extra_info.whisper_bench) is not None
    ]
    if not cases:
        raise BenchError(
            f"{where}: no case of whisper-bench is in it; save one with pytest benchmarks "
            "--benchmark-save=NAME"
        )
    return cases


def _case(benchmark: SavedBenchmark, record: CaseRecord, where: str) -> SavedCase:
    if record.record_version != RECORD_VERSION:
        raise BenchError(
            f"{where}: {benchmark.name} is of record version {record.record_version}, and this "
            f"whisper-bench reads {RECORD_VERSION}; measure again"
        )
    samples = benchmark.stats.data
    if len(samples) != len(record.rounds) or not samples or not record.processes:
        raise BenchError(
            f"{where}: {benchmark.name}: {len(samples)} samples and {len(record.rounds)} rounds "
            "on record; the file was edited or cut, measure again"
        )
    wrong = [each for each in (*samples, *_times_of(record)) if not each > 0]
    if wrong:
        raise BenchError(
            f"{where}: {benchmark.name}: a latency of {wrong[0]:g} s, which no measurement gives; "
            "the file was edited, measure again"
        )
    return SavedCase(record, samples)


def _times_of(record: CaseRecord) -> list[float]:
    means = [process.mean_latency_s for process in record.processes]
    return [*(each.latency_s for each in record.rounds), *means]


def utc(moment: str) -> str:
    """Return a date and time of pytest-benchmark's in UTC, to the second."""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _why(content: bytes, error: msgspec.MsgspecError) -> str:
    if not content.strip():
        return "it is empty"
    if b"NaN" in content or b"Infinity" in content:
        return f"it holds NaN or Infinity, which no measurement gives ({error})"
    try:
        document = msgspec.json.decode(content)
    except msgspec.MsgspecError:
        if content.rstrip().endswith(b"}"):
            return f"it is no JSON ({error})"
        return f"it is cut short after {len(content)} bytes ({error})"
    versions = _record_versions(document) - {str(RECORD_VERSION)}
    if versions:
        told = ", ".join(sorted(versions))
        return f"it is of record version {told}, and this whisper-bench reads {RECORD_VERSION}"
    return f"it is no saved run of this suite ({error})"


def _record_versions(document: Any) -> set[str]:
    """Return the versions of our records in any JSON document whatever."""
    benchmarks = document.get("benchmarks") if isinstance(document, dict) else None
    found = set()
    for benchmark in benchmarks if isinstance(benchmarks, list) else []:
        extra = benchmark.get("extra_info") if isinstance(benchmark, dict) else None
        record = extra.get(EXTRA_INFO_KEY) if isinstance(extra, dict) else None
        if isinstance(record, dict):
            found.add(str(record.get("record_version")))
    return found
