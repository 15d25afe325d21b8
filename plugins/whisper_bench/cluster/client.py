"""The cluster, through Kubernetes' official client.

Not kr8s: the calls of this client are synchronous, in the thread that Ctrl-C interrupts, so that
the code that deletes the Pod is sure to run. Logs are read again and again, not followed: a
followed log hangs if the connection is lost or nothing is written (its issues 1234 and 1546).
"""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from whisper_bench.cluster.answer import (
    MOST_BYTES,
    ClusterError,
    UnreachableError,
    bound_refusals,
    content_of,
    in_plain_words,
)
from whisper_bench.cluster.objects import EventList, Job, JobList, Pod, PodList
from whisper_bench.errors import BenchError
from whisper_bench.files.whole import UNREADABLE
from whisper_bench.variables import variable

_TIMEOUT_S = (5, 30)
"""To connect, and between two bytes."""
_NOT_FOUND = 404
CONFLICT = 409
_BAD_REQUEST = 400
_WARNING = "Warning"
_T = TypeVar("_T")


class Cluster:
    """One namespace of the cluster that a kubeconfig names.

    Raises:
        BenchError: the client is not installed, or the kubeconfig has no such context.

    """

    def __init__(
        self, *, kubeconfig: Path | None, context: str | None, namespace: str | None
    ) -> None:
        try:
            from kubernetes import client
            from kubernetes import config as untyped
            from kubernetes.config import ConfigException
            from yaml import YAMLError
        except ImportError as error:
            raise BenchError(
                "the Kubernetes client is not installed; pip install 'pytest-whisper-bench[k8s]'"
            ) from error
        config: Any = untyped
        default = config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION  # KUBECONFIG, as kubectl
        if kubeconfig is None:
            variable("KUBECONFIG")  # a blank one would silently choose another cluster
        file = str(kubeconfig) if kubeconfig else default
        try:
            settings = client.Configuration()
            # the client's own retries would hide for minutes what is reported here after seconds
            settings.retries = False
            api = config.new_client_from_config(file, context, client_configuration=settings)
            loader = config.kube_config._get_kube_config_loader(  # noqa: SLF001 - its public way
                file,
                active_context=context,  # refuses a file without a current context
            )
        except (ConfigException, OSError, YAMLError, UnicodeDecodeError) as error:
            raise BenchError(
                f"no cluster: {error}; pass a kubeconfig with --kubeconfig, and one of its "
                "contexts with --context"
            ) from error
        if not settings.verify_ssl:
            # the kubeconfig says so; the warning would come at each of a thousand requests
            warnings.filterwarnings("ignore", "Unverified HTTPS request")
        bound_refusals(api.rest_client.pool_manager)
        chosen = loader.current_context
        self.namespace: str = namespace or chosen["context"].get("namespace") or "default"
        self.context: str = chosen["name"]
        self._core = client.CoreV1Api(api)
        self._batch = client.BatchV1Api(api)

    def create(self, pod: dict[str, Any]) -> Pod:
        """Create a Pod.

        Raises:
            ClusterError: it is not admitted; the server's own words.

        """
        return self._read(Pod, self._core.create_namespaced_pod, self.namespace, pod)

    def pod(self, name: str) -> Pod | None:
        """Return a Pod, None if there is none of this name."""
        return _unless_missing(
            lambda: self._read(Pod, self._core.read_namespaced_pod, name, self.namespace)
        )

    def pods(self, selector: str) -> list[Pod]:
        """Return the Pods whose labels match, by name."""
        pods = self._read(
            PodList, self._core.list_namespaced_pod, self.namespace, label_selector=selector
        )
        return sorted(pods.items, key=lambda pod: pod.metadata.name)

    def job(self, name: str) -> Job | None:
        """Return a Job, None if there is none of this name."""
        return _unless_missing(
            lambda: self._read(Job, self._batch.read_namespaced_job, name, self.namespace)
        )

    def jobs(self, selector: str) -> list[Job]:
        """Return the Jobs whose labels match, by name."""
        jobs = self._read(
            JobList, self._batch.list_namespaced_job, self.namespace, label_selector=selector
        )
        return sorted(jobs.items, key=lambda job: job.metadata.name)

    def log(self, name: str, container: str) -> str:
        """Return all of a container's log so far, "" if there is none yet."""
        try:
            read = self._core.read_namespaced_pod_log
            # one byte more than is accepted, so that a log that is too long is noticed
            raw = self._raw(
                read, name, self.namespace, container=container, limit_bytes=MOST_BYTES + 1
            )
        except ClusterError as error:
            if error.status in {_BAD_REQUEST, _NOT_FOUND}:  # it has not started, or is gone
                return ""
            raise
        return raw.decode("utf-8", errors="replace")

    def last_warning(self, name: str, uid: str) -> str:
        """Return the newest warning among a Pod's events, "" if there is none."""
        events = self._read(
            EventList,
            self._core.list_namespaced_event,
            self.namespace,
            field_selector=f"involvedObject.kind=Pod,involvedObject.name={name},"
            f"involvedObject.uid={uid}",
        )
        warnings = [event for event in events.items if event.type == _WARNING]
        newest = max(warnings, key=lambda event: event.when, default=None)
        return f"{newest.reason}: {newest.message}" if newest else ""

    def delete(self, name: str, uid: str, grace_s: int) -> None:
        """Delete a Pod, but no other of its name; one that is gone already is no error."""
        body = {"gracePeriodSeconds": grace_s, "preconditions": {"uid": uid}}
        try:
            self._raw(self._core.delete_namespaced_pod, name, self.namespace, body=body)
        except ClusterError as error:
            # a conflict means another uid: ours is gone, and somebody else uses its name
            if error.status not in {_NOT_FOUND, CONFLICT}:
                raise

    def _read(self, kind: type[_T], call: Any, *arguments: Any, **options: Any) -> _T:
        content = self._raw(call, *arguments, **options)
        try:
            return msgspec.json.decode(content, type=kind)
        except UNREADABLE as error:
            raise UnreachableError(
                f"the server is not a Kubernetes API server ({kind.__name__} expected: {error}); "
                "check --kubeconfig and --context"
            ) from error

    def _raw(self, call: Any, *arguments: Any, **options: Any) -> bytes:
        options = {**options, "_preload_content": False, "_request_timeout": _TIMEOUT_S}
        with in_plain_words():
            response = call(*arguments, **options)
            try:
                return content_of(response)
            finally:
                response.release_conn()


def _unless_missing(call: Callable[[], _T]) -> _T | None:
    try:
        return call()
    except ClusterError as error:
        if error.status == _NOT_FOUND:
            return None
        raise
