"""What a whole Pod asks for: sidecars run beside the containers, init containers before them.

After `PodRequests` in k8s.io/component-helpers/resource: by this the scheduler finds a node.
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
    """Return the CPUs or bytes that the Pod's containers ask for while it serves."""
    return sum((_request(each, name) for each in running(spec)), Fraction(0))


def containers_request(spec: PodSpec, name: str) -> Fraction:
    """Return what the containers make the Pod ask for: an init container may ask for more."""
    started, most = Fraction(0), Fraction(0)
    for each in spec.init_containers or []:
        wanted = started + _request(each, name)
        most = max(most, wanted)
        if is_sidecar(each):
            started = wanted
    return max(running_request(spec, name), most)


def pod_request(spec: PodSpec, name: str) -> Fraction:
    """Return what the whole Pod asks for, as servers take it that know Pod-level resources."""
    own = pod_level(spec).request(name) if spec.resources else None
    extra = spec.overhead.of(name) if spec.overhead else None
    asked = own.value if own else containers_request(spec, name)
    return asked + (extra.value if extra else 0)


def pod_level(spec: PodSpec) -> Resources:
    """Return the Pod's own resources, as the server fills them in where there are limits.

    What it does not ask for is what its containers ask for, and the limit where those ask for
    nothing: `defaultPodRequests` in pkg/apis/core/v1/defaults.go.
    """
    own = spec.resources or Resources()
    if own.limits is None:
        return own
    asked = own.requests or Amounts()
    for name in COUNTED:
        found = containers_request(spec, name)
        if asked.of(name) is None and found > 0:
            asked = replace(asked, **{name: Amount(f"{float(found):.10g}", found)})
    return replace(own, requests=asked)


def _request(container: Container, name: str) -> Fraction:
    found = (container.resources or Resources()).request(name)
    return found.value if found else Fraction(0)
