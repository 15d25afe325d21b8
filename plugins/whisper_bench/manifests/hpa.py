"""An autoscaler beside the Deployment: held to a sizing, and brought in step with it.

The replicas are the autoscaler's then. A sizing asks of it: no fewer Pods than the sizing's at any
time, since Pods that come after the load are too late for the objective; room for as many; and that
it adds more no later than above the CPU utilisation of the sizing's peak.
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
"""A metric of all that the Pod's containers ask for."""


class Wanted(msgspec.Struct, frozen=True):
    """What a sizing asks of an autoscaler.

    `percent` is the sized container's CPU utilisation at the peak (None where it is not known),
    `pod` the whole Pod as it is written.
    """

    replicas: int
    percent: int | None
    container: str
    cpu: int
    pod: PodSpec

    def percent_of(self, target: CpuTarget) -> int | None:
        """Return the utilisation at the peak of what a target looks at; None where not known.

        Rounded down: the other containers' own use was not measured and is taken for none.
        """
        if self.percent is None or target.container not in {None, self.container}:
            return None
        whole = running_request(self.pod, "cpu")
        share = Fraction(self.cpu) / whole if target.container is None else Fraction(1)
        return max(1, int(self.percent * share))

    def first_of(self, targets: list[CpuTarget]) -> tuple[CpuTarget, int] | None:
        """Return the target that adds Pods first, with its utilisation at the peak.

        An autoscaler goes by the metric that asks for the most Pods. None where none of them looks
        at the sized container, or its utilisation is not known.
        """
        known = [(each, self.percent_of(each)) for each in targets]
        held = [(each, percent) for each, percent in known if percent is not None]
        return min(held, key=lambda pair: Fraction(pair[0].percent, pair[1]), default=None)


def autoscaler_faults(scalers: list[Scaler], wanted: Wanted) -> Iterator[str]:
    """Yield where the Deployment's autoscalers do not let it be what the sizing says."""
    if len(scalers) > 1:
        names = ", ".join(f"{each.kind} {each.name}" for each in scalers)
        yield (
            f"{names}: only one autoscaler may set a Deployment's replicas, and Kubernetes "
            "lets none of several scale it; keep one"
        )
    for each in scalers:
        yield from _count_faults(each, wanted)
        yield from _target_faults(each, wanted)


def autoscaler_notes(scalers: list[Scaler], replicas: int | None, container: str) -> Iterator[str]:
    """Yield what to know of autoscalers; `replicas` as the Deployment has them written, if any."""
    for each in scalers:
        yield (
            f"{each.kind} {each.name} sets the replicas ({each.least} to {each.most}): the sizing "
            "leaves those of the Deployment as they are"
        )
        if replicas is not None:
            yield (
                f"replicas: {replicas} in the Deployment: every kubectl apply sets the Pods "
                f"back to {replicas}, whatever {each.kind} {each.name} has set; remove that "
                "line"
            )
        if not each.is_hpa:
            yield (
                f"the triggers of {each.kind} {each.name} were not read: when it adds Pods was not "
                "held to the sizing"
            )
        elif not any(target.container in {None, container} for target in each.cpu):
            yield (
                f"{each.kind} {each.name} does not scale by the CPU utilisation of {container}: "
                "when it adds Pods was not held to the sizing"
            )


def hpa_patch(scaler: Scaler, wanted: Wanted) -> Patch:
    """Return what brings a HorizontalPodAutoscaler in step; its other metrics stay."""
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
            f"adds them after the load has come; {'take it out' if idle else remedy}"
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
            f"{where}: it adds Pods above {target.percent}% CPU utilisation{default}, and at "
            f"the sizing's peak it is {percent}%: it would not notice a load above that peak; "
            f"write {percent}, or let --hpa write it"
        )
    of_the_pod = bool(scaler.cpu) and all(each.container is None for each in scaler.cpu)
    silent = _without_request(wanted.pod) if of_the_pod else []
    if silent:
        yield (
            f"{where}: {', '.join(silent)} asks for no CPU, and Kubernetes needs that of "
            "every container to know the Pod's utilisation: it would add no Pods; write "
            "requests.cpu there"
        )


def _without_request(pod: PodSpec) -> list[str]:
    return [
        each.name for each in running(pod) if not (each.resources or Resources()).request("cpu")
    ]


def _at_path(path: tuple[str | int, ...], value: int) -> dict[str, Any]:
    patch: Any = value
    for step in reversed(path):
        patch = ByIndex(step, patch) if isinstance(step, int) else {step: patch}
    found: dict[str, Any] = patch
    return found


def _metrics(percent: int) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]}
