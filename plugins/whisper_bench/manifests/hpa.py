"""A Deployment's autoscaler: checked against a sizing, and given its values.

The autoscaler sets the replicas then. A sizing needs three things of it: never fewer Pods than the
sizing's, since Pods that come after the load are too late for the objective; a maximum that allows
as many; and a CPU target no higher than the utilisation at the sizing's peak.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import msgspec

from whisper_bench.manifests.merge import ByIndex
from whisper_bench.manifests.patch import Patch
from whisper_bench.manifests.scalers import IDLE_FIELD, CpuTarget, Scaler
from whisper_bench.pod.pod_spec import PodSpec, Resources
from whisper_bench.pod.pod_totals import running, running_request

WHOLE_POD = CpuTarget(100)
"""A metric over all that the Pod's containers request."""


class Wanted(msgspec.Struct, frozen=True):
    """What a sizing needs of an autoscaler.

    `percent` is the sized container's CPU utilisation at the peak (None if it is not known), `pod`
    the whole Pod as it is written.
    """

    replicas: int
    percent: int | None
    container: str
    cpu: int
    pod: PodSpec

    def percent_of(self, target: CpuTarget) -> int | None:
        """Return the utilisation at the peak of what a target watches; None if not known.

        Rounded down: the other containers' own use was not measured and is taken as 0.
        """
        if self.percent is None or target.container not in {None, self.container}:
            return None
        whole = running_request(self.pod, "cpu")
        share = Fraction(self.cpu) / whole if target.container is None else Fraction(1)
        return max(1, int(self.percent * share))

    def first_of(self, targets: list[CpuTarget]) -> tuple[CpuTarget, int] | None:
        """Return the target that adds Pods first, with its utilisation at the peak.

        An autoscaler follows the metric that asks for the most Pods. None if none of them watches
        the sized container, or its utilisation is not known.
        """
        percents = [(target, self.percent_of(target)) for target in targets]
        known = [(target, percent) for target, percent in percents if percent is not None]
        return min(known, key=lambda pair: Fraction(pair[0].percent, pair[1]), default=None)


def autoscaler_faults(scalers: list[Scaler], wanted: Wanted) -> Iterator[str]:
    """Yield where the Deployment's autoscalers do not let it be what the sizing says."""
    if len(scalers) > 1:
        names = ", ".join(f"{scaler.kind} {scaler.name}" for scaler in scalers)
        yield (
            f"{names}: only one autoscaler may set a Deployment's replicas: with several, "
            "Kubernetes lets none of them scale it; keep one"
        )
    for scaler in scalers:
        yield from _count_faults(scaler, wanted)
        yield from _target_faults(scaler, wanted)


def autoscaler_notes(scalers: list[Scaler], replicas: int | None, container: str) -> Iterator[str]:
    """Yield what to know of autoscalers; `replicas` as written in the Deployment, if any."""
    for scaler in scalers:
        name = f"{scaler.kind} {scaler.name}"
        yield (
            f"{name} sets the replicas ({scaler.least} to {scaler.most}): the sizing does not "
            "change those of the Deployment"
        )
        if replicas is not None:
            yield (
                f"replicas: {replicas} in the Deployment: every kubectl apply sets the Pods "
                f"back to {replicas}, whatever {name} has set; remove that line"
            )
        if not scaler.is_hpa:
            yield (
                f"the triggers of {name} were not read: when it adds Pods was not checked against "
                "the sizing"
            )
        elif not any(target.container in {None, container} for target in scaler.cpu):
            yield (
                f"{name} does not scale by the CPU utilisation of {container}: when it adds Pods "
                "was not checked against the sizing"
            )


def hpa_patch(scaler: Scaler, wanted: Wanted) -> Patch:
    """Return what gives a HorizontalPodAutoscaler a sizing's values; its other metrics stay."""
    spec: dict[str, Any] = {"minReplicas": wanted.replicas}
    if scaler.most < wanted.replicas:
        spec["maxReplicas"] = wanted.replicas
    first = wanted.first_of(scaler.cpu)
    if first is not None:
        target, percent = first
        spec |= _at_path(target.path, percent) if target.path else _metrics(percent)
    return {"spec": spec}


def _count_faults(scaler: Scaler, wanted: Wanted) -> Iterator[str]:
    where = f"{scaler.kind} {scaler.name}"
    remedy = f"write {wanted.replicas}" + (", or let --hpa write it" if scaler.is_hpa else "")
    if scaler.least < wanted.replicas:
        idle = scaler.least_field == IDLE_FIELD
        yield (
            f"{where}: {scaler.least_field} is {scaler.least}, and the sizing's "
            f"{wanted.replicas} Pods are needed from the first second of the peak: an autoscaler "
            f"adds Pods only after the load has come; {'remove it' if idle else remedy}"
        )
    if scaler.most < wanted.replicas:
        yield (
            f"{where}: {scaler.most_field} is {scaler.most}, below the sizing's "
            f"{wanted.replicas} Pods; {remedy}"
        )


def _target_faults(scaler: Scaler, wanted: Wanted) -> Iterator[str]:
    where = f"{scaler.kind} {scaler.name}"
    first = wanted.first_of(scaler.cpu)
    if first is not None and first[0].percent > first[1]:
        target, percent = first
        default = "" if target.path else " (the default: it names no metric)"
        yield (
            f"{where}: it adds Pods above {target.percent}% CPU utilisation{default}, and the "
            f"sizing's peak is at {percent}%: it would not notice a load above that peak; "
            f"write {percent}, or let --hpa write it"
        )
    of_the_pod = bool(scaler.cpu) and all(target.container is None for target in scaler.cpu)
    without_request = _without_request(wanted.pod) if of_the_pod else []
    if without_request:
        yield (
            f"{where}: {', '.join(without_request)} has no CPU request, and Kubernetes needs one "
            "for every container to compute the Pod's utilisation: it would add no Pods; write "
            "requests.cpu there"
        )


def _without_request(pod: PodSpec) -> list[str]:
    return [
        container.name
        for container in running(pod)
        if not (container.resources or Resources()).request("cpu")
    ]


def _at_path(path: tuple[str | int, ...], value: int) -> dict[str, Any]:
    nested: Any = value
    for step in reversed(path):
        nested = ByIndex(step, nested) if isinstance(step, int) else {step: nested}
    patch: dict[str, Any] = nested
    return patch


def _metrics(percent: int) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]}
