"""Is a Pod fit to measure in? What would make its figures wrong, or open more than it needs."""

from collections.abc import Iterator, Mapping
from typing import Any

from whisper_bench.errors import BenchError
from whisper_bench.pod.pod_spec import (
    COUNTED,
    Container,
    PodSpec,
    Resources,
    Security,
    parse_pod_spec,
)
from whisper_bench.pod.qos import QosClass, qos_class


def check_bench_pod(pod_spec: Mapping[str, Any], where: str) -> None:
    """Refuse a Pod's spec in which a measurement would be wrong or unsafe.

    `pod_spec` is a Pod's `spec`, or that of a Job's Pod template, as read from YAML; `where` names
    it in messages, such as "bench-pod.yaml: spec".

    Raises:
        BenchError: it cannot be read, or has faults: all of them, a line each, with path, value,
            reason and remedy.

    """
    found = list(bench_pod_faults(parse_pod_spec(pod_spec, where)))
    if found:
        raise BenchError(*(f"{where}.{fault}" for fault in found))


def bench_pod_faults(spec: PodSpec) -> Iterator[str]:
    """Yield what is wrong with a Pod as a place to measure, a line each; none where it is fit."""
    yield from resource_faults(spec)
    yield from _company_faults(spec)
    yield from _life_faults(spec)
    yield from _hygiene_faults(spec)


def resource_faults(spec: PodSpec) -> Iterator[str]:
    """Yield where CPU or memory is not fixed, is no whole CPU, or is not guaranteed."""
    if spec.resources:
        yield (
            "resources is for the Pod as a whole: only some servers know it, and it leaves open "
            "what the measured container has; move it into the container"
        )
        return
    told = [*_container_faults("containers", spec.containers)]
    yield from told
    quality = qos_class(spec)
    if not told and quality is not QosClass.GUARANTEED:
        yield (
            f"initContainers make the Pod's class {quality}, not Guaranteed, and take its CPUs of "
            "its own away; give each of them requests = limits of cpu and memory"
        )


def _container_faults(kind: str, containers: list[Container]) -> Iterator[str]:
    for container in containers:
        resources = container.resources or Resources()
        path = f"{kind}[{container.name}].resources"
        for name in COUNTED:
            yield from _amount_faults(resources, name, path)
        cpus = resources.limit("cpu")
        if cpus and cpus.value > 0 and cpus.value.denominator != 1:
            yield (
                f"{path}.limits.cpu is {cpus.text}, no whole number of CPUs: a part of one is had "
                "by throttling alone, and the kubelet's static CPU manager gives CPUs of its own "
                'to whole numbers only; write "1"'
            )


def _amount_faults(resources: Resources, name: str, path: str) -> Iterator[str]:
    limit, request = resources.limit(name), resources.request(name)
    if not limit or not request:
        yield (
            f"{path}.limits.{name} is missing: what the node happens to have left would be "
            f"measured; write requests and limits of {name}, the same for both"
        )
    elif limit.value <= 0:
        yield f"{path}.limits.{name} is {limit.text}: no process runs in that; write more than 0"
    elif request.value != limit.value:
        yield (
            f"{path}: {name} has request {request.text} and limit {limit.text}: between the two a "
            "Pod has what its neighbours leave, which is no figure to size by; write the same for "
            "both"
        )


def _company_faults(spec: PodSpec) -> Iterator[str]:
    sidecars = [each for each in spec.init_containers or [] if each.restart_policy == "Always"]
    beside = [each.name for each in [*spec.containers[1:], *sidecars]]
    if beside:
        yield (
            f"containers: {', '.join(beside)} would run beside {spec.containers[0].name} and be "
            "measured with it, and the Pod would not end with it; take it out of this Pod"
        )


def _life_faults(spec: PodSpec) -> Iterator[str]:
    policy = spec.restart_policy or "Always"
    if policy != "Never":
        yield (
            f"restartPolicy is {policy}: a run that failed would begin anew and write over its own "
            "log; write Never"
        )
    deadline_s = spec.active_deadline_seconds
    if deadline_s is None or deadline_s <= 0:
        given = "missing" if deadline_s is None else deadline_s
        yield (
            f"activeDeadlineSeconds is {given}: a run that hangs would hold its CPUs for ever; "
            "write a figure, such as 7200"
        )


def _hygiene_faults(spec: PodSpec) -> Iterator[str]:
    if spec.automount_service_account_token is not False:
        yield (
            "automountServiceAccountToken is not false: measuring asks nothing of the cluster, and "
            "a token in the Pod can only be stolen; write false"
        )
    for path, container in spec.named():
        own, pods = container.security_context or Security(), spec.security_context or Security()
        if own.privileged:
            yield (
                f"{path}.securityContext.privileged is true: it may lift its own CPU limit, and "
                "more; take it out"
            )
        if _may_be_root(own, pods):
            yield (
                f"{path} may run as root, which nothing in it needs; write runAsNonRoot: true and "
                "a runAsUser other than 0"
            )


def _may_be_root(own: Security, pods: Security) -> bool:
    """Whether a container's user is root, or is left to the image with nothing against root."""
    user = pods.run_as_user if own.run_as_user is None else own.run_as_user
    forbidden = pods.run_as_non_root if own.run_as_non_root is None else own.run_as_non_root
    return user == 0 or (user is None and not forbidden)
