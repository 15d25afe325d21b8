"""The values of a sizing written into a Deployment, in the text of its file."""

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
    text_at,
    value_at,
    without_alias,
)

_OPENMP_THREADS = "OMP_NUM_THREADS"
BOM = "\ufeff"
"""The byte order mark that some editors put at the beginning of a file."""
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
"""After which keys a missing key is added: the usual order in a Deployment."""


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
    """Return the text of a manifest whose one Deployment has the values of a sizing.

    Only the fields that a sizing sets change: replicas, unless an autoscaler of the same file does,
    the container's requests and limits of CPU and memory, OMP_NUM_THREADS and `thread_variable`,
    and the annotations given. All else stays byte for byte, and so does a value that means the same
    to Kubernetes (1000m for 1). `where` names the file.

    Raises:
        BenchError: the text is not YAML, has no Deployment or several, or its fields cannot be
            found, or cannot be changed without changing something else.

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
    """Return the name of the container that is sized: the one wanted, or the only one.

    Raises:
        BenchError: there are several to choose from, or none of that name.

    """
    return _chosen(_containers(deployment.root, where), wanted, where)


def deployment_diff(old: str, new: str, where: str) -> list[str]:
    """Return the lines of a unified diff, without line ends; none if the texts are the same."""
    before, after = old.splitlines(), new.splitlines()
    return list(difflib.unified_diff(before, after, where, f"{where} (sized)", lineterm=""))


def _patch(sized: Sized, container: str, variables: list[str]) -> Patch:
    """Return the fields that a sizing sets, as Kubernetes' strategic merge patch."""
    amounts = {"cpu": Quantity(sized.cpu), "memory": Quantity(f"{sized.memory_mib}Mi")}
    sized_container = {
        "name": container,
        "env": [{"name": name, "value": str(sized.threads)} for name in variables],
        "resources": {"requests": amounts, "limits": amounts},
    }
    template = {"spec": {"containers": [sized_container]}}
    spec = {"replicas": sized.replicas, "template": template}
    annotations = {"metadata": {"annotations": sized.annotations}} if sized.annotations else {}
    return {**annotations, "spec": spec}


def the_deployment(objects: list[KubeObject], where: str) -> KubeObject:
    """Return the one Deployment of a manifest.

    Raises:
        BenchError: there is none, or several.

    """
    deployments = [manifest for manifest in objects if manifest.kind == DEPLOYMENT]
    if not deployments:
        kinds = ", ".join(manifest.kind or "none" for manifest in objects) or "none"
        raise BenchError(
            f"{where}: no document has kind: Deployment (the kinds are: {kinds}); pass the file "
            "that has the Deployment"
        )
    if len(deployments) > 1:
        names = ", ".join(deployment.name or "unnamed" for deployment in deployments)
        raise BenchError(
            f"{where}: it has several Deployments ({names}); put the one that serves Whisper into "
            "a file of its own, and pass that file"
        )
    return deployments[0]


def _containers(root: Node, where: str) -> dict[str, Node]:
    """Return the containers by name, without initContainers."""
    node = value_at(root, "spec", "template", "spec", "containers")
    items = node.items if isinstance(node, SequenceNode) else []
    if not items:
        raise BenchError(
            f"{where}: the Deployment has no list spec.template.spec.containers; write the "
            "container that serves Whisper there, with at least name and image"
        )
    named = {text_at(without_alias(item), "name"): without_alias(item) for item in items}
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
            f"{where}: --container {wanted}: there is no such container; name one of: {names}"
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
    for item in map(without_alias, env.items if isinstance(env, SequenceNode) else []):
        name = text_at(item, "name")
        if name in variables and pair_of(item, "valueFrom") is not None:
            raise BenchError(
                f"{where}, line {item.line}: the variable {name} has a valueFrom, which a sizing "
                "cannot change; give it a plain value, or remove it"
            )
