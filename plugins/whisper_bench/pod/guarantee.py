"""Is a Pod, as it is written, Guaranteed? A sizing assumes that it is."""

from collections.abc import Iterator

from whisper_bench.pod.pod_spec import COUNTED, PodSpec, Resources
from whisper_bench.pod.pod_totals import pod_level
from whisper_bench.pod.qos import QosClass, qos_class, qos_class_of_containers


def guarantee_faults(spec: PodSpec) -> Iterator[str]:
    """Yield why a Pod is not Guaranteed on every server, or has less than its container's limit.

    The class is the whole Pod's: one container without limits, also an init container, and the Pod
    is not Guaranteed. A LimitRange of the namespace, or a webhook that adds a container, is not in
    the file.
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
            f"the Pod is {qos_class(spec)}, not Guaranteed, on servers with Pod-level resources "
            "(Kubernetes 1.34): they use spec.template.spec.resources instead of the containers' "
            f"resources, and it {_lacking(pod_level(spec))}; remove it, or write requests = limits "
            "there"
        )


def _pod_level_faults(spec: PodSpec) -> Iterator[str]:
    for name in COUNTED:
        limit = pod_level(spec).limit(name)
        for path, container in spec.named():
            own = (container.resources or Resources()).limit(name)
            if limit and own and own.value > limit.value:
                yield (
                    f"{path} has {name} limit {own.text}, above the whole Pod's limit "
                    f"{limit.text} (spec.template.spec.resources.limits.{name}): servers with "
                    "Pod-level resources (Kubernetes 1.34) refuse it, older ones ignore the Pod's "
                    "limit; remove spec.template.spec.resources, or raise its limit"
                )


def _lacking(resources: Resources) -> str:
    """Say why resources are not requests = limits of both; "" if they are."""
    missing = [name for name in COUNTED if not _above_zero(resources, name)]
    if missing:
        return f"has no limit of {' and '.join(missing)}"
    for name in COUNTED:
        request, limit = resources.request(name), resources.limit(name)
        assert request is not None
        assert limit is not None
        if request.value != limit.value:
            return f"has {name} request {request.text} and {name} limit {limit.text}"
    return ""


def _above_zero(resources: Resources, name: str) -> bool:
    limit = resources.limit(name)
    return limit is not None and limit.value > 0
