"""Result files: named after the run, model and day, checked, never overwritten."""

import glob
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from whisper_bench.case.case import Case
from whisper_bench.case.record import CaseRecord
from whisper_bench.errors import BenchError
from whisper_bench.files.json_input import parsed
from whisper_bench.files.json_output import checked_json
from whisper_bench.files.whole import in_folder, read_bounded, write_all_new
from whisper_bench.results import version_1
from whisper_bench.results.convert import check_result
from whisper_bench.results.schema import Result

RESULTS_FOLDER = Path("benchmark_results")
STANDARD_THREADS = 1
STANDARD_CLIP = "vi_30s"
AGAIN = "convert the saved run again"
_DATE_CHARACTERS = 10


class _Versioned(Struct, frozen=True):
    schema_version: int


def file_name(result: Result) -> str:
    """Name a file: `m4_base_2026-11-24.json`, with `_t4`, the clip or `_x16` where not 1."""
    detail = result.detail
    return name_of(detail.save_name, detail.record.case, result.timestamp[:_DATE_CHARACTERS])


def name_of(save_name: str, case: Case, date: str) -> str:
    """Return the name of a case's result file; `date` is like 2026-11-24."""
    parts = [save_name, case.model]
    if case.threads != STANDARD_THREADS:
        parts.append(f"t{case.threads}")
    if case.clip != STANDARD_CLIP:
        parts.append(case.clip)
    if case.copies > 1:
        parts.append(f"x{case.copies}")
    return "_".join([*parts, date]) + ".json"


def result_line(path: Path, result: Result) -> str:
    """Tell a result file's figures in one line."""
    return (
        f"{path}  {result.avg_latency_ms:.1f} ms  {result.rps:.4f} rps  {result.iterations} rounds"
    )


def save_results(result: Result, folder: Path = RESULTS_FOLDER) -> Path:
    """Write a result file and return its path; a name that is taken gets _2, _3 ...

    A file of the same measurement, as of a run that was resumed to save it, is left as it is.

    Raises:
        BenchError: a field is not what its type says, or it cannot be written; nothing is left.

    """
    return save_all_results([result], folder)[0]


def save_all_results(results: Iterable[Result], folder: Path = RESULTS_FOLDER) -> list[Path]:
    """Write the result files of a run, all or none; see `save_results`."""
    contents = [(result, *result_content(result, folder)) for result in results]
    before = [_written_before(result, path) for result, path, _ in contents]
    missing = [content for content, path in zip(contents, before, strict=True) if path is None]
    new = iter(write_all_new([(path, content) for _, path, content in missing]))
    return [path or next(new) for path in before]


def _written_before(result: Result, path: Path) -> Path | None:
    """Return the file that has this measurement already, also under another day or number.

    A run that could not be saved has its result files; the resume that saves it measures nothing.
    """
    stem = path.stem[:-_DATE_CHARACTERS]
    latency = repr(result.detail.record.rounds[0].latency_s).encode()
    measured = _measured(result)
    for other in sorted(path.parent.glob(f"{glob.escape(stem)}*{path.suffix}")):
        try:
            if latency not in read_bounded(other):
                continue
            if _measured(load_results(other)) == measured:
                return other
        except (OSError, BenchError):  # a folder, cut short, edited: it does not count
            continue
    return None


def _measured(result: Result) -> CaseRecord:
    """Leave out what a resume changes: how much was there before, and the node as it is now."""
    return replace(result.detail.record, resumed_rounds=0, node_facts=None)


def result_content(result: Result, folder: Path) -> tuple[Path, bytes]:
    """Return where a result goes, and its bytes.

    Raises:
        BenchError: a field is not what its type says.

    """
    path = in_folder(folder, file_name(result))
    return path, checked_json(result, Result, str(path), AGAIN)


def load_results(path: str | Path) -> Result:
    """Read a result file of this version or the one before, and check that its figures agree.

    Raises:
        BenchError: it cannot be read, is cut short, has a missing, unknown or wrong key, or a
            figure that does not follow from its rounds.

    """
    try:
        content = read_bounded(Path(path))
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror or error}; name a result file") from error
    where = str(path)
    if parsed(content, _Versioned, where, AGAIN).schema_version == 1:
        return version_1.read(content, where, AGAIN)
    result = parsed(content, Result, where, AGAIN)
    check_result(result, where)
    return result
