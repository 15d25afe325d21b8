"""Whether a Pod, as it is written, is Guaranteed: what a sizing takes it for."""

from collections.abc import Iterator

from whisper_bench.pod.pod_spec import COUNTED, PodSpec, Resources
from whisper_bench.pod.pod_totals import pod_level
from whisper_bench.pod.qos import QosClass, qos_class, qos_class_of_containers


def guarantee_faults(spec: PodSpec) -> Iterator[str]:
    """Yield why a Pod is not Guaranteed on every server, or has less than its container's limit.

    The class is the whole Pod's: one container without limits, init containers included, takes it
    from all. A LimitRange of the namespace, or a webhook that adds a container, is not in the file.
    """
    yield from _pod_level_faults(spec)
    by_containers = qos_class_of_containers(spec)
    if by_containers is not QosClass.GUARANTEED:
        for path, container in spec.named():
            lacking = _lacking(container.resources or Resources())
            if lacking:
                yield (
                    f"the Pod is {by_containers}, not Guaranteed: {path}.resources {lacking}; "
                    "write requests = limits of cpu and memory there"
                )
    elif spec.resources and qos_class(spec) is not QosClass.GUARANTEED:
        yield (
            f"the Pod is {qos_class(spec)}, not Guaranteed, on servers that know Pod-level "
            "resources (Kubernetes 1.34): there spec.template.spec.resources counts in place "
            f"of the containers', and it {_lacking(pod_level(spec))}; remove it, or write "
            "requests = limits there"
        )


def _pod_level_faults(spec: PodSpec) -> Iterator[str]:
    for name in COUNTED:
        limit = pod_level(spec).limit(name)
        for path, container in spec.named():
            own = (container.resources or Resources()).limit(name)
            if limit and own and own.value > limit.value:
                yield (
                    f"{path} may use {own.text} of {name}, and the whole Pod only "
                    f"{limit.text} (spec.template.spec.resources.limits.{name}): servers that "
                    "know Pod-level resources (Kubernetes 1.34) refuse it, older ones ignore "
                    "that limit; remove spec.template.spec.resources, or raise it"
                )


def _lacking(resources: Resources) -> str:
    """Say what keeps resources from being requests = limits of both; "" where nothing does."""
    missing = [name for name in COUNTED if not _above_zero(resources, name)]
    if missing:
        return f"has no limit of {' and '.join(missing)}"
    for name in COUNTED:
        request, limit = resources.request(name), resources.limit(name)
        assert request is not None
        assert limit is not None
        if request.value != limit.value:
            return f"asks for {request.text} of {name} and may use {limit.text}"
    return ""


def _above_zero(resources: Resources, name: str) -> bool:
    limit = resources.limit(name)
    return limit is not None and limit.value > 0
