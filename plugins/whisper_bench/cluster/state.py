"""What a Pod's status means to somebody who waits for its results."""

from dataclasses import dataclass
from enum import StrEnum

from whisper_bench.cluster.objects import Condition, ContainerStatus, Pod, Terminated, Waiting
from whisper_bench.parcel.frames import MARK, human_lines

OOM_KILLED = "OOMKilled"
ENDED_BY_CLUSTER = frozenset({OOM_KILLED, "Evicted", "DeadlineExceeded"})
"""Ends at which no results were on their way."""
_LONGEST_MESSAGE = 300
_UNKNOWN = "Unknown"
"""The phase of a Pod whose node does not answer: it runs, as far as anybody knows."""
_DISRUPTED = "DisruptionTarget"
"""The condition of a Pod that was preempted, drained, or whose node is lost."""
_STARTING = {"", "ContainerCreating", "PodInitializing"}
HOPELESS = frozenset({
    "CreateContainerConfigError",
    "ErrImageNeverPull",
    "InvalidImageName",
    "RunContainerError",
})  # fmt: skip
"""Reasons to wait (pkg/kubelet/images/types.go, kuberuntime) that no time takes away."""
_REMEDIES = {
    OOM_KILLED: "give the container more memory, in requests and limits (medium needs 2Gi)",
    "Evicted": "run again, on a node with more to spare; where a volume was too small, raise its "
    "sizeLimit",
    "DeletionByTaintManager": "its node was lost or tainted; run again",
    "DeadlineExceeded": "raise activeDeadlineSeconds, or ask for fewer rounds",
    "Unschedulable": "free the node, or ask for another with --node-selector and --toleration",
    "ErrImagePull": "push the image, or name another with --image",
    "ImagePullBackOff": "push the image, or name another with --image",
    "InvalidImageName": "name another with --image",
    "ErrImageNeverPull": "load the image on the node, or let it be pulled",
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
    """A Pod's phase and why; `reason` is Kubernetes' own word, "" where it gives none."""

    phase: Phase
    reason: str = ""
    message: str = ""
    node: str = ""
    exit_code: int | None = None

    @property
    def ended(self) -> bool:
        """Nothing more comes of it."""
        return self.phase in {Phase.SUCCEEDED, Phase.FAILED, Phase.GONE}

    @property
    def hopeless(self) -> bool:
        """It waits for what no time brings."""
        return self.phase == Phase.PENDING and self.reason in HOPELESS

    @property
    def told(self) -> str:
        """One line: phase, node, reason, message."""
        where = f" on {self.node}" if self.node else ""
        why = ": ".join(word for word in (self.reason, self.message.strip()) if word)
        return f"{self.phase}{where}" + (f": {why}" if why else "")

    @property
    def fault(self) -> str:
        """What is told, and what helps."""
        return self.told + (f"; {self.remedy}" if self.remedy else "")

    @property
    def remedy(self) -> str:
        """What helps, "" where that is not known from the reason."""
        return _REMEDIES.get(self.reason, "")


GONE = PodState(Phase.GONE, "Deleted", "somebody deleted it, or its node is lost")


def state_of(pod: Pod | None) -> PodState:
    """Return what a Pod's status says; None is a Pod that is not there any more."""
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
    ends = [each.state.terminated for each in containers if each.state.terminated]
    bad = next((end for end in ends if end.exit_code or end.reason == OOM_KILLED), None)
    status, end = pod.status, bad or Terminated(exit_code=0)
    # the Pod's own reason (Evicted, DeadlineExceeded, Shutdown) is why its container was ended
    disrupted = next((each for each in status.conditions if each.type == _DISRUPTED), None)
    why = (status, disrupted, end) if disrupted else (status, end)
    reason = next((each.reason for each in why if each.reason), "Error")
    ended = f"exit status {end.exit_code}" if ends else "no container of it ever ran"
    told = (status.message, disrupted.message if disrupted else "", _last_words(end.message))
    message = next(filter(None, told), ended)
    exit_code = bad.exit_code if bad else None
    return PodState(Phase.FAILED, reason, message, pod.spec.node_name, exit_code)


def _last_words(message: str) -> str:
    """Return the last line of a container's message, which may be the end of its log."""
    # the end of a log begins anywhere in a line, and so in a frame if it has frames
    whole = message.partition("\n")[2] if MARK in message else message
    lines = [line for line in human_lines(whole) if line.strip()]
    return lines[-1].strip()[:_LONGEST_MESSAGE] if lines else ""


def _pending(pod: Pod, containers: list[ContainerStatus]) -> PodState:
    waits = [each.state.waiting for each in containers if each.state.waiting]
    wait = next((each for each in waits if each.reason not in _STARTING), None)
    unmet = next((each for each in pod.status.conditions if _is_unscheduled(each)), None)
    why: Waiting | Condition | None = wait or unmet or next(iter(waits), None)
    reason, message = (why.reason, why.message) if why else ("", "")
    return PodState(Phase.PENDING, reason, message, pod.spec.node_name)


def _is_unscheduled(condition: Condition) -> bool:
    return condition.type == "PodScheduled" and condition.status == "False"
