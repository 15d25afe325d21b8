"""As much of Kubernetes' objects as is read; the rest of them is skipped."""

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


class PodSpec(_Object, frozen=True):
    """Where a Pod runs."""

    node_name: str = ""


class Metadata(_Object, frozen=True):
    """Which object it is."""

    name: str
    uid: str = ""
    labels: dict[str, str] = {}


class Pod(_Object, frozen=True):
    """A Pod."""

    metadata: Metadata
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class PodList(_Object, frozen=True):
    """Pods."""

    items: list[Pod]


class JobStatus(_Object, frozen=True):
    """What the cluster says of a Job."""

    conditions: list[Condition] = []


class Job(_Object, frozen=True):
    """A Job."""

    metadata: Metadata
    status: JobStatus = JobStatus()


class Event(_Object, frozen=True):
    """Something that happened to an object."""

    type: str = ""
    reason: str = ""
    message: str = ""


class EventList(_Object, frozen=True):
    """Events, in no order that means anything."""

    items: list[Event]


class Status(_Object, frozen=True):
    """The API server's answer to what it does not do."""

    message: str = ""
    reason: str = ""
