"""What a Deployment is, as it is written: what may be claimed of its Pods."""

import msgspec


class DeploymentFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a Deployment is, from all of its file that has to do with it.

    `container` was sized; `quality_of_service`, `cpus` and `memory_mib` are the whole Pod's, with
    its other containers. `autoscaler` names what sets the replicas, if it is in the file. `faults`
    are where the Deployment is not what the sizing says, `notes` what to know. `pod_cpu_percent` is
    the CPU utilisation at the sizing's peak of all that the running containers ask for.
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
