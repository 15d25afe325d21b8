"""Where pytest-benchmark saves, looked at before it does and after."""

import json
from pathlib import Path

import pytest

from whisper_bench.files import check_writable
from whisper_bench.session.collect import benchmark_session


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


def saved_path(config: pytest.Config, save_name: str | None, started_s: float) -> Path | None:
    """Return the file that pytest-benchmark has just saved, if it saved one."""
    saved = [
        path
        for folder in storage_folders(config)
        for path in folder.glob("*.json")
        if path.name.endswith(f"_{save_name}.json") and path.stat().st_mtime >= started_s
    ]
    return max(saved, default=None)


def drop_half_written(config: pytest.Config, started_s: float) -> None:
    """Delete what pytest-benchmark has left in its storage where it could not save."""
    for folder in storage_folders(config):
        for path in folder.glob("*.json"):
            if path.stat().st_mtime >= started_s and not is_whole(path):
                path.unlink()


def short(path: Path, config: pytest.Config) -> str:
    """Return a path as seen from where pytest was started."""
    try:
        return str(path.relative_to(config.invocation_params.dir))
    except ValueError:
        return str(path)


def is_whole(path: Path) -> bool:
    """Tell whether a file is JSON to its end."""
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True
