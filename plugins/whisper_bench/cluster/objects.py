"""The fields of Kubernetes' objects that are read; other fields are skipped."""

from typing import Any

import msgspec


class _Object(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A foreign object: more keys may be there."""


class Terminated(_Object, frozen=True):
    """How a container ended."""

    exit_code: int
    reason: str = ""
    message: str = ""


class Waiting(_Object, frozen=True):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class ContainerState(_Object, frozen=True):
    """One of the three, or none."""

    waiting: Waiting | None = None
    running: dict[str, Any] | None = None
    terminated: Terminated | None = None


class ContainerStatus(_Object, frozen=True):
    """A container of a Pod."""

    name: str
    state: ContainerState = ContainerState()


class Condition(_Object, frozen=True):
    """A condition of a Pod or Job."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


class PodStatus(_Object, frozen=True):
    """What the cluster says of a Pod."""

    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    conditions: list[Condition] = []
    container_statuses: list[ContainerStatus] = []
    init_container_statuses: list[ContainerStatus] = []


class LiveContainer(_Object, frozen=True):
    """A container of a Pod in the cluster."""

    name: str


class LivePodSpec(_Object, frozen=True):
    """The spec of a Pod in the cluster: where it runs, and its containers."""

    node_name: str = ""
    containers: list[LiveContainer] = []
    active_deadline_seconds: float | None = None


class Metadata(_Object, frozen=True):
    """An object's name, uid and labels."""

    name: str
    uid: str = ""
    labels: dict[str, str] = {}
    finalizers: list[str] = []
    deletion_timestamp: str | None = None


class Pod(_Object, frozen=True):
    """A Pod."""

    metadata: Metadata
    spec: LivePodSpec = LivePodSpec()
    status: PodStatus = PodStatus()


class PodList(_Object, frozen=True):
    """Pods."""

    items: list[Pod]


class JobSpec(_Object, frozen=True):
    """How a Job is run."""

    suspend: bool | None = None


class JobStatus(_Object, frozen=True):
    """What the cluster says of a Job."""

    conditions: list[Condition] = []


class Job(_Object, frozen=True):
    """A Job."""

    metadata: Metadata
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()


class JobList(_Object, frozen=True):
    """Jobs."""

    items: list[Job]


class Event(_Object, frozen=True):
    """Something that happened to an object."""

    type: str = ""
    reason: str = ""
    message: str = ""
    last_timestamp: str | None = None
    event_time: str | None = None

    @property
    def when(self) -> str:
        """Its time, to sort by: RFC 3339 in UTC, which both kinds of events have."""
        return self.last_timestamp or self.event_time or ""


class EventList(_Object, frozen=True):
    """Events, in no particular order."""

    items: list[Event]


class Status(_Object, frozen=True):
    """The API server's answer to a request that it refuses."""

    message: str = ""
    reason: str = ""
