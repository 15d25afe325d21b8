"""Is a Pod fit to measure in? What would make its figures wrong, or is less safe than needed."""

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
from whisper_bench.pod.pod_totals import running
from whisper_bench.pod.qos import QosClass, qos_class


def check_bench_pod(pod_spec: Mapping[str, Any], where: str) -> None:
    """Refuse a Pod's spec in which a measurement would be wrong or unsafe.

    `pod_spec` is a Pod's `spec`, or that of a Job's Pod template, as read from YAML; `where` names
    it in messages, such as "bench-pod.yaml: spec".

    Raises:
        BenchError: it cannot be read, or has faults: all of them, a line each, with path, value,
            reason and remedy.

    """
    faults = list(bench_pod_faults(parse_pod_spec(pod_spec, where)))
    if faults:
        raise BenchError(*(f"{where}.{fault}" for fault in faults))


def bench_pod_faults(spec: PodSpec) -> Iterator[str]:
    """Yield what is wrong with a Pod as a place to measure, a line each; none if it is fit."""
    yield from resource_faults(spec)
    yield from _company_faults(spec)
    yield from _life_faults(spec)
    yield from _hygiene_faults(spec)


def resource_faults(spec: PodSpec) -> Iterator[str]:
    """Yield where CPU or memory is not fixed, is no whole CPU, or is not guaranteed."""
    if spec.resources:
        yield (
            "resources is set for the whole Pod: only some servers support that, and it does not "
            "say what the measured container gets; move it into the container"
        )
        return
    faults = [*_container_faults("containers", spec.containers)]
    yield from faults
    quality = qos_class(spec)
    if not faults and quality is not QosClass.GUARANTEED:
        yield (
            f"initContainers make the Pod's class {quality}, not Guaranteed, so that it gets no "
            "CPUs of its own; give each of them requests = limits of cpu and memory"
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
                f"{path}.limits.cpu is {cpus.text}, not a whole number of CPUs: a part of a CPU "
                "means throttling, and the kubelet's static CPU manager gives a Pod CPUs of its "
                'own only for whole numbers; write "1"'
            )


def _amount_faults(resources: Resources, name: str, path: str) -> Iterator[str]:
    limit, request = resources.limit(name), resources.request(name)
    if not limit or not request:
        yield (
            f"{path}.limits.{name} is missing: the run would measure what the node has left at "
            f"that moment; write the same request and limit of {name}"
        )
    elif limit.value <= 0:
        yield f"{path}.limits.{name} is {limit.text}: no process can run; write more than 0"
    elif request.value != limit.value:
        yield (
            f"{path}: {name} has request {request.text} and limit {limit.text}: above its request "
            "a Pod gets only what its neighbours leave, and no sizing can use that; write the same "
            "value for both"
        )


def _company_faults(spec: PodSpec) -> Iterator[str]:
    measured, *others = running(spec)
    if others:
        names = ", ".join(container.name for container in others)
        yield (
            f"containers: {names} would run beside {measured.name}, so that both are measured, and "
            f"the Pod would not end when {measured.name} ends; remove {names} from this Pod"
        )


def _life_faults(spec: PodSpec) -> Iterator[str]:
    policy = spec.restart_policy or "Always"
    if policy != "Never":
        yield (
            f"restartPolicy is {policy}: a failed run would start again and overwrite its log; "
            "write Never"
        )
    deadline_s = spec.active_deadline_seconds
    if deadline_s is None or deadline_s <= 0:
        shown = "missing" if deadline_s is None else deadline_s
        yield (
            f"activeDeadlineSeconds is {shown}: a run that hangs would keep its CPUs forever; "
            "write a number of seconds, such as 7200"
        )


def _hygiene_faults(spec: PodSpec) -> Iterator[str]:
    if spec.automount_service_account_token is not False:
        yield (
            "automountServiceAccountToken is not false: a run needs nothing from the cluster, and "
            "a token in the Pod could be stolen; write false"
        )
    for path, container in spec.named():
        own = container.security_context or Security()
        if own.privileged:
            yield (
                f"{path}.securityContext.privileged is true: the container could remove its own "
                "CPU limit; remove privileged"
            )
        if _may_be_root(own, spec.security_context or Security()):
            yield (
                f"{path} may run as root, and does not need to; write runAsNonRoot: true and a "
                "runAsUser other than 0"
            )


def _may_be_root(own: Security, of_pod: Security) -> bool:
    """Whether a container's user is root, or the image chooses it and root is not forbidden."""
    user = of_pod.run_as_user if own.run_as_user is None else own.run_as_user
    forbidden = of_pod.run_as_non_root if own.run_as_non_root is None else own.run_as_non_root
    return user == 0 or (user is None and not forbidden)
