"""One Pod, followed to its end: what becomes of it, and its log."""

import time
from collections.abc import Callable

import msgspec

from whisper_bench.cluster.client import Cluster, ClusterError, UnreachableError
from whisper_bench.cluster.collect import human_lines
from whisper_bench.cluster.objects import Pod
from whisper_bench.cluster.parcel import unpack
from whisper_bench.cluster.patience import Patience
from whisper_bench.cluster.state import GONE, Phase, PodState, state_of
from whisper_bench.progress import clock_time

POLL_S = 2.0
LOG_EVERY_S = 10.0
"""Between two looks at the log: the node that reads it is the one that measures."""
PENDING_S = 600.0
"""How long a Pod may wait for a node and its image; a cluster's autoscaler takes minutes."""
IMAGE_S = 120.0
"""How long the image may fail to be pulled: a registry that is busy has answered by then."""
_IMAGE_REASONS = {"ErrImagePull", "ImagePullBackOff"}
_LAST_READS = 4


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
        container: str,
        *,
        say: Callable[[str], None],
        patience: Patience,
        waits: Waits | None = None,
    ) -> None:
        self._cluster = cluster
        self._name, self._uid = pod.metadata.name, pod.metadata.uid
        self._container = container
        self._say = say
        self._patience = patience
        self._waits = waits or Waits()
        self._told = ""
        self._shown = 0
        self._log_s: float | None = None
        self.log = ""

    def to_end(self) -> PodState:
        """Return how the Pod ended; its log is in `log` then.

        Raises:
            ClusterError: it waits for what does not come, or the cluster no longer answers.

        """
        began_s = time.monotonic()
        image_s: float | None = None
        while not (state := self._patience.ask(self._state)).ended:
            self._tell(state)
            now_s = time.monotonic()
            image_s = (image_s or now_s) if state.reason in _IMAGE_REASONS else None
            if state.phase == Phase.PENDING:
                self._refuse_to_wait(state, now_s - began_s, now_s - (image_s or now_s))
            else:
                began_s = now_s
                self._look_at_log(now_s)
            time.sleep(self._waits.poll_s)
        self._read_to_end(state)
        self._tell(state)
        return state

    def _state(self) -> PodState:
        pod = self._cluster.pod(self._name)
        return state_of(pod) if pod is None or pod.metadata.uid == self._uid else GONE

    def _tell(self, state: PodState) -> None:
        told = state.told
        if state.phase == Phase.PENDING and state.node:
            warning = self._patience.ask(lambda: self._cluster.last_warning(self._name))
            told += f" ({warning})" if warning else ""
        if told != self._told:
            self._told = told
            self._say(told)

    def _refuse_to_wait(self, state: PodState, pending_s: float, image_s: float) -> None:
        limits = ((pending_s, self._waits.pending_s), (image_s, self._waits.image_s))
        if state.hopeless or any(waited >= limit for waited, limit in limits):
            remedy = f"; {state.remedy}" if state.remedy else ""
            raise ClusterError(
                f"Pod {self._name} does not start, after {clock_time(pending_s)}: "
                f"{self._told}{remedy}"
            )

    def _look_at_log(self, now_s: float) -> None:
        if self._log_s is not None and now_s - self._log_s < self._waits.log_every_s:
            return
        self._log_s = now_s
        try:
            self._take(self._cluster.log(self._name, self._container))
        except UnreachableError:
            return  # it is read again at the end

    def _read_to_end(self, state: PodState) -> None:
        """Read the log once more; what its last lines lack may be on its way."""
        if state.phase == Phase.GONE:
            return
        for _ in range(_LAST_READS):
            log = self._patience.ask(lambda: self._cluster.log(self._name, self._container))
            self._take(log, whole=True)
            parcels, faults = unpack(self.log)
            if not faults and (parcels or state.phase == Phase.FAILED):
                return
            time.sleep(self._waits.poll_s)

    def _take(self, log: str, *, whole: bool = False) -> None:
        if not log.startswith(self.log):
            # the node has begun a new file, or has none left: what was read is kept
            log = f"{self.log}\n{log}" if log else self.log
        self.log = log
        lines = human_lines(log if whole else log[: log.rfind("\n") + 1])
        for line in lines[self._shown :]:
            self._say(f"| {line}")
        self._shown = len(lines)
