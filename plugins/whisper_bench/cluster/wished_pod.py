"""The Pod to create: the manifest's, with what was asked for on the command line."""

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
"""Signs that pytest-benchmark takes in no --benchmark-save name."""
_LONGEST_NAME = 63


class PodWishes(msgspec.Struct, frozen=True, kw_only=True):
    """What a run wants changed in the manifest; `arguments` are the suite's own options."""

    save_name: str
    image: str | None = None
    node_selector: dict[str, str] = {}
    tolerations: list[dict[str, str]] = []
    arguments: list[str] = []


def read_manifest(path: Path) -> dict[str, Any]:
    """Return the one Pod of a manifest.

    Raises:
        BenchError: it cannot be read, is not YAML, or holds something else than one Pod.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(
            f"{path}: {getattr(error, 'strerror', None) or error}; name the Pod's manifest with "
            "--manifest (the project's is k8s/bench-pod.yaml)"
        ) from error
    documents = [each.data for each in parse(text, str(path))]
    kinds = [each.get("kind") if isinstance(each, dict) else None for each in documents]
    if kinds != ["Pod"]:
        told = ", ".join(str(kind) for kind in kinds) or "nothing"
        raise BenchError(f"{path}: holds {told}; a manifest of one Pod is wanted")
    pod: dict[str, Any] = documents[0]
    return pod


def wished_pod(manifest: Mapping[str, Any], wishes: PodWishes, run_id: str, where: str) -> Any:
    """Return the Pod to create, fit to measure in.

    Raises:
        BenchError: a measurement in it would be wrong or unsafe; every reason is in the message.

    """
    pod = deepcopy(dict(manifest))
    spec = pod["spec"] = _mapping(pod, "spec", where)
    check_bench_pod(spec, f"{where}: spec")
    metadata = pod["metadata"] = _mapping(pod, "metadata", where)
    labels = _mapping(metadata, "labels", f"{where}: metadata")
    metadata |= {"name": pod_name(wishes.save_name), "labels": {**labels, RUN_LABEL: run_id}}
    metadata.pop("namespace", None)  # the command line's or the context's
    selector = _mapping(spec, "nodeSelector", f"{where}: spec")
    spec["nodeSelector"] = {**selector, **wishes.node_selector}
    spec["tolerations"] = [*_list(spec, "tolerations", f"{where}: spec"), *wishes.tolerations]
    container = spec["containers"][0]
    if wishes.image is not None:
        container["image"] = wishes.image
    given = [str(each) for each in _list(container, "args", f"{where}: {container['name']}")]
    container["args"] = [*_limit_of(container, given, wishes), *_arguments(given, wishes)]
    return pod


def _mapping(found: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    value = found.get(key) or {}
    if not isinstance(value, dict):
        raise BenchError(f"{where}.{key} is {value!r}; write a mapping")
    return dict(value)


def _list(found: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = found.get(key) or []
    if not isinstance(value, list):
        raise BenchError(f"{where}.{key} is {value!r}; write a list")
    return value


def pod_name(save_name: str) -> str:
    """Name the Pod of a run: `benchmark-xeon` for `xeon`.

    Raises:
        BenchError: the run could not be saved under the name, here or there, or nothing of it can
            stand in the name of a Pod (RFC 1123).

    """
    checked_name(save_name, "--save")
    if any(sign in save_name for sign in _NO_SAVE_NAME):
        raise BenchError(
            f"--save {save_name!r}: a file is named after it, without {' '.join(_NO_SAVE_NAME)}; "
            "give another name"
        )
    word = re.sub(r"[^a-z0-9-]+", "-", save_name.lower()).strip("-")
    if not word:
        raise BenchError(
            f"--save {save_name!r}: a Pod is named after it, in the letters a to z and digits; "
            "give another name"
        )
    return f"{_PREFIX}{word}"[:_LONGEST_NAME].rstrip("-")


def _limit_of(container: Mapping[str, Any], given: list[str], wishes: PodWishes) -> list[str]:
    """Demand the Pod's own limit of the suite, which demands the image's one CPU otherwise."""
    cpus = amount(str(container["resources"]["limits"]["cpu"]))
    said = any(word.startswith(_LIMIT) for word in [*given, *wishes.arguments])
    return [] if said or cpus is None or cpus == 1 else [f"{_LIMIT}={int(cpus)}"]


def _arguments(given: list[str], wishes: PodWishes) -> list[str]:
    kept, skip = [], False
    for word in given:
        if not skip and word not in {_SAVE, _FRAMES} and not word.startswith(f"{_SAVE}="):
            kept.append(word)
        skip = not skip and word == _SAVE  # its value is a word of its own
    return [*kept, *wishes.arguments, f"{_SAVE}={wishes.save_name}", _FRAMES]
