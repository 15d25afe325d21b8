"""The Pod to create: the manifest's, with the changes of the command line."""

import re
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.files.names import checked_name
from whisper_bench.pod.pod_faults import check_bench_pod
from whisper_bench.pod.quantity import amount
from whisper_bench.yaml.parse import parse

RUN_LABEL = "whisper-bench/run"
_SAVE = "--benchmark-save"
_FRAMES = "--whisper-frames"
_LIMIT = "--whisper-cpu-limit"
_PREFIX = "benchmark-"
_NO_SAVE_NAME = "/:*?<>|\\"
"""Characters that pytest-benchmark refuses in a --benchmark-save name."""
_LONGEST_NAME = 63


class PodChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What a run changes in the manifest; `arguments` are the suite's own options."""

    save_name: str
    image: str | None = None
    node_selector: dict[str, str] = {}
    tolerations: list[dict[str, str]] = []
    arguments: list[str] = []


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the one Pod of a manifest.

    Raises:
        BenchError: it cannot be read, is not YAML, or has anything else than one Pod.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(
            f"{path}: {getattr(error, 'strerror', None) or error}; pass the Pod's manifest with "
            "--manifest (the project's is k8s/bench-pod.yaml)"
        ) from error
    documents = [document.data for document in parse(text, str(path))]
    kinds = [data.get("kind") if isinstance(data, dict) else None for data in documents]
    if kinds != ["Pod"]:
        shown = ", ".join(str(kind) for kind in kinds) or "nothing"
        raise BenchError(f"{path}: has {shown}; pass a manifest of exactly one Pod with --manifest")
    pod: dict[str, Any] = documents[0]
    return pod


def pod_to_create(manifest: Mapping[str, Any], changes: PodChanges, run_id: str, where: str) -> Any:
    """Return the Pod to create, fit to measure in.

    Raises:
        BenchError: a measurement in it would be wrong or unsafe; every reason is in the message.

    """
    pod = deepcopy(dict(manifest))
    spec = pod["spec"] = _mapping(pod, "spec", where)
    check_bench_pod(spec, f"{where}: spec")
    metadata = pod["metadata"] = _mapping(pod, "metadata", where)
    labels = _mapping(metadata, "labels", f"{where}: metadata")
    metadata |= {"name": pod_name(changes.save_name), "labels": {**labels, RUN_LABEL: run_id}}
    metadata.pop("namespace", None)  # the command line's or the context's
    selector = _mapping(spec, "nodeSelector", f"{where}: spec")
    spec["nodeSelector"] = {**selector, **changes.node_selector}
    spec["tolerations"] = [*_list(spec, "tolerations", f"{where}: spec"), *changes.tolerations]
    container = spec["containers"][0]
    if changes.image is not None:
        container["image"] = changes.image
    arguments = [str(word) for word in _list(container, "args", f"{where}: {container['name']}")]
    limit = _limit_of(container, arguments, changes)
    container["args"] = [*limit, *_arguments(arguments, changes)]
    return pod


def _mapping(parent: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    value = parent.get(key) or {}
    if not isinstance(value, dict):
        raise BenchError(f"{where}.{key} is {value!r}; write a mapping")
    return dict(value)


def _list(parent: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = parent.get(key) or []
    if not isinstance(value, list):
        raise BenchError(f"{where}.{key} is {value!r}; write a list")
    return value


def pod_name(save_name: str) -> str:
    """Name the Pod of a run: `benchmark-xeon` for `xeon`.

    Raises:
        BenchError: the run cannot be saved under the name, or the name has no character that a
            Pod's name may have (RFC 1123).

    """
    checked_name(save_name, "--save")
    if any(sign in save_name for sign in _NO_SAVE_NAME):
        raise BenchError(
            f"--save {save_name!r}: a file gets this name, and it must not have any of "
            f"{' '.join(_NO_SAVE_NAME)}; give another name"
        )
    word = re.sub(r"[^a-z0-9-]+", "-", save_name.lower()).strip("-")
    if not word:
        raise BenchError(
            f"--save {save_name!r}: a Pod gets this name, and it has no letter from a to z and no "
            "digit; give another name"
        )
    return f"{_PREFIX}{word}"[:_LONGEST_NAME].rstrip("-")


def _limit_of(container: Mapping[str, Any], arguments: list[str], changes: PodChanges) -> list[str]:
    """Return the option that demands the Pod's own CPU limit; the image demands one CPU."""
    cpus = amount(str(container["resources"]["limits"]["cpu"]))
    is_set = any(word.startswith(_LIMIT) for word in [*arguments, *changes.arguments])
    return [] if is_set or cpus is None or cpus == 1 else [f"{_LIMIT}={int(cpus)}"]


def _arguments(arguments: list[str], changes: PodChanges) -> list[str]:
    kept, skip = [], False
    for word in arguments:
        if not skip and word not in {_SAVE, _FRAMES} and not word.startswith(f"{_SAVE}="):
            kept.append(word)
        skip = not skip and word == _SAVE  # its value is a word of its own
    return [*kept, *changes.arguments, f"{_SAVE}={changes.save_name}", _FRAMES]
