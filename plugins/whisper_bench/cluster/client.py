"""The cluster, through Kubernetes' official client.

That client and not kr8s: its calls are synchronous, in the thread that Ctrl-C interrupts, so that
what deletes the Pod afterwards surely runs. Logs are read again and again, not followed: a
followed log hangs where the connection is lost or nothing is written (its issues 1234 and 1546).
"""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from whisper_bench.cluster.objects import EventList, Job, JobList, Pod, PodList, Status
from whisper_bench.errors import BenchError
from whisper_bench.files import UNREADABLE

_TIMEOUT_S = (5, 30)
"""To connect, and between two bytes."""
_ANSWER_S = 120.0
"""For a whole answer: 64 MiB at 5 Mbit/s."""
_MOST_BYTES = 2**26
"""Of an answer. A node gives one file of a log, of 10 MiB as a rule; 5,000 Pods are as much."""
_PIECE = 2**16
_NOT_FOUND = 404
CONFLICT = 409
_BAD_REQUEST = 400
_TOO_MANY = 429
_SERVER_ERROR = 500
_WARNING = "Warning"
_T = TypeVar("_T")


class ClusterError(BenchError):
    """The cluster refused, and says why; `status` is HTTP's, None where there was no answer."""

    exit_status = 1

    def __init__(self, told: str, status: int | None = None) -> None:
        super().__init__(told)
        self.status = status


class TooLongError(ClusterError):
    """An answer without end, or larger than any that an honest cluster gives."""


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
            from yaml import YAMLError
        except ImportError as error:
            raise BenchError(
                "the Kubernetes client is not installed; pip install 'pytest-whisper-bench[k8s]'"
            ) from error
        config: Any = untyped
        default = config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION  # KUBECONFIG, as kubectl
        file = str(kubeconfig) if kubeconfig else default
        try:
            asked = client.Configuration()
            # the client's own retries would hide for minutes what is told here after seconds
            asked.retries = False
            api = config.new_client_from_config(file, context, client_configuration=asked)
            loader = config.kube_config._get_kube_config_loader(  # noqa: SLF001 - its public way
                file,
                active_context=context,  # refuses a file without a current context
            )
        except (ConfigException, OSError, YAMLError, UnicodeDecodeError) as error:
            raise BenchError(
                f"no cluster: {error}; name a kubeconfig with --kubeconfig, and a context of "
                "it with --context"
            ) from error
        if not asked.verify_ssl:
            # asked for in the kubeconfig, and told at each of a thousand requests otherwise
            warnings.filterwarnings("ignore", "Unverified HTTPS request")
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

    def jobs(self, selector: str) -> list[Job]:
        """Return the Jobs whose labels fit, by name."""
        found = self._read(
            JobList, self._batch.list_namespaced_job, self.namespace, label_selector=selector
        )
        return sorted(found.items, key=lambda job: job.metadata.name)

    def log(self, name: str, container: str) -> str:
        """Return all of a container's log so far, "" where there is none yet."""
        try:
            read = self._core.read_namespaced_pod_log
            # a byte more than is taken, so that a log that is too long is not taken for whole
            raw = self._raw(
                read, name, self.namespace, container=container, limit_bytes=_MOST_BYTES + 1
            )
        except ClusterError as error:
            if error.status in {_BAD_REQUEST, _NOT_FOUND}:  # it has not started, or is gone
                return ""
            raise
        return raw.decode("utf-8", errors="replace")

    def last_warning(self, name: str, uid: str) -> str:
        """Return the newest warning among a Pod's events, "" where there is none."""
        found = self._read(
            EventList,
            self._core.list_namespaced_event,
            self.namespace,
            field_selector=f"involvedObject.kind=Pod,involvedObject.name={name},"
            f"involvedObject.uid={uid}",
        )
        warnings = [event for event in found.items if event.type == _WARNING]
        newest = max(warnings, key=lambda event: event.when, default=None)
        return f"{newest.reason}: {newest.message}" if newest else ""

    def delete(self, name: str, uid: str, grace_s: int) -> None:
        """Delete a Pod, but no other of its name; one that is gone is as well."""
        body = {"gracePeriodSeconds": grace_s, "preconditions": {"uid": uid}}
        try:
            self._raw(self._core.delete_namespaced_pod, name, self.namespace, body=body)
        except ClusterError as error:
            # a conflict is another uid: ours is gone, and the name is somebody else's now
            if error.status not in {_NOT_FOUND, CONFLICT}:
                raise

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
            try:
                return _content(response)
            finally:
                response.release_conn()


def _content(response: Any) -> bytes:
    """Return what is answered; one that has no end is given up."""
    until_s = time.monotonic() + _ANSWER_S
    pieces, size = [], 0
    # read1 gives what has come: a piece that comes byte by byte would be waited for without end
    read = getattr(response, "read1", response.read)  # urllib3 has it from 2.1 on
    while piece := read(_PIECE):
        size += len(piece)
        pieces.append(piece)
        if size > _MOST_BYTES:
            response.close()
            raise TooLongError(
                f"the cluster's answer has more than {_MOST_BYTES // 2**20} MiB, and is not read; "
                "of a log give the end: kubectl logs POD --tail=20000 | whisper-bench k8s collect -"
            )
        if time.monotonic() > until_s:
            response.close()
            raise UnreachableError(
                f"the cluster's answer had not ended after {_ANSWER_S:g} s and was given up"
            )
    return b"".join(pieces)


def _unless_missing(call: Callable[[], _T]) -> _T | None:
    try:
        return call()
    except ClusterError as error:
        if error.status == _NOT_FOUND:
            return None
        raise


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
        raise (UnreachableError if again else ClusterError)(told, status) from error
    except (HTTPError, OSError) as error:
        raise UnreachableError(f"no answer from the cluster ({error})") from error


def _told(body: Any) -> str:
    try:
        return msgspec.json.decode(body or b"{}", type=Status).message
    except UNREADABLE:
        return ""
