"""From a Deployment's file to what may be claimed of its Pods, and what may not."""

from collections.abc import Iterator

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.manifests.deployed import DeploymentFacts
from whisper_bench.manifests.deployment import Sized, chosen_container, the_deployment
from whisper_bench.manifests.hpa import WHOLE_POD, Wanted, autoscaler_faults, autoscaler_notes
from whisper_bench.manifests.manifest import KubeObject, read_objects
from whisper_bench.manifests.scalers import resizers_of, scalers_of
from whisper_bench.pod.guarantee import guarantee_faults
from whisper_bench.pod.pod_spec import PodSpec, parse_pod_spec
from whisper_bench.pod.pod_totals import pod_request
from whisper_bench.pod.qos import qos_class

_MIB = 2**20
TEMPLATE = "spec.template.spec"


class _DeploymentSpec(msgspec.Struct, frozen=True):
    replicas: int | None = None


def deployment_facts(
    text: str, sized: Sized, where: str, *, container: str | None = None
) -> DeploymentFacts:
    """Return what a manifest says of its one Deployment, by Kubernetes' own rules.

    Raises:
        BenchError: the manifest, its Pod or its autoscaler is not valid for Kubernetes.

    """
    objects = read_objects(text, where)
    deployment = the_deployment(objects, where)
    name = chosen_container(deployment, container, where)
    pod = pod_of(deployment, where)
    scalers = scalers_of(objects, deployment, where)
    wanted = wanted_of(sized, name, pod)
    return DeploymentFacts(
        path=where,
        container=name,
        quality_of_service=qos_class(pod),
        cpus=float(pod_request(pod, "cpu")),
        memory_mib=float(pod_request(pod, "memory") / _MIB),
        autoscaler=f"{scalers[0].kind} {scalers[0].name}" if scalers else None,
        pod_cpu_percent=wanted.percent_of(WHOLE_POD),
        faults=[
            *guarantee_faults(pod),
            *autoscaler_faults(scalers, wanted),
            *_resizer_faults(resizers_of(objects, deployment)),
        ],
        notes=[
            *_company_notes(pod, sized, name),
            *autoscaler_notes(scalers, _replicas(deployment, where), name),
        ],
    )


def pod_of(deployment: KubeObject, where: str) -> PodSpec:
    """Return the Deployment's Pod.

    Raises:
        BenchError: it is not valid for Kubernetes.

    """
    return parse_pod_spec(deployment.data["spec"]["template"]["spec"], f"{where}: {TEMPLATE}")


def wanted_of(sized: Sized, container: str, pod: PodSpec) -> Wanted:
    """Return what a sizing asks of an autoscaler."""
    return Wanted(sized.replicas, sized.hpa_percent, container, sized.cpu, pod)


def _replicas(deployment: KubeObject, where: str) -> int | None:
    try:
        return msgspec.convert(deployment.data["spec"], _DeploymentSpec).replicas
    except msgspec.ValidationError as error:
        raise BenchError(
            f"{where}: spec: {error}; write it as the Kubernetes API defines it"
        ) from error


def _company_notes(pod: PodSpec, sized: Sized, container: str) -> Iterator[str]:
    names = [other.name for _, other in pod.named()]
    others = [name for name in names if name != container]
    cpus, memory_mib = pod_request(pod, "cpu"), pod_request(pod, "memory") / _MIB
    if cpus != sized.cpu or memory_mib != sized.memory_mib:
        yield (
            f"the whole Pod requests {float(cpus):g} CPU and {float(memory_mib):g} MiB, "
            f"{float(cpus * sized.replicas):g} CPU in {sized.replicas} Pods: the sizing's "
            f"figures are for {container} only"
            + (f", not for {', '.join(others)}" if others else "")
        )


def _resizer_faults(names: list[str]) -> Iterator[str]:
    for name in names:
        yield (
            f"VerticalPodAutoscaler {name} changes requests and limits of the running Pods, so "
            'that they are not what the sizing says; write updateMode: "Off" (with the quotes: '
            "without them YAML reads false), or remove it"
        )
