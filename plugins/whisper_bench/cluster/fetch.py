"""The logs of Pods that the cluster runs by itself: of a fleet, a Job or one Pod."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from whisper_bench.cluster.answer import ClusterError
from whisper_bench.cluster.client import Cluster
from whisper_bench.cluster.objects import Job, Pod
from whisper_bench.cluster.patience import Patience
from whisper_bench.cluster.state import GONE, PodState, state_of
from whisper_bench.errors import BenchError

SELECTOR = "app.kubernetes.io/name=whisper-bench"
_JOB_LABEL = "job-name"
_KINDS = ("pod/", "job/")
_ENDS = {"Complete", "Failed"}
_POLL_S = 5.0


class Fetcher:
    """Finds Pods and Jobs, and reads each log when its Pod has ended.

    `say` takes lines for people; `faults` is what went wrong, complete once `logs` is exhausted.
    """

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
        self._reported: dict[str, str] = {}
        self._waiting: dict[str, str] = {}
        self._done: set[str] = set()
        self._jobs_with_pods: set[str] = set()
        self.faults: list[str] = []

    def logs(self, sources: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield the logs of `pod/NAME`, `job/NAME` or label selectors, each as its Pod ends.

        A Pod's log is lost with its node, so each is read without waiting for the others.

        Raises:
            BenchError: the cluster does not answer, or refuses.

        """
        until_s = time.monotonic() + self._wait_s
        while True:
            before, self._waiting = self._waiting, {}
            pods_and_jobs = [self._pods_and_jobs(source) for source in sources]
            for pod in (pod for pods, _ in pods_and_jobs for pod in pods):
                yield from self._log_of(pod)
            for job in (job for _, jobs in pods_and_jobs for job in jobs):
                self._wait_for_pods(job)
            self._report_gone(before)
            if not self._waiting or time.monotonic() >= until_s:
                break
            time.sleep(self._poll_s)
        self.faults += [
            f"{name}: {status}; wait longer: --wait" for name, status in self._waiting.items()
        ]
        unknown = [source for source, (pods, jobs) in zip(sources, pods_and_jobs, strict=True)
                   if not pods and not jobs and source not in self._done]  # fmt: skip
        self.faults += [self._no_such(source) for source in unknown]

    def _pods_and_jobs(self, source: str) -> tuple[list[Pod], list[Job]]:
        """Return the Pods and Jobs of a source that there are now."""
        kind, _, name = source.partition("/")
        ask = self._patience.ask
        if kind == "pod":
            pod = ask(partial(self._cluster.pod, name))
            return [pod] if pod else [], []
        if kind == "job":
            job = ask(partial(self._cluster.job, name))
            pods = ask(partial(self._cluster.pods, f"{_JOB_LABEL}={name}"))
            return pods, [job] if job else []
        jobs = ask(partial(self._cluster.jobs, source))
        return ask(partial(self._cluster.pods, source)), jobs

    def _log_of(self, pod: Pod) -> Iterator[tuple[str, str]]:
        name, state = pod.metadata.name, state_of(pod)
        self._jobs_with_pods.add(pod.metadata.labels.get(_JOB_LABEL, ""))
        self._report(name, state.summary)
        if name in self._done:
            return
        if not state.ended:
            self._waiting[name] = f"{state.summary}; it has no results yet"
            return
        self._done |= {name, f"pod/{name}"}
        if state.reason:
            self._fault(name, state)
        try:
            log = self._patience.ask(partial(self._cluster.log, name, pod.spec.containers[0].name))
        except ClusterError as error:
            self.faults.append(f"{name}: its log cannot be read: {error}")
            return
        if log or not state.reason:
            yield name, log

    def _wait_for_pods(self, job: Job) -> None:
        """Wait for a Job that has no Pod yet; if it has ended without one, say so."""
        name = job.metadata.name
        if name in self._jobs_with_pods or f"job/{name}" in self._done:
            return
        conditions = [item for item in job.status.conditions if item.status == "True"]
        ends = [end for end in conditions if end.type in _ENDS]
        if not ends:
            status = "is suspended" if job.spec.suspend else "has no Pod yet"
            self._report(f"job/{name}", status)
            self._waiting[f"job/{name}"] = status
            return
        self._done.add(f"job/{name}")
        why = "; ".join(f"{end.type}: {end.reason}: {end.message}" for end in ends)
        self.faults.append(
            f"job/{name}: its Pods are gone, and their logs too ({why}); run the Job again"
        )

    def _report_gone(self, before: dict[str, str]) -> None:
        """Report each Pod or Job that was waited for and no longer exists."""
        begun = {f"job/{name}" for name in self._jobs_with_pods}
        for name in before.keys() - self._waiting.keys() - self._done - begun:
            self._done |= {name, f"pod/{name}"}
            self._report(name, GONE.summary)
            self._fault(name, GONE)

    def _report(self, name: str, status: str) -> None:
        """Say a status once, and again only when it changes."""
        if self._reported.get(name) != status:
            self._reported[name] = status
            self._say(f"{name}: {status}")

    def _fault(self, name: str, state: PodState) -> None:
        self.faults.append(f"{name}: {state.fault}")

    def _no_such(self, source: str) -> str:
        return (
            f"{source}: no such Pod or Job in namespace {self._cluster.namespace} of "
            f"{self._cluster.context}; choose another with --namespace or --context"
        )


def is_remote(source: str) -> bool:
    """Tell whether a source is in the cluster, and not a file.

    Raises:
        BenchError: it is `pod/` or `job/` without a name.

    """
    if source in _KINDS:
        raise BenchError(f"{source}: the name is missing; write {source}NAME")
    return source.startswith(_KINDS)
