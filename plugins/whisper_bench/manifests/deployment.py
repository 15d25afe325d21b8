"""A Deployment brought in step with a sizing, in the text of its file."""

import difflib

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.manifests.manifest import DEPLOYMENT, KubeObject, read_objects
from whisper_bench.manifests.patch import Patch, patched
from whisper_bench.manifests.scalers import scalers_of
from whisper_bench.pod.quantity import Quantity
from whisper_bench.yaml.nodes import (
    Node,
    SequenceNode,
    pair_of,
    seen_through,
    text_at,
    value_at,
)

_OPENMP_THREADS = "OMP_NUM_THREADS"
BOM = "\ufeff"
"""What some editors begin a file with."""
_BEFORE_ENV = [
    "name",
    "image",
    "imagePullPolicy",
    "command",
    "args",
    "workingDir",
    "ports",
    "envFrom",
]
_AFTER: dict[str, list[str]] = {
    "metadata": ["apiVersion", "kind"],
    "replicas": [],
    "annotations": ["name", "namespace", "labels"],
    "env": _BEFORE_ENV,
    "resources": [*_BEFORE_ENV, "env"],
    "value": ["name"],
}
"""Behind which keys one comes that was missing: the order in which Deployments are written."""


class Sized(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a sizing says of a Deployment; requests are limits, in whole CPUs and in MiB.

    `annotations` are the Deployment's own (not its Pods'), such as {"whisper-bench/ratio": "..."}.
    `hpa_percent` is the container's CPU utilisation at the peak, above which to scale out.
    """

    replicas: int
    cpu: int
    memory_mib: int
    threads: int
    annotations: dict[str, str]
    hpa_percent: int | None = None


def updated_deployment(
    text: str,
    sized: Sized,
    where: str,
    *,
    container: str | None = None,
    thread_variable: str = "WHISPER_THREADS",
) -> str:
    """Return the text of a manifest with its one Deployment in step with a sizing.

    Only what the sizing owns changes: replicas, unless an autoscaler of the same file sets them,
    the container's requests and limits of CPU and memory, OMP_NUM_THREADS and `thread_variable`,
    and the annotations given. All else stays byte for byte, and so does a value that means the same
    to Kubernetes (1000m for 1). `where` names the file.

    Raises:
        BenchError: the text is not YAML, has no Deployment or several, or one in which the fields
            cannot be told, or cannot be changed without changing something else.

    """
    body = text.removeprefix(BOM)
    objects = read_objects(body, where)
    deployment = the_deployment(objects, where)
    chosen = chosen_container(deployment, container, where)
    variables = list(dict.fromkeys([_OPENMP_THREADS, thread_variable]))
    _refuse_value_from(_containers(deployment.root, where)[chosen], variables, where)
    patch = _patch(sized, chosen, variables)
    if scalers_of(objects, deployment, where):
        del patch["spec"]["replicas"]
    mark = text[: len(text) - len(body)]
    return mark + patched(body, deployment, patch, where=where, after=_AFTER)


def chosen_container(deployment: KubeObject, wanted: str | None, where: str) -> str:
    """Return the name of the container that is sized: the one wanted, or the one that there is.

    Raises:
        BenchError: it cannot be told, or there is none of that name.

    """
    return _chosen(_containers(deployment.root, where), wanted, where)


def deployment_diff(old: str, new: str, where: str) -> list[str]:
    """Return a unified diff's lines, without line ends; none where the texts are the same."""
    before, after = old.splitlines(), new.splitlines()
    return list(difflib.unified_diff(before, after, where, f"{where} (sized)", lineterm=""))


def _patch(sized: Sized, container: str, variables: list[str]) -> Patch:
    """Return the fields that the sizing owns, as Kubernetes' strategic merge patch."""
    amounts = {"cpu": Quantity(sized.cpu), "memory": Quantity(f"{sized.memory_mib}Mi")}
    owned = {
        "name": container,
        "env": [{"name": name, "value": str(sized.threads)} for name in variables],
        "resources": {"requests": amounts, "limits": amounts},
    }
    spec = {"replicas": sized.replicas, "template": {"spec": {"containers": [owned]}}}
    annotations = {"metadata": {"annotations": sized.annotations}} if sized.annotations else {}
    return {**annotations, "spec": spec}


def the_deployment(objects: list[KubeObject], where: str) -> KubeObject:
    """Return the one Deployment of a manifest.

    Raises:
        BenchError: there is none, or several.

    """
    found = [each for each in objects if each.kind == DEPLOYMENT]
    if not found:
        kinds = ", ".join(each.kind or "none" for each in objects) or "none"
        raise BenchError(
            f"{where}: no document has kind: Deployment (the kinds are: {kinds}); name the "
            "Deployment's own file"
        )
    if len(found) > 1:
        names = ", ".join(each.name or "unnamed" for each in found)
        raise BenchError(
            f"{where}: it has several Deployments ({names}); put the one that serves Whisper into "
            "a file of its own and name that"
        )
    return found[0]


def _containers(root: Node, where: str) -> dict[str, Node]:
    """Return the containers by name, without initContainers."""
    found = value_at(root, "spec", "template", "spec", "containers")
    items = found.items if isinstance(found, SequenceNode) else []
    if not items:
        raise BenchError(
            f"{where}: the Deployment has no list spec.template.spec.containers; write at least "
            "name and image of the container that serves Whisper there"
        )
    named = {text_at(seen_through(item), "name"): seen_through(item) for item in items}
    containers = {name: item for name, item in named.items() if name}
    if len(containers) < len(named):
        raise BenchError(
            f"{where}: a container in spec.template.spec.containers has no name, or one that "
            "is not text; give it a name (put a number, or a word such as yes, in quotes)"
        )
    return containers


def _chosen(containers: dict[str, Node], wanted: str | None, where: str) -> str:
    names = ", ".join(containers)
    if wanted is not None and wanted not in containers:
        raise BenchError(
            f"{where}: --container {wanted}: there is no such container; it has {names}"
        )
    likely = [name for name in containers if "whisper" in name.lower()]
    for choice in ([wanted] if wanted is not None else []), list(containers), likely:
        if len(choice) == 1:
            return choice[0]
    raise BenchError(
        f"{where}: the Deployment has several containers ({names}); say which one serves Whisper "
        "with --container NAME"
    )


def _refuse_value_from(container: Node, variables: list[str], where: str) -> None:
    env = value_at(container, "env")
    for item in map(seen_through, env.items if isinstance(env, SequenceNode) else []):
        name = text_at(item, "name")
        if name in variables and pair_of(item, "valueFrom") is not None:
            raise BenchError(
                f"{where}, line {item.line}: the variable {name} is taken with valueFrom, and the "
                "sizing cannot write there; give it a plain value, or take it out"
            )
