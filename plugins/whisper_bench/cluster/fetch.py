"""The logs of Pods that the cluster itself has run: a fleet's, a Job's, one Pod's."""

import time
from collections.abc import Callable, Sequence
from functools import partial

from whisper_bench.cluster.client import Cluster
from whisper_bench.cluster.objects import Pod
from whisper_bench.cluster.patience import Patience
from whisper_bench.cluster.state import state_of
from whisper_bench.errors import BenchError

SELECTOR = "app.kubernetes.io/name=whisper-bench"
CONTAINER = "whisper-bench"
_JOB_LABEL = "job-name"
_KINDS = ("pod/", "job/")
_POLL_S = 5.0


class Fetcher:
    """Finds Pods and reads their logs, once they have ended; `say` takes lines for people."""

    def __init__(
        self,
        cluster: Cluster,
        say: Callable[[str], None],
        *,
        wait_s: float = 0.0,
        poll_s: float = _POLL_S,
        patience: Patience | None = None,
    ) -> None:
        self._cluster = cluster
        self._say = say
        self._wait_s = wait_s
        self._poll_s = poll_s
        self._patience = patience or Patience(say)
        self._told: dict[str, str] = {}

    def logs(self, sources: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
        """Return the logs of `pod/NAME`, `job/NAME` or label selectors, and what is wrong.

        Raises:
            BenchError: the cluster does not answer, or refuses.

        """
        until_s = time.monotonic() + self._wait_s
        while True:
            found = {each: self._patience.ask(partial(self._pods, each)) for each in sources}
            pods = {pod.metadata.name: pod for each in found.values() for pod in each}
            waiting = [name for name, pod in pods.items() if not self._ended(pod)]
            if not waiting or time.monotonic() >= until_s:
                break
            time.sleep(self._poll_s)
        faults = [self._why_none(source) for source, each in found.items() if not each]
        return self._read(pods, faults), faults

    def _pods(self, source: str) -> list[Pod]:
        kind, _, name = source.partition("/")
        if kind == "pod":
            pod = self._cluster.pod(name)
            return [pod] if pod else []
        return self._cluster.pods(f"{_JOB_LABEL}={name}" if kind == "job" else source)

    def _ended(self, pod: Pod) -> bool:
        state, name = state_of(pod), pod.metadata.name
        if self._told.get(name) != state.told:
            self._told[name] = state.told
            self._say(f"{name}: {state.told}")
        return state.ended

    def _why_none(self, source: str) -> str:
        kind, _, name = source.partition("/")
        if kind == "job" and (job := self._patience.ask(lambda: self._cluster.job(name))):
            ends = [each for each in job.status.conditions if each.status == "True"]
            why = "; ".join(f"{each.type}: {each.reason}: {each.message}" for each in ends)
            return f"{source}: its Pods are gone{f' ({why})' if why else ''}, and their logs too"
        return (
            f"{source}: no such Pod in namespace {self._cluster.namespace} of "
            f"{self._cluster.context}; name another with --namespace or --context"
        )

    def _read(self, pods: dict[str, Pod], faults: list[str]) -> list[tuple[str, str]]:
        logs = []
        for name, pod in pods.items():
            state = state_of(pod)
            if not state.ended:
                faults.append(f"{name}: {state.told}; it has no results yet, see --wait")
                continue
            if state.reason:
                faults.append(f"{name}: {state.told}" + (state.remedy and f"; {state.remedy}"))
            log = self._patience.ask(partial(self._cluster.log, name, CONTAINER))
            if log or not state.reason:
                logs.append((name, log))
        return logs


def is_remote(source: str) -> bool:
    """Tell whether a source is in the cluster, and no file.

    Raises:
        BenchError: it is `pod/` or `job/` without a name.

    """
    if source in _KINDS:
        raise BenchError(f"{source}: name the Pod or Job behind the slash")
    return source.startswith(_KINDS)
