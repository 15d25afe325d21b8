"""One Pod, followed to its end: its state, and its log."""

import math
import time
from collections.abc import Callable

import msgspec

from whisper_bench.cluster.answer import ClusterError, TooLongError, UnreachableError
from whisper_bench.cluster.client import Cluster
from whisper_bench.cluster.objects import Pod
from whisper_bench.cluster.patience import Patience
from whisper_bench.cluster.seen_log import MOST_SEEN, SeenLog
from whisper_bench.cluster.state import ENDED_BY_CLUSTER, GONE, Phase, PodState, state_of
from whisper_bench.parcel.frames import human_lines
from whisper_bench.parcel.parcel import unpack
from whisper_bench.text.amounts import clock_time

POLL_S = 2.0
LOG_EVERY_S = 10.0
"""Between two reads of the log: the node that reads it is the one that measures."""
PENDING_S = 600.0
"""How long a Pod may wait for a node and its image; a cluster's autoscaler takes minutes."""
IMAGE_S = 120.0
"""How long pulling the image may fail: a busy registry has answered by then."""
_IMAGE_REASONS = {"ErrImagePull", "ImagePullBackOff"}
_LAST_READS = 4
_AFTER_DEADLINE_S = 120.0
"""How long the node's kubelet may take to end a Pod whose deadline has passed."""


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for each step, in seconds."""

    pending_s: float = PENDING_S
    image_s: float = IMAGE_S
    poll_s: float = POLL_S
    log_every_s: float = LOG_EVERY_S


class Follower:
    """Follows one Pod, and reports what changes."""

    def __init__(
        self,
        cluster: Cluster,
        pod: Pod,
        *,
        say: Callable[[str], None],
        patience: Patience,
        waits: Waits,
        sleep: Callable[[float], None],
    ) -> None:
        self._cluster = cluster
        self._name, self._uid = pod.metadata.name, pod.metadata.uid
        self._container = pod.spec.containers[0].name
        self._deadline_s = pod.spec.active_deadline_seconds or math.inf
        self._say = say
        self._patience = patience
        self._waits = waits
        self._sleep = sleep
        self._reported = ""
        self._log_s = -math.inf
        self._since_s: dict[str, float] = {}
        self._seen = SeenLog()
        self._too_long = False
        self.incomplete = False

    def to_end(self) -> PodState:
        """Return how the Pod ended.

        Its log is in `log` then; `incomplete` says that a part of it could not be read.

        Raises:
            ClusterError: it does not start, its node is lost, or the cluster no longer answers.

        """
        while not (state := self._patience.ask(self._state)).ended:
            self._report(state)
            if state.phase == Phase.PENDING:
                self._refuse_endless_wait(state)
            else:
                self._refuse_lost_node(state)
                self._show_log()
            self._sleep(self._waits.poll_s)
        if state.phase != Phase.SUCCEEDED:
            self._report(state)  # why it ended matters more than its last lines
        self._read_to_end(state)
        self._report(state)
        return state

    @property
    def log(self) -> str:
        """All of the log that was read."""
        return self._seen.text

    def _state(self) -> PodState:
        pod = self._cluster.pod(self._name)
        return state_of(pod) if pod is None or pod.metadata.uid == self._uid else GONE

    def _report(self, state: PodState) -> None:
        """Say the state once, and again only when it changes."""
        summary = state.summary
        if state.phase == Phase.PENDING and state.node and (warning := self._last_warning()):
            summary += f" ({warning})"
        if summary != self._reported:
            self._reported = summary
            self._say(summary)

    def _last_warning(self) -> str:
        try:
            return self._patience.ask(lambda: self._cluster.last_warning(self._name, self._uid))
        except ClusterError:
            return ""  # a user who may run Pods may not be allowed to read events

    def _lasts_s(self, what: str, is_so: object) -> float:
        """Return for how long something has been so."""
        if not is_so:
            self._since_s.pop(what, None)
            return 0.0
        now_s = time.monotonic()
        return now_s - self._since_s.setdefault(what, now_s)

    def _refuse_endless_wait(self, state: PodState) -> None:
        pending_s = self._lasts_s("pending", is_so=True)
        image_s = self._lasts_s("image", state.reason in _IMAGE_REASONS)
        limits = ((pending_s, self._waits.pending_s), (image_s, self._waits.image_s))
        if state.hopeless or any(waited >= limit for waited, limit in limits):
            remedy = f"; {state.remedy}" if state.remedy else ""
            raise ClusterError(
                f"Pod {self._name} did not start in {clock_time(pending_s)}: "
                f"{self._reported}{remedy}"
            )

    def _refuse_lost_node(self, state: PodState) -> None:
        running_s = self._lasts_s("running", is_so=True)
        if running_s > self._deadline_s + _AFTER_DEADLINE_S:
            raise ClusterError(
                f"Pod {self._name} still runs after {clock_time(running_s)}, past its "
                f"activeDeadlineSeconds: {self._reported}; its node {state.node} is lost or hangs: "
                "run again on another node"
            )

    def _show_log(self) -> None:
        now_s = time.monotonic()
        if now_s - self._log_s < self._waits.log_every_s:
            return
        self._log_s = now_s
        try:
            self._take(self._cluster.log(self._name, self._container))
        except UnreachableError:
            return  # the log is read again at the end
        except TooLongError as error:
            if not self._too_long:
                self._too_long = True
                self._say(f"its log is not shown: {error}")

    def _read_to_end(self, state: PodState) -> None:
        """Read the log once more, and again while its last lines are missing."""
        reads = 1 if state.reason in ENDED_BY_CLUSTER else _LAST_READS
        for _ in range(0 if state.phase == Phase.GONE else reads):
            if self._last_log_is_complete(state):
                return
            self._sleep(self._waits.poll_s)

    def _last_log_is_complete(self, state: PodState) -> bool:
        try:
            self._take(self._cluster.log(self._name, self._container), is_last=True)
        except ClusterError as error:
            self._say(f"its log cannot be read: {error}")
            self.incomplete = True
            return False
        parcels, faults = unpack(self.log)
        # a failed run may have no results; one that succeeded always has
        self.incomplete = bool(faults) or (not parcels and state.phase == Phase.SUCCEEDED)
        return bool(parcels) and not faults

    def _take(self, log: str, *, is_last: bool = False) -> None:
        if not is_last:
            log = log[: log.rfind("\n") + 1]  # the last line, or a letter in it, may be incomplete
        new = self._seen.take(log)
        if new.may_lack_lines:
            self._say(
                "the node has begun a new log file (containerLogMaxSize of the kubelet), so "
                "lines between the last two reads may be lost"
            )
        if new.cut:
            self._say(
                f"its log has more than {MOST_SEEN // 2**20} MiB: only the end is kept, where the "
                "results are"
            )
        for line in filter(str.strip, human_lines(new.text)):
            self._say(f"| {line}")
