"""Where pytest-benchmark saves, looked at before it does and after."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_benchmark.utils
from pytest_benchmark.storage.file import FileStorage

from whisper_bench.errors import BenchError
from whisper_bench.files.replacement import write_all_over
from whisper_bench.files.whole import check_writable
from whisper_bench.saved.number import save_numbered
from whisper_bench.session.collect import benchmark_session

if TYPE_CHECKING:
    from whisper_bench.session.bench import Bench

_DEVICES = {("/", "dev"), ("/", "proc")}
"""Where /dev/stdout leads to a file, that file is not to be replaced under whoever writes to it."""


def check_storage(config: pytest.Config) -> None:
    """Find out now that pytest-benchmark could not save in the end."""
    remedy = (
        "name another folder with --benchmark-storage=file://PATH or --benchmark-json=PATH, or run "
        'as this one\'s owner (in a container: docker run --user "$(id -u):$(id -g)")'
    )
    for folder in storage_folders(config):
        # pytest-benchmark would make it as well, and hide why it could not
        check_writable(folder, "saved runs", remedy)
    if json_file := config.getoption("benchmark_json"):
        check_writable(Path(json_file).parent, "saved runs", remedy, make=False)


def storage_folders(config: pytest.Config) -> list[Path]:
    """Return the folder that this run is saved in; none where it is not saved in files."""
    storing = benchmark_session(config)
    if not (storing.save or storing.autosave) or not hasattr(storing.storage, "path"):
        return []
    return [storing.storage.get("any").parent]


def save_whole(config: pytest.Config, bench: "Bench") -> None:
    """Have pytest-benchmark save its files whole, and `bench` know the path of the saved run."""
    storing = benchmark_session(config)
    storing.save_json = partial(_save_json, storing)
    # a storage of somebody else's making saves as it will
    own = type(storing.storage) is FileStorage and "save" not in vars(storing.storage)
    if own and storage_folders(config):
        storing.storage.save = partial(_save, storing.storage, bench)


def _save(storage: Any, bench: "Bench", output_json: dict[str, Any], save: str) -> None:
    """Save a run as pytest-benchmark does, but whole, and not again what is saved already."""
    if bench.is_saved_already:
        return
    folder = storage.get("any").parent
    earlier = bench.saved_earlier(folder, save)
    if earlier.all_of_them is not None:
        bench.earlier_run = bench.saved_run = earlier.all_of_them
        _tell(storage, f"These rounds are already saved in: {bench.saved_run}")
        return
    with _as_os_error():
        bench.saved_run = save_numbered(folder, save, dumped(output_json))
    _tell(storage, f"Saved benchmark data in: {bench.saved_run}")
    for part in earlier.parts:
        bench.terminal.say(
            f"{part} holds a part of these rounds: delete it, or --all-runs refuses both as the "
            "same run"
        )


def _save_json(storing: Any, output_json: dict[str, Any]) -> None:
    """Write what --benchmark-json names; a pipe or a terminal is written in place."""
    path, content = Path(storing.json), dumped(output_json)
    with _as_os_error():
        if path.parts[:2] in _DEVICES or (path.exists() and not path.is_file()):
            path.write_bytes(content)
        else:
            write_all_over({path: content}, option="--benchmark-json")
    _tell(storing, f"Wrote benchmark data in: {path}", purple=True)


def _tell(source: Any, line: str, **look: bool) -> None:
    """Print a line as pytest-benchmark does."""
    source.logger.info(line, **look)


def dumped(output_json: dict[str, Any]) -> bytes:
    """Return a run as pytest-benchmark writes it."""
    utils: Any = pytest_benchmark.utils  # untyped
    text: str = utils.safe_dumps(output_json, ensure_ascii=True, indent=4)
    return text.encode()


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Raise the system's error, which pytest-benchmark's own code would have raised."""
    try:
        yield
    except BenchError as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from None
        raise OSError(str(error)) from error


def short(path: Path, config: pytest.Config) -> str:
    """Return a path as seen from where pytest was started."""
    try:
        return str(path.relative_to(config.invocation_params.dir))
    except ValueError:
        return str(path)
