"""One Pod of one run: created, followed, and deleted whatever happens."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from whisper_bench.cluster.bench_pod import RUN_LABEL, container_of
from whisper_bench.cluster.client import Cluster, ClusterError, UnreachableError
from whisper_bench.cluster.follow import Follower, Waits
from whisper_bench.cluster.interrupt import Interruption
from whisper_bench.cluster.objects import Pod
from whisper_bench.cluster.patience import Patience
from whisper_bench.cluster.state import PodState

_GRACE_S = 2
"""For the container to end in; nothing of it is wanted any more."""
_GONE_S = 30.0
"""How long a node may take to end the container before the Pod is taken out without its word."""
_CLEANUP_PATIENCE_S = 60.0


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a Pod ended, and all of its log."""

    pod: str
    state: PodState
    log: str


class PodRun:
    """Runs Pods in a cluster; `say` takes lines for people."""

    def __init__(
        self,
        cluster: Cluster,
        say: Callable[[str], None],
        *,
        keep: bool = False,
        waits: Waits | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._cluster = cluster
        self._say = say
        self._keep = keep
        self._waits = waits or Waits()
        self._patience = patience or Patience(say)

    def to_end(self, pod: dict[str, Any]) -> Ended:
        """Create a Pod, follow it, and delete it, also where this raises or is interrupted.

        Raises:
            ClusterError: it is not admitted, does not start, or cannot be deleted.
            KeyboardInterrupt: it was interrupted; the Pod is deleted.

        """
        interruption = Interruption()
        with interruption.watched(), self._created(pod, interruption) as created:
            follower = Follower(
                self._cluster,
                created,
                container_of(pod),
                say=self._say,
                patience=self._patience,
                waits=self._waits,
            )
            state = follower.to_end()
        return Ended(pod=created.metadata.name, state=state, log=follower.log)

    @contextmanager
    def _created(self, pod: dict[str, Any], interruption: Interruption) -> Iterator[Pod]:
        created: Pod | None = None
        name = pod["metadata"]["name"]
        self._patience.ask(lambda: self._cluster.pod(name))  # is there a cluster at all?
        try:
            with interruption.held():
                created = self._surely_created(pod, name)
            where = f"namespace {self._cluster.namespace} of {self._cluster.context}"
            self._say(f"created in {where}")
            yield created
        finally:
            if created is not None:
                with interruption.held():
                    self._remove(created)

    def _surely_created(self, pod: dict[str, Any], name: str) -> Pod:
        try:
            return self._patience.ask(lambda: self._create(pod))
        except UnreachableError as error:
            raise self._left_behind(name, error) from error

    def _create(self, pod: dict[str, Any]) -> Pod:
        """Create the Pod, or find that an earlier request, whose answer was lost, has done it."""
        name, run_id = pod["metadata"]["name"], pod["metadata"]["labels"][RUN_LABEL]
        there = self._cluster.pod(name)
        if there is None:
            return self._cluster.create(pod)
        if there.metadata.labels.get(RUN_LABEL) == run_id:
            return there
        raise ClusterError(
            f"Pod {name} is there already ({there.status.phase}); another run may be under way, or "
            f"have left it. Delete it: {self._by_hand(name)}, or choose another --save name"
        )

    def _remove(self, pod: Pod) -> None:
        name = pod.metadata.name
        if self._keep:
            self._say(f"kept, as told; to delete it: {self._by_hand(name)}")
            return
        patience = Patience(self._say, _CLEANUP_PATIENCE_S, answered=True)
        try:
            patience.ask(lambda: self._delete(pod))
        except ClusterError as error:
            raise self._left_behind(name, error) from error
        self._say("deleted")

    def _delete(self, pod: Pod) -> None:
        """Delete the Pod and see it gone; a node that does not answer is not waited for."""
        name, uid = pod.metadata.name, pod.metadata.uid
        self._cluster.delete(name, uid, _GRACE_S)
        until_s = time.monotonic() + _GONE_S
        while self._is_there(pod):
            if time.monotonic() >= until_s:
                self._cluster.delete(name, uid, 0)
            time.sleep(min(0.5, self._waits.poll_s))

    def _is_there(self, pod: Pod) -> bool:
        there = self._cluster.pod(pod.metadata.name)
        return there is not None and there.metadata.uid == pod.metadata.uid

    def _left_behind(self, name: str, error: ClusterError) -> ClusterError:
        return ClusterError(
            f"Pod {name} may be left behind: {error}. Delete it: {self._by_hand(name)}; its "
            "activeDeadlineSeconds ends it in any case"
        )

    def _by_hand(self, name: str) -> str:
        cluster = self._cluster
        return f"kubectl --context {cluster.context} -n {cluster.namespace} delete pod {name}"
