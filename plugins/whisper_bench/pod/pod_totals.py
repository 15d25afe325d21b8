"""What a whole Pod requests: sidecars run beside the containers, init containers before them.

After `PodRequests` in k8s.io/component-helpers/resource, by which the scheduler chooses a node.
"""

from fractions import Fraction

from msgspec.structs import replace

from whisper_bench.pod.pod_spec import (
    COUNTED,
    Amount,
    Amounts,
    Container,
    PodSpec,
    Resources,
)


def is_sidecar(container: Container) -> bool:
    """Tell whether an init container goes on running beside the containers."""
    return container.restart_policy == "Always"


def running(spec: PodSpec) -> list[Container]:
    """Return the containers that run while the Pod serves, sidecars last."""
    return [*spec.containers, *filter(is_sidecar, spec.init_containers or [])]


def running_request(spec: PodSpec, name: str) -> Fraction:
    """Return the CPUs or bytes that the Pod's containers request while it serves."""
    return sum((_request(container, name) for container in running(spec)), Fraction(0))


def containers_request(spec: PodSpec, name: str) -> Fraction:
    """Return what the containers make the Pod request: an init container may request more."""
    sidecars, most = Fraction(0), Fraction(0)
    for container in spec.init_containers or []:
        requested = sidecars + _request(container, name)
        most = max(most, requested)
        if is_sidecar(container):
            sidecars = requested
    return max(running_request(spec, name), most)


def pod_request(spec: PodSpec, name: str) -> Fraction:
    """Return what the whole Pod requests, on servers with Pod-level resources."""
    own = pod_level(spec).request(name) if spec.resources else None
    extra = spec.overhead.of(name) if spec.overhead else None
    requested = own.value if own else containers_request(spec, name)
    return requested + (extra.value if extra else 0)


def pod_level(spec: PodSpec) -> Resources:
    """Return the Pod's own resources, as the server fills them in if there are limits.

    A missing request is what the containers request, and the limit if they request nothing:
    `defaultPodRequests` in pkg/apis/core/v1/defaults.go.
    """
    own = spec.resources or Resources()
    if own.limits is None:
        return own
    requests = own.requests or Amounts()
    for name in COUNTED:
        total = containers_request(spec, name)
        if requests.of(name) is None and total > 0:
            requests = replace(requests, **{name: Amount(f"{float(total):.10g}", total)})
    return replace(own, requests=requests)


def _request(container: Container, name: str) -> Fraction:
    request = (container.resources or Resources()).request(name)
    return request.value if request else Fraction(0)
