"""Result files: named after the run, model and day, checked, never overwritten."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.files import UNREADABLE, write_all_new
from whisper_bench.results.schema import Result, validate

RESULTS_FOLDER = Path("benchmark_results")
STANDARD_THREADS = 1
STANDARD_CLIP = "vi_30s"


def file_name(result: Result) -> str:
    """Name a file: `m4_base_2026-11-24.json`, with `_t4` or the clip where not standard."""
    detail = result.detail
    parts = [detail.save_name, result.model_size]
    if detail.threads != STANDARD_THREADS:
        parts.append(f"t{detail.threads}")
    if detail.clip.name != STANDARD_CLIP:
        parts.append(detail.clip.name)
    return "_".join([*parts, result.timestamp[:10]]) + ".json"


def result_line(path: Path, result: Result) -> str:
    """Tell a result file's figures in one line."""
    return (
        f"{path}  {result.avg_latency_ms:.1f} ms  {result.rps:.4f} rps  {result.iterations} rounds"
    )


def save_results(result: Result, folder: Path = RESULTS_FOLDER) -> Path:
    """Write a result file and return its path; a name that is taken gets _2, _3 ...

    Raises:
        BenchError: it does not hold to the JSON Schema, or cannot be written; nothing is left.

    """
    return write_all_new([result_content(result, folder)])[0]


def save_all_results(results: Iterable[Result], folder: Path = RESULTS_FOLDER) -> list[Path]:
    """Write the result files of a run, all or none; see `save_results`."""
    return write_all_new([result_content(result, folder) for result in results])


def result_content(result: Result, folder: Path) -> tuple[Path, bytes]:
    """Return where a result goes, and its bytes.

    Raises:
        BenchError: it does not hold to the JSON Schema.

    """
    content = msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n"
    path = folder / file_name(result)
    validate(msgspec.json.decode(content), str(path))
    return path, content


def load_results(path: str | Path) -> Result:
    """Read a result file.

    Raises:
        BenchError: it cannot be read, is cut short, or has a missing, unknown or wrong key.

    """
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=Result)
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror or error}; name a result file") from error
    except UNREADABLE as error:
        raise BenchError(f"{path}: {error}; convert the saved run again") from error
