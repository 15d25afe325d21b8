"""What a Deployment's file says: what may be claimed of its Pods."""

import msgspec


class DeploymentFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a Deployment's file says of it.

    `container` was sized; `quality_of_service`, `cpus` and `memory_mib` are the whole Pod's, with
    its other containers. `autoscaler` names what sets the replicas, if it is in the file. `faults`
    are where the Deployment is not what the sizing says, `notes` what to know. `pod_cpu_percent` is
    the CPU utilisation at the sizing's peak, in percent of all that the running containers request.
    """

    path: str
    container: str
    quality_of_service: str
    cpus: float
    memory_mib: float
    autoscaler: str | None
    faults: list[str]
    notes: list[str]
    pod_cpu_percent: int | None = None
