"""A Pod's quality-of-service class, by Kubernetes' own rule.

After `ComputePodQOS` in pkg/apis/core/v1/helper/qos/qos.go: only CPU and memory count, amounts of 0
count as none, and init containers count like the others. The server decides; here the class is
known before anything is sent.
"""

import math
from enum import StrEnum
from fractions import Fraction

from whisper_bench.pod.pod_spec import COUNTED, Amount, Container, PodSpec, Resources
from whisper_bench.pod.pod_totals import pod_level

_FINEST = 1000
"""The server rounds amounts up to 1/1000 of a CPU or byte (`SetDefaults_ResourceList`)."""


class QosClass(StrEnum):
    """Who may get CPUs of its own, and is killed last if memory runs out; Kubernetes' names."""

    GUARANTEED = "Guaranteed"
    BURSTABLE = "Burstable"
    BEST_EFFORT = "BestEffort"


def qos_class(spec: PodSpec) -> QosClass:
    """Return the class that the server gives to a Pod.

    A server with Pod-level resources (Kubernetes 1.34) uses the Pod's own, if it has any.
    """
    return _class_of(pod_level(spec)) if spec.resources else qos_class_of_containers(spec)


def qos_class_of_containers(spec: PodSpec) -> QosClass:
    """Return the class by the containers alone, as on a server without Pod-level resources."""
    classes = {_of(container) for _, container in spec.named()}
    return classes.pop() if len(classes) == 1 else QosClass.BURSTABLE


def _of(container: Container) -> QosClass:
    return _class_of(container.resources or Resources())


def _class_of(resources: Resources) -> QosClass:
    requests = [_kept(resources.request(name)) for name in COUNTED]
    limits = [_kept(resources.limit(name)) for name in COUNTED]
    if not any(requests + limits):
        return QosClass.BEST_EFFORT
    if all(limits) and requests == limits:
        return QosClass.GUARANTEED
    return QosClass.BURSTABLE


def _kept(amount: Amount | None) -> Fraction:
    """Return an amount as the server keeps it; 0 if there is none, or it is negative."""
    value = amount.value if amount else Fraction(0)
    return max(Fraction(math.ceil(value * _FINEST), _FINEST), Fraction(0))
