"""The cluster, through Kubernetes' official client.

That client and not kr8s: its calls are synchronous, in the thread that Ctrl-C interrupts, so that
what deletes the Pod afterwards surely runs. Logs are read again and again, not followed: a
followed log hangs where the connection is lost or nothing is written (its issues 1234 and 1546).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from whisper_bench.cluster.objects import EventList, Job, Pod, PodList, Status
from whisper_bench.errors import BenchError
from whisper_bench.files import UNREADABLE

_TIMEOUT_S = (5, 30)
"""To connect, and between two bytes."""
_NOT_FOUND = 404
_BAD_REQUEST = 400
_TOO_MANY = 429
_SERVER_ERROR = 500
_WARNING = "Warning"
_T = TypeVar("_T")


class ClusterError(BenchError):
    """The cluster refused, and says why."""

    exit_status = 1


class UnreachableError(ClusterError):
    """The cluster did not answer this time; it may the next."""


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
        except ImportError as error:
            raise BenchError(
                "the Kubernetes client is not installed; pip install 'pytest-whisper-bench[k8s]'"
            ) from error
        config: Any = untyped
        file = str(kubeconfig) if kubeconfig else None
        try:
            asked = client.Configuration()
            # the client's own retries would hide for minutes what is told here after seconds
            asked.retries = False
            api = config.new_client_from_config(file, context, client_configuration=asked)
            contexts, active = config.list_kube_config_contexts(file)
        except (ConfigException, OSError) as error:
            raise BenchError(
                f"no cluster: {error}; name a kubeconfig with --kubeconfig, and a context of "
                "it with --context"
            ) from error
        chosen = next((each for each in contexts if each["name"] == context), active)
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
        """Return a Pod, None where there is none of this name."""
        return _unless_missing(
            lambda: self._read(Pod, self._core.read_namespaced_pod, name, self.namespace)
        )

    def pods(self, selector: str) -> list[Pod]:
        """Return the Pods whose labels fit, by name."""
        found = self._read(
            PodList, self._core.list_namespaced_pod, self.namespace, label_selector=selector
        )
        return sorted(found.items, key=lambda pod: pod.metadata.name)

    def job(self, name: str) -> Job | None:
        """Return a Job, None where there is none of this name."""
        return _unless_missing(
            lambda: self._read(Job, self._batch.read_namespaced_job, name, self.namespace)
        )

    def log(self, name: str, container: str) -> str:
        """Return all of a container's log so far, "" where there is none yet."""
        try:
            read = self._core.read_namespaced_pod_log
            raw = self._raw(read, name, self.namespace, container=container)
        except ClusterError as error:
            if _status_of(error) in {_BAD_REQUEST, _NOT_FOUND}:  # it has not started, or is gone
                return ""
            raise
        return raw.decode("utf-8", errors="replace")

    def last_warning(self, name: str) -> str:
        """Return the newest warning among a Pod's events, "" where there is none."""
        found = self._read(
            EventList,
            self._core.list_namespaced_event,
            self.namespace,
            field_selector=f"involvedObject.kind=Pod,involvedObject.name={name}",
        )
        warnings = [event for event in found.items if event.type == _WARNING]
        return f"{warnings[-1].reason}: {warnings[-1].message}" if warnings else ""

    def delete(self, name: str, uid: str, grace_s: int) -> None:
        """Delete a Pod, but no other of its name; one that is gone is as well."""
        body = {"gracePeriodSeconds": grace_s, "preconditions": {"uid": uid}}
        _unless_missing(
            lambda: self._raw(self._core.delete_namespaced_pod, name, self.namespace, body=body)
        )

    def _read(self, kind: type[_T], call: Any, *given: Any, **named: Any) -> _T:
        content = self._raw(call, *given, **named)
        try:
            return msgspec.json.decode(content, type=kind)
        except UNREADABLE as error:
            raise UnreachableError(
                f"what answered is no Kubernetes API server ({kind.__name__} expected: {error})"
            ) from error

    def _raw(self, call: Any, *given: Any, **named: Any) -> bytes:
        with _in_plain_words():
            response = call(*given, **named, _preload_content=False, _request_timeout=_TIMEOUT_S)
            content: bytes = response.data
            return content


def _unless_missing(call: Callable[[], _T]) -> _T | None:
    try:
        return call()
    except ClusterError as error:
        if _status_of(error) == _NOT_FOUND:
            return None
        raise


def _status_of(error: ClusterError) -> int | None:
    return getattr(error.__cause__, "status", None)


@contextmanager
def _in_plain_words() -> Iterator[None]:
    """Raise what the client raises as a refusal, or as a connection that may come back."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        told = _told(error.body) or f"{error.status} {error.reason}"
        status = error.status or 0
        again = status >= _SERVER_ERROR or status == _TOO_MANY
        raise (UnreachableError if again else ClusterError)(told) from error
    except (HTTPError, OSError) as error:
        raise UnreachableError(f"no answer from the cluster ({error})") from error


def _told(body: Any) -> str:
    try:
        return msgspec.json.decode(body or b"{}", type=Status).message
    except UNREADABLE:
        return ""
