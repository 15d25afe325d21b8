"""The files that pytest-benchmark saves: found by name, number or path, and parsed once."""

from pathlib import Path

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.machine import MachineFacts
from whisper_bench.record import CaseRecord

STORAGE = Path(".benchmarks")


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


def find_saved(name: str, storage: Path = STORAGE) -> Path:
    """Return the newest saved run called `name` (`m4`, `0001_m4`, `0001`), or the path itself.

    All machine folders are searched: an arm64 container and a Xeon share one, and each folder
    counts for itself, so that the newest is told by the date inside the files.

    Raises:
        BenchError: there is none; the names that are there are listed.

    """
    path = Path(name)
    if path.suffix == ".json" and path.is_file():
        return path
    saved = sorted(storage.glob("*/[0-9][0-9][0-9][0-9]*_*.json"))
    found = [path for path in saved if name in _names_of(path)]
    if not found:
        known = ", ".join(sorted({save_name(path) for path in saved})) or "none"
        raise BenchError(
            f"no saved run {name!r} in {storage}; saved there: {known}; save one with "
            f"pytest benchmarks --benchmark-save={Path(name).stem or 'NAME'}"
        )
    return _newest(found)


def _newest(paths: list[Path]) -> Path:
    """Return the newest by the date inside; a broken file beside whole ones is passed over."""
    dated, broken = [], []
    for path in paths:
        try:
            dated.append((read_saved(path).datetime, path.name, path))
        except BenchError as error:
            broken.append(error)
    if not dated:
        raise broken[0]
    return max(dated)[-1]


def save_name(path: Path) -> str:
    """Return the name a run was saved under: `m4` for `0001_m4.json`."""
    number, _, name = path.stem.partition("_")
    return name if number.isdigit() and name else path.stem


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
    samples = benchmark.stats.data
    if len(samples) != len(record.rounds) or not samples:
        raise BenchError(
            f"{where}: {benchmark.name}: {len(samples)} samples and {len(record.rounds)} rounds "
            "on record; the file was edited or cut, measure again"
        )
    return SavedCase(record, samples)


def _names_of(path: Path) -> tuple[str, str, str]:
    return save_name(path), path.stem, path.stem.partition("_")[0]


def _why(content: bytes, error: msgspec.MsgspecError) -> str:
    if b"NaN" in content or b"Infinity" in content:
        return f"it holds NaN or Infinity, which no measurement gives ({error})"
    if not content.rstrip().endswith(b"}"):
        return f"it is cut short after {len(content)} bytes ({error})"
    return f"it is no saved run of this suite ({error})"
