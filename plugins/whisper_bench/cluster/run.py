"""One Pod of one run: created, followed, its results saved, and always deleted."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from whisper_bench.cluster.answer import ClusterError, UnreachableError
from whisper_bench.cluster.bench_pod import RUN_LABEL
from whisper_bench.cluster.client import CONFLICT, Cluster
from whisper_bench.cluster.follow import Follower, Waits
from whisper_bench.cluster.objects import Pod
from whisper_bench.cluster.patience import PATIENCE_S, Patience
from whisper_bench.cluster.state import ENDED_BY_CLUSTER, PodState
from whisper_bench.errors import BenchError
from whisper_bench.interrupt import Interruption

_GRACE_S = 2
"""For the container to end; its results are saved already."""
_GONE_S = 30.0
"""How long a node may take to end the container before the Pod is deleted without waiting."""
_CLEANUP_PATIENCE_S = 60.0


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a Pod ended, and all of its log."""

    pod: str
    state: PodState
    log: str


class PodRun:
    """Runs a Pod in a cluster; `say` takes lines for people."""

    def __init__(
        self,
        cluster: Cluster,
        say: Callable[[str], None],
        *,
        keep: bool = False,
        waits: Waits | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._cluster = cluster
        self._say = say
        self._keep = keep
        self._waits = waits or Waits()
        self._interruption = Interruption()
        self._patience = Patience(say, patience_s, sleep=self._interruption.sleep)

    def to_end(self, pod: dict[str, Any], take: Callable[[Ended], None]) -> None:
        """Create a Pod, follow it, pass its log to `take`, and delete it.

        It is deleted also if this raises or is interrupted.

        Raises:
            ClusterError: it is not admitted, does not start, or cannot be deleted.
            KeyboardInterrupt: a signal came before its end.

        """
        with self._interruption.watched(), self._created(pod) as created:
            follower = Follower(
                self._cluster,
                created,
                say=self._say,
                patience=self._patience,
                waits=self._waits,
                sleep=self._interruption.sleep,
            )
            state = follower.to_end()
            if follower.incomplete and state.reason not in ENDED_BY_CLUSTER:
                self._keep = True
            try:
                take(Ended(pod=created.metadata.name, state=state, log=follower.log))
            except BenchError:
                self._keep = True
                raise

    @contextmanager
    def _created(self, pod: dict[str, Any]) -> Iterator[Pod]:
        name = pod["metadata"]["name"]
        self._patience.ask(lambda: self._cluster.pod(name))  # is there a cluster at all?
        created = self._surely_created(pod, name)
        try:
            where = f"namespace {self._cluster.namespace} of {self._cluster.context}"
            self._say(f"created in {where}")
            yield created
        finally:
            self._remove(created)

    def _surely_created(self, pod: dict[str, Any], name: str) -> Pod:
        """Create the Pod; remove it if an answer was lost and then it failed or a signal came."""
        lost = False

        def attempt() -> Pod:
            nonlocal lost
            try:
                return self._create(pod)
            except UnreachableError:
                lost = True
                raise

        try:
            return self._patience.ask(attempt)
        except (ClusterError, KeyboardInterrupt) as error:
            if lost:
                self._remove_if_there(pod, name, error)
            raise

    def _create(self, pod: dict[str, Any]) -> Pod:
        """Create the Pod, or return the one that a request whose answer was lost has created."""
        name, run_id = pod["metadata"]["name"], pod["metadata"]["labels"][RUN_LABEL]
        try:
            return self._cluster.create(pod)
        except ClusterError as error:
            existing = self._cluster.pod(name) if error.status == CONFLICT else None
            if existing is None:
                raise
        if existing.metadata.labels.get(RUN_LABEL) == run_id:
            return existing
        raise ClusterError(
            f"Pod {name} exists already ({existing.status.phase}): another run may be using it, or "
            f"has left it behind. Delete it: {self._by_hand(name)}, or choose another --save name"
        )

    def _remove_if_there(self, pod: dict[str, Any], name: str, error: BaseException) -> None:
        """Remove the Pod if a request whose answer was lost has created it."""
        run_id = pod["metadata"]["labels"][RUN_LABEL]
        patience = Patience(self._say, _CLEANUP_PATIENCE_S, answered=True)
        try:
            existing = patience.ask(lambda: self._cluster.pod(name))
        except ClusterError as unknown:
            raise self._left_behind(name, unknown) from error
        if existing and existing.metadata.labels.get(RUN_LABEL) == run_id:
            self._remove(existing)

    def _remove(self, pod: Pod) -> None:
        name = pod.metadata.name
        if self._keep:
            self._say(f"kept; to delete it: {self._by_hand(name)}")
            return
        self._say("deleting it")
        patience = Patience(self._say, _CLEANUP_PATIENCE_S, answered=True)
        try:
            patience.ask(lambda: self._delete(pod))
        except ClusterError as error:
            raise self._left_behind(name, error) from error
        self._say("deleted")

    def _delete(self, pod: Pod) -> None:
        """Delete the Pod and wait until it is gone, but not for a node that does not answer."""
        name, uid = pod.metadata.name, pod.metadata.uid
        for grace_s in (_GRACE_S, 0):
            self._cluster.delete(name, uid, grace_s)
            until_s = time.monotonic() + _GONE_S
            while (existing := self._existing(pod)) and time.monotonic() < until_s:
                time.sleep(min(0.5, self._waits.poll_s))
            if existing is None:
                return
        assert existing is not None  # the loop has returned otherwise
        finalizers = ", ".join(existing.metadata.finalizers) or "none"
        raise ClusterError(f"it still exists after it was deleted (finalizers: {finalizers})")

    def _existing(self, pod: Pod) -> Pod | None:
        existing = self._cluster.pod(pod.metadata.name)
        return existing if existing and existing.metadata.uid == pod.metadata.uid else None

    def _left_behind(self, name: str, error: ClusterError) -> ClusterError:
        return ClusterError(
            f"Pod {name} may still exist: {error}. Delete it: {self._by_hand(name)}; its "
            "activeDeadlineSeconds ends it only if its node answers"
        )

    def _by_hand(self, name: str) -> str:
        cluster = self._cluster
        return f"kubectl --context {cluster.context} -n {cluster.namespace} delete pod {name}"
