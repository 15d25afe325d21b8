"""What a Pod's status means for a user who waits for its results."""

from dataclasses import dataclass
from enum import StrEnum

from whisper_bench.cluster.objects import Condition, ContainerStatus, Pod, Terminated, Waiting
from whisper_bench.parcel.frames import MARK, human_lines

OOM_KILLED = "OOMKilled"
ENDED_BY_CLUSTER = frozenset({OOM_KILLED, "Evicted", "DeadlineExceeded"})
"""Reasons for an end after which no results can come."""
_LONGEST_MESSAGE = 300
_UNKNOWN = "Unknown"
"""The phase of a Pod whose node does not answer: it may still run."""
_DISRUPTED = "DisruptionTarget"
"""The condition of a Pod that was preempted, drained, or whose node is lost."""
_STARTING = {"", "ContainerCreating", "PodInitializing"}
HOPELESS = frozenset({
    "CreateContainerConfigError",
    "ErrImageNeverPull",
    "InvalidImageName",
    "RunContainerError",
})  # fmt: skip
"""Reasons to wait (pkg/kubelet/images/types.go, kuberuntime) that do not go away with time."""
_REMEDIES = {
    OOM_KILLED: "give the container more memory, in requests and limits (medium needs 2Gi)",
    "Evicted": "run again, on a node with more free memory and disk; if a volume was too small, "
    "raise its sizeLimit",
    "DeletionByTaintManager": "its node was lost or tainted; run again",
    "DeadlineExceeded": "raise activeDeadlineSeconds, or ask for fewer rounds",
    "Unschedulable": "free the node, or choose another with --node-selector and --toleration",
    "ErrImagePull": "push the image, or pass another with --image",
    "ImagePullBackOff": "push the image, or pass another with --image",
    "InvalidImageName": "pass a valid name with --image",
    "ErrImageNeverPull": "load the image on the node, or change imagePullPolicy",
}


class Phase(StrEnum):
    """Where a Pod is in its life."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    GONE = "Gone"


@dataclass(frozen=True, slots=True)
class PodState:
    """A Pod's phase and why; `reason` is Kubernetes' own word, "" if it gives none."""

    phase: Phase
    reason: str = ""
    message: str = ""
    node: str = ""
    exit_code: int | None = None

    @property
    def ended(self) -> bool:
        """Whether it has ended: no more output will come."""
        return self.phase in {Phase.SUCCEEDED, Phase.FAILED, Phase.GONE}

    @property
    def hopeless(self) -> bool:
        """Whether it waits for something that will never come."""
        return self.phase == Phase.PENDING and self.reason in HOPELESS

    @property
    def summary(self) -> str:
        """One line: phase, node, reason, message."""
        where = f" on {self.node}" if self.node else ""
        why = ": ".join(word for word in (self.reason, self.message.strip()) if word)
        return f"{self.phase}{where}" + (f": {why}" if why else "")

    @property
    def fault(self) -> str:
        """The summary with its remedy."""
        return self.summary + (f"; {self.remedy}" if self.remedy else "")

    @property
    def remedy(self) -> str:
        """The remedy, "" if none is known for the reason."""
        return _REMEDIES.get(self.reason, "")


GONE = PodState(Phase.GONE, "Deleted", "somebody deleted it, or its node is lost")


def state_of(pod: Pod | None) -> PodState:
    """Return what a Pod's status says; None is a Pod that no longer exists."""
    if pod is None:
        return GONE
    status, node = pod.status, pod.spec.node_name
    containers = [*status.init_container_statuses, *status.container_statuses]
    if status.phase == Phase.SUCCEEDED:
        return PodState(Phase.SUCCEEDED, node=node, exit_code=0)
    if status.phase == Phase.FAILED:
        return _failed(pod, containers)
    if status.phase in {Phase.RUNNING, _UNKNOWN}:
        ending = "Deleted" if pod.metadata.deletion_timestamp else ""
        return PodState(Phase.RUNNING, status.reason or ending, status.message, node)
    return _pending(pod, containers)


def _failed(pod: Pod, containers: list[ContainerStatus]) -> PodState:
    states = [container.state for container in containers]
    ends = [state.terminated for state in states if state.terminated]
    bad = next((end for end in ends if end.exit_code or end.reason == OOM_KILLED), None)
    status, end = pod.status, bad or Terminated(exit_code=0)
    # the Pod's own reason (Evicted, DeadlineExceeded, Shutdown) is why its container was ended
    disrupted = next((item for item in status.conditions if item.type == _DISRUPTED), None)
    causes = (status, disrupted, end) if disrupted else (status, end)
    reason = next((cause.reason for cause in causes if cause.reason), "Error")
    ended = f"exit status {end.exit_code}" if ends else "none of its containers ever ran"
    messages = (status.message, disrupted.message if disrupted else "", _last_line(end.message))
    message = next(filter(None, messages), ended)
    exit_code = bad.exit_code if bad else None
    return PodState(Phase.FAILED, reason, message, pod.spec.node_name, exit_code)


def _last_line(message: str) -> str:
    """Return the last line of a container's message, which may be the end of its log."""
    # the end of a log may begin in the middle of a line, and so in the middle of a frame
    text = message.partition("\n")[2] if MARK in message else message
    lines = [line for line in human_lines(text) if line.strip()]
    return lines[-1].strip()[:_LONGEST_MESSAGE] if lines else ""


def _pending(pod: Pod, containers: list[ContainerStatus]) -> PodState:
    states = [container.state for container in containers]
    waits = [state.waiting for state in states if state.waiting]
    wait = next((wait for wait in waits if wait.reason not in _STARTING), None)
    unscheduled = next(filter(_is_unscheduled, pod.status.conditions), None)
    cause: Waiting | Condition | None = wait or unscheduled or next(iter(waits), None)
    reason, message = (cause.reason, cause.message) if cause else ("", "")
    return PodState(Phase.PENDING, reason, message, pod.spec.node_name)


def _is_unscheduled(condition: Condition) -> bool:
    return condition.type == "PodScheduled" and condition.status == "False"
