"""What else changes a Deployment's replicas or resources: autoscalers that are in the same file."""

from typing import Any

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.manifests.manifest import DEPLOYMENT, SCALERS, KubeObject

DEFAULT_CPU_PERCENT = 80
"""Of an autoscaler that names no metric: `SetDefaults_HorizontalPodAutoscaler` in
pkg/apis/autoscaling/v2/defaults.go."""
_HPA, _KEDA, _VPA = SCALERS
_KEDA_LEAST, _KEDA_MOST = 0, 100
"""KEDA's defaults (keda.sh, "ScaledObject specification")."""
_GROUPS = ("apps/", "extensions/")


class _Target(msgspec.Struct, frozen=True, rename="camel"):
    average_utilization: int | None = None


class _Source(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    container: str | None = None
    target: _Target | None = None
    target_average_utilization: int | None = None


class _Metric(msgspec.Struct, frozen=True, rename="camel"):
    type: str
    resource: _Source | None = None
    container_resource: _Source | None = None


class _HpaSpec(msgspec.Struct, frozen=True, rename="camel"):
    max_replicas: int
    min_replicas: int | None = None
    metrics: list[_Metric] | None = None
    cpu_percent: int | None = msgspec.field(default=None, name="targetCPUUtilizationPercentage")


class _KedaSpec(msgspec.Struct, frozen=True, rename="camel"):
    min_replica_count: int | None = None
    max_replica_count: int | None = None


class CpuTarget(msgspec.Struct, frozen=True):
    """At what CPU utilisation it scales out: percent of the Pod's request, or of one container's.

    `path` leads to the figure in the autoscaler's spec, an int being an index; empty where it is
    the default of an autoscaler without metrics.
    """

    percent: int
    container: str | None = None
    path: tuple[str | int, ...] = ()


class Scaler(msgspec.Struct, frozen=True):
    """An autoscaler that sets the Deployment's replicas; `cpu` None where it does not go by CPU."""

    target: KubeObject
    kind: str
    name: str
    least: int
    most: int
    cpu: CpuTarget | None

    @property
    def is_hpa(self) -> bool:
        """Whether it is Kubernetes' own, which can be edited here."""
        return self.kind == _HPA


def scalers_of(objects: list[KubeObject], deployment: KubeObject, where: str) -> list[Scaler]:
    """Return the autoscalers of the file that set a Deployment's replicas.

    Raises:
        BenchError: one of them is not built as Kubernetes wants it.

    """
    return [
        _scaler(each, where)
        for each in objects
        if each.kind in {_HPA, _KEDA} and _is_for(each, deployment, "scaleTargetRef")
    ]


def resizers_of(objects: list[KubeObject], deployment: KubeObject) -> list[str]:
    """Return the names of VerticalPodAutoscalers that change the resources of its Pods."""
    return [
        each.name or "unnamed"
        for each in objects
        if each.kind == _VPA
        and _is_for(each, deployment, "targetRef")
        and _at(each.data, "spec", "updatePolicy", "updateMode") != "Off"
    ]


def _is_for(scaler: KubeObject, deployment: KubeObject, key: str) -> bool:
    """Tell whether it points there; where one has no namespace it may be the other's."""
    ref = _at(scaler.data, "spec", key)
    if not isinstance(ref, dict) or deployment.name is None:
        return False
    default_kind = DEPLOYMENT if scaler.kind == _KEDA else None
    group = ref.get("apiVersion")
    spaces = {each.namespace for each in (scaler, deployment)} - {None}
    return (
        ref.get("kind", default_kind) == DEPLOYMENT
        and ref.get("name") == deployment.name
        and (group is None or str(group).startswith(_GROUPS))
        and len(spaces) < 2  # noqa: PLR2004 - one namespace
    )


def _scaler(found: KubeObject, where: str) -> Scaler:
    name = found.name or "unnamed"
    assert found.kind is not None
    try:
        if found.kind == _KEDA:
            keda = msgspec.convert(found.data["spec"], _KedaSpec)
            least, most = keda.min_replica_count, keda.max_replica_count
            return Scaler(
                found,
                found.kind,
                name,
                _KEDA_LEAST if least is None else least,
                _KEDA_MOST if most is None else most,
                None,
            )
        spec = msgspec.convert(found.data["spec"], _HpaSpec)
    except msgspec.ValidationError as error:
        raise BenchError(
            f"{where}: {found.kind} {name}, spec: {error}; write it as Kubernetes wants it"
        ) from error
    least = 1 if spec.min_replicas is None else spec.min_replicas
    version = str(found.data.get("apiVersion"))
    return Scaler(found, found.kind, name, least, spec.max_replicas, _cpu_target(spec, version))


def _cpu_target(spec: _HpaSpec, version: str) -> CpuTarget | None:
    if version == "autoscaling/v1":
        percent = DEFAULT_CPU_PERCENT if spec.cpu_percent is None else spec.cpu_percent
        return CpuTarget(percent, path=("targetCPUUtilizationPercentage",))
    path: tuple[str | int, ...]
    for index, metric in enumerate(spec.metrics or []):
        for key, source in (
            ("resource", metric.resource),
            ("containerResource", metric.container_resource),
        ):
            if source is None or source.name != "cpu":
                continue
            if source.target_average_utilization is not None:
                path = ("metrics", index, key, "targetAverageUtilization")
                return CpuTarget(source.target_average_utilization, source.container, path)
            if source.target is not None and source.target.average_utilization is not None:
                path = ("metrics", index, key, "target", "averageUtilization")
                return CpuTarget(source.target.average_utilization, source.container, path)
    return None if spec.metrics else CpuTarget(DEFAULT_CPU_PERCENT)


def _at(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data
