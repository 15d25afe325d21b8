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
from whisper_bench.manifests.pod_spec import PodSpec, Resources
from whisper_bench.manifests.pod_totals import running, running_request
from whisper_bench.manifests.scalers import CpuTarget, Scaler


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


def autoscaler_faults(scalers: list[Scaler], wanted: Wanted) -> Iterator[str]:
    """Yield where the Deployment's autoscalers do not let it be what the sizing says."""
    if len(scalers) > 1:
        names = ", ".join(f"{each.kind} {each.name}" for each in scalers)
        yield (
            f"{names}: only one autoscaler may set a Deployment's replicas, and Kubernetes stops "
            "those that share one; keep one"
        )
    for each in scalers:
        yield from _count_faults(each, wanted)
        if each.cpu is not None:
            yield from _target_faults(each, each.cpu, wanted)


def autoscaler_notes(scalers: list[Scaler], replicas: int | None) -> Iterator[str]:
    """Yield what to know of autoscalers; `replicas` as the Deployment has them written, if any."""
    for each in scalers:
        yield (
            f"{each.kind} {each.name} sets the replicas ({each.least} to {each.most}): the sizing "
            "leaves those of the Deployment as they are"
        )
        if replicas is not None:
            yield (
                f"replicas: {replicas} in the Deployment sets the Pods back to {replicas} at every "
                f"kubectl apply, against {each.kind} {each.name}; take that line out"
            )
        if each.cpu is None:
            yield (
                f"{each.kind} {each.name} does not scale by CPU utilisation: when it adds Pods was "
                "not held to the sizing"
            )


def hpa_patch(scaler: Scaler, wanted: Wanted) -> Patch:
    """Return what brings a HorizontalPodAutoscaler in step; its other metrics stay."""
    spec: dict[str, Any] = {"minReplicas": wanted.replicas}
    if scaler.most < wanted.replicas:
        spec["maxReplicas"] = wanted.replicas
    percent = None if scaler.cpu is None else wanted.percent_of(scaler.cpu)
    if scaler.cpu is not None and percent is not None:
        spec |= _at_path(scaler.cpu.path, percent) if scaler.cpu.path else _metrics(percent)
    return {"spec": spec}


def _count_faults(scaler: Scaler, wanted: Wanted) -> Iterator[str]:
    least, most = ("minReplicas", "maxReplicas")
    if not scaler.is_hpa:
        least, most = ("minReplicaCount", "maxReplicaCount")
    remedy = f"write {wanted.replicas}" + (", or let --hpa write it" if scaler.is_hpa else "")
    if scaler.least < wanted.replicas:
        yield (
            f"{scaler.kind} {scaler.name}: {least} is {scaler.least}, and the sizing's "
            f"{wanted.replicas} Pods are needed from the first second of the peak: an autoscaler "
            f"adds them after the load has come; {remedy}"
        )
    if scaler.most < wanted.replicas:
        yield (
            f"{scaler.kind} {scaler.name}: {most} is {scaler.most}, below the sizing's "
            f"{wanted.replicas} Pods; {remedy}"
        )


def _target_faults(scaler: Scaler, target: CpuTarget, wanted: Wanted) -> Iterator[str]:
    where = f"{scaler.kind} {scaler.name}"
    percent = wanted.percent_of(target)
    if percent is not None and target.percent > percent:
        default = "" if target.path else " (the default: it names no metric)"
        yield (
            f"{where}: it adds Pods above {target.percent}% CPU utilisation{default}, and at the "
            f"sizing's peak it is {percent}%: more load than was sized for goes unnoticed; write "
            f"{percent}, or let --hpa write it"
        )
    silent = [] if target.container else _without_request(wanted.pod)
    if silent:
        yield (
            f"{where}: {', '.join(silent)} asks for no CPU, and without that of every container "
            "Kubernetes does not know the Pod's utilisation and adds no Pods; write requests.cpu "
            "there"
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
