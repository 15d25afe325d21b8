"""One Pod, followed to its end: what becomes of it, and its log."""

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
"""Between two looks at the log: the node that reads it is the one that measures."""
PENDING_S = 600.0
"""How long a Pod may wait for a node and its image; a cluster's autoscaler takes minutes."""
IMAGE_S = 120.0
"""How long the image may fail to be pulled: a registry that is busy has answered by then."""
_IMAGE_REASONS = {"ErrImagePull", "ImagePullBackOff"}
_LAST_READS = 4
_AFTER_DEADLINE_S = 120.0
"""How long the node's kubelet may take to end a Pod whose deadline has come."""


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for what, in seconds."""

    pending_s: float = PENDING_S
    image_s: float = IMAGE_S
    poll_s: float = POLL_S
    log_every_s: float = LOG_EVERY_S


class Follower:
    """Follows one Pod, and says what changes."""

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
        self._told = ""
        self._log_s = -math.inf
        self._since_s: dict[str, float] = {}
        self._seen = SeenLog()
        self._too_long = False
        self.lacking = False

    def to_end(self) -> PodState:
        """Return how the Pod ended.

        Its log is in `log` then; `lacking` tells that there is more to it than could be read.

        Raises:
            ClusterError: it waits for what does not come, its node is lost, or the cluster no
                longer answers.

        """
        while not (state := self._patience.ask(self._state)).ended:
            self._tell(state)
            if state.phase == Phase.PENDING:
                self._refuse_to_wait(state)
            else:
                self._refuse_a_lost_node(state)
                self._look_at_log()
            self._sleep(self._waits.poll_s)
        if state.phase != Phase.SUCCEEDED:
            self._tell(state)  # why it ended matters more than its last lines
        self._read_to_end(state)
        self._tell(state)
        return state

    @property
    def log(self) -> str:
        """All of the log that was seen."""
        return self._seen.text

    def _state(self) -> PodState:
        pod = self._cluster.pod(self._name)
        return state_of(pod) if pod is None or pod.metadata.uid == self._uid else GONE

    def _tell(self, state: PodState) -> None:
        told = state.told
        if state.phase == Phase.PENDING and state.node and (warning := self._last_warning()):
            told += f" ({warning})"
        if told != self._told:
            self._told = told
            self._say(told)

    def _last_warning(self) -> str:
        try:
            return self._patience.ask(lambda: self._cluster.last_warning(self._name, self._uid))
        except ClusterError:
            return ""  # who may run Pods need not be allowed to read events

    def _lasts_s(self, what: str, holds: object) -> float:
        """Return for how long something has held."""
        if not holds:
            self._since_s.pop(what, None)
            return 0.0
        now_s = time.monotonic()
        return now_s - self._since_s.setdefault(what, now_s)

    def _refuse_to_wait(self, state: PodState) -> None:
        pending_s = self._lasts_s("pending", holds=True)
        image_s = self._lasts_s("image", state.reason in _IMAGE_REASONS)
        limits = ((pending_s, self._waits.pending_s), (image_s, self._waits.image_s))
        if state.hopeless or any(waited >= limit for waited, limit in limits):
            remedy = f"; {state.remedy}" if state.remedy else ""
            raise ClusterError(
                f"Pod {self._name} does not start, after {clock_time(pending_s)}: "
                f"{self._told}{remedy}"
            )

    def _refuse_a_lost_node(self, state: PodState) -> None:
        running_s = self._lasts_s("running", holds=True)
        if running_s > self._deadline_s + _AFTER_DEADLINE_S:
            raise ClusterError(
                f"Pod {self._name} runs on past its activeDeadlineSeconds, after "
                f"{clock_time(running_s)}: {self._told}; its node {state.node} is lost, or hangs"
            )

    def _look_at_log(self) -> None:
        now_s = time.monotonic()
        if now_s - self._log_s < self._waits.log_every_s:
            return
        self._log_s = now_s
        try:
            self._take(self._cluster.log(self._name, self._container))
        except UnreachableError:
            return  # it is read again at the end
        except TooLongError as error:
            if not self._too_long:
                self._too_long = True
                self._say(f"its log is not shown: {error}")

    def _read_to_end(self, state: PodState) -> None:
        """Read the log once more; what its last lines lack may be on its way."""
        reads = 1 if state.reason in ENDED_BY_CLUSTER else _LAST_READS
        for _ in range(0 if state.phase == Phase.GONE else reads):
            if self._last_log_is_whole(state):
                return
            self._sleep(self._waits.poll_s)

    def _last_log_is_whole(self, state: PodState) -> bool:
        try:
            self._take(self._cluster.log(self._name, self._container), whole=True)
        except ClusterError as error:
            self._say(f"its log cannot be read: {error}")
            self.lacking = True
            return False
        parcels, faults = unpack(self.log)
        # a red run may have had nothing to say; a green one always has
        self.lacking = bool(faults) or (not parcels and state.phase == Phase.SUCCEEDED)
        return bool(parcels) and not faults

    def _take(self, log: str, *, whole: bool = False) -> None:
        if not whole:
            log = log[: log.rfind("\n") + 1]  # a line, or a letter in it, may have come in part
        new = self._seen.take(log)
        if new.may_lack_lines:
            self._say(
                "the node has begun a new log file (containerLogMaxSize of the kubelet), so "
                "lines between the last two reads may be lost"
            )
        if new.cut:
            self._say(
                f"its log has more than {MOST_SEEN // 2**20} MiB: only the end of it is kept, "
                "which is where the results are"
            )
        for line in filter(str.strip, human_lines(new.text)):
            self._say(f"| {line}")
