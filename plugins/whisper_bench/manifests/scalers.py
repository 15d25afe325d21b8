"""The autoscalers of the same file that change a Deployment's replicas or resources."""

from collections.abc import Iterator
from typing import Any

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.manifests.manifest import DEPLOYMENT, SCALERS, KubeObject

DEFAULT_CPU_PERCENT = 80
"""For an autoscaler that names no metric: `SetDefaults_HorizontalPodAutoscaler` in
pkg/apis/autoscaling/v2/defaults.go."""
_HPA, _KEDA, _VPA = SCALERS
_KEDA_LEAST, _KEDA_MOST = 0, 100
"""KEDA's defaults (keda.sh, "ScaledObject specification")."""
IDLE_FIELD = "idleReplicaCount"
"""KEDA's replicas while no trigger is active; it has to be below minReplicaCount."""
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
    idle_replica_count: int | None = None


class CpuTarget(msgspec.Struct, frozen=True):
    """The CPU utilisation above which it adds Pods: percent of the Pod's or a container's request.

    `path` leads to the figure in the autoscaler's spec, an int is an index; empty if it is the
    default of an autoscaler without metrics.
    """

    percent: int
    container: str | None = None
    path: tuple[str | int, ...] = ()


class Scaler(msgspec.Struct, frozen=True):
    """An autoscaler that sets the Deployment's replicas, from `least` to `most` of them.

    `least_field` and `most_field` are the fields of its spec that say so; `cpu` are its targets of
    CPU utilisation.
    """

    target: KubeObject
    kind: str
    name: str
    least: int
    most: int
    least_field: str
    most_field: str
    cpu: list[CpuTarget]

    @property
    def is_hpa(self) -> bool:
        """Whether it is Kubernetes' own, which can be edited here."""
        return self.kind == _HPA


def scalers_of(objects: list[KubeObject], deployment: KubeObject, where: str) -> list[Scaler]:
    """Return the autoscalers of the file that set a Deployment's replicas.

    Raises:
        BenchError: one of them is not valid for Kubernetes.

    """
    return [
        _scaler(scaler, where)
        for scaler in objects
        if scaler.kind in {_HPA, _KEDA} and _is_for(scaler, deployment, "scaleTargetRef")
    ]


def resizers_of(objects: list[KubeObject], deployment: KubeObject) -> list[str]:
    """Return the names of VerticalPodAutoscalers that change the resources of its Pods."""
    return [
        resizer.name or "unnamed"
        for resizer in objects
        if resizer.kind == _VPA
        and _is_for(resizer, deployment, "targetRef")
        and _at(resizer.data, "spec", "updatePolicy", "updateMode") != "Off"
    ]


def _is_for(scaler: KubeObject, deployment: KubeObject, key: str) -> bool:
    """Tell whether an autoscaler targets the Deployment; one without a namespace may be in its."""
    ref = _at(scaler.data, "spec", key)
    if not isinstance(ref, dict) or deployment.name is None:
        return False
    default_kind = DEPLOYMENT if scaler.kind == _KEDA else None
    group = ref.get("apiVersion")
    namespaces = {scaler.namespace, deployment.namespace} - {None}
    return (
        ref.get("kind", default_kind) == DEPLOYMENT
        and ref.get("name") == deployment.name
        and (group is None or str(group).startswith(_GROUPS))
        and len(namespaces) < 2  # noqa: PLR2004 - one namespace
    )


def _scaler(target: KubeObject, where: str) -> Scaler:
    name = target.name or "unnamed"
    assert target.kind is not None
    try:
        if target.kind == _KEDA:
            keda = msgspec.convert(target.data["spec"], _KedaSpec)
            return Scaler(target, target.kind, name, *_keda_counts(keda), cpu=[])
        spec = msgspec.convert(target.data["spec"], _HpaSpec)
    except msgspec.ValidationError as error:
        raise BenchError(
            f"{where}: {target.kind} {name}, spec: {error}; write it as the Kubernetes API "
            "defines it"
        ) from error
    least = 1 if spec.min_replicas is None else spec.min_replicas
    version = str(target.data.get("apiVersion"))
    return Scaler(
        target,
        target.kind,
        name,
        least,
        spec.max_replicas,
        "minReplicas",
        "maxReplicas",
        _cpu_targets(spec, version),
    )


def _keda_counts(spec: _KedaSpec) -> tuple[int, int, str, str]:
    """Return the fewest and most replicas with their fields; while idle there may be fewer."""
    least, most, idle = spec.min_replica_count, spec.max_replica_count, spec.idle_replica_count
    lowest = [(_KEDA_LEAST if least is None else least, "minReplicaCount")]
    if idle is not None:
        lowest.append((idle, IDLE_FIELD))
    fewest, field = min(lowest)
    return fewest, _KEDA_MOST if most is None else most, field, "maxReplicaCount"


def _cpu_targets(spec: _HpaSpec, version: str) -> list[CpuTarget]:
    if version == "autoscaling/v1":
        percent = DEFAULT_CPU_PERCENT if spec.cpu_percent is None else spec.cpu_percent
        return [CpuTarget(percent, path=("targetCPUUtilizationPercentage",))]
    if not spec.metrics:
        return [CpuTarget(DEFAULT_CPU_PERCENT)]
    return list(_targets_of(spec.metrics))


def _targets_of(metrics: list[_Metric]) -> Iterator[CpuTarget]:
    for index, metric in enumerate(metrics):
        for key, source in (
            ("resource", metric.resource),
            ("containerResource", metric.container_resource),
        ):
            if source is None or source.name != "cpu":
                continue
            if source.target_average_utilization is not None:
                percent, field = source.target_average_utilization, ["targetAverageUtilization"]
            elif source.target is not None and source.target.average_utilization is not None:
                percent, field = source.target.average_utilization, ["target", "averageUtilization"]
            else:
                continue
            yield CpuTarget(percent, source.container, ("metrics", index, key, *field))


def _at(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data
