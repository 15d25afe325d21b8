"""The user's cache: a folder in it is complete or does not exist."""

import shutil
from collections.abc import Callable
from pathlib import Path

from whisper_bench.errors import BenchError
from whisper_bench.files.scratch import scratch_name
from whisper_bench.files.write_errors import reason_of, remedy_of
from whisper_bench.variables import variable

CACHE_VARIABLE = "WHISPER_BENCH_CACHE"


def cache_folder() -> Path:
    """Return $WHISPER_BENCH_CACHE, or the system's folder for a user's cache.

    Raises:
        BenchError: the variable is blank.

    """
    from platformdirs import user_cache_path

    value = variable(CACHE_VARIABLE)
    return Path(value) if value else user_cache_path("pytest-whisper-bench")


def folder_made_once(folder: Path, fill: Callable[[Path], None]) -> Path:
    """Return `folder`; if it is missing, `fill` makes it under another name, then it is renamed.

    Two processes may do so at once: one rename wins, and both see a complete folder.

    Raises:
        BenchError: the cache cannot be written; nothing incomplete is left.

    """
    if folder.is_dir():
        return folder
    try:
        _make(folder, fill)
    except OSError as error:
        raise BenchError(
            f"cannot make {folder}: {reason_of(error)}; {remedy_of(error, CACHE_VARIABLE)}, or "
            "pass a folder of weights with --whisper-model-dir"
        ) from error
    return folder


def _make(folder: Path, fill: Callable[[Path], None]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = scratch_name(folder.parent)
    try:
        scratch.mkdir()
        fill(scratch)
        try:
            scratch.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
