"""The cluster's answers: read within bounds, and errors in plain words."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from whisper_bench.cluster.objects import Status
from whisper_bench.errors import BenchError
from whisper_bench.files.whole import UNREADABLE

_ANSWER_S = 120.0
"""For a whole answer: 64 MiB at 5 Mbit/s."""
MOST_BYTES = 2**26
"""Of an answer. A node gives one file of a log, usually 10 MiB; a list of 5,000 Pods is as much."""
_PIECE = 2**16
_TOO_MANY = 429
_SERVER_ERROR = 500
_REDIRECTION = 300


class ClusterError(BenchError):
    """The cluster refused, and says why; `status` is HTTP's, None if there was no answer."""

    exit_status = 1

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class TooLongError(ClusterError):
    """An answer larger than any that an honest cluster gives."""


class UnreachableError(ClusterError):
    """The cluster did not answer this time; it may answer the next time."""


def content_of(response: Any) -> bytes:
    """Return an answer's body.

    Raises:
        TooLongError: it is larger than `MOST_BYTES`.
        UnreachableError: it takes too long.

    """
    until_s = time.monotonic() + _ANSWER_S
    pieces, size = [], 0
    # read1 returns what has come so far: read would wait as long as single bytes keep coming
    read = getattr(response, "read1", response.read)  # urllib3 has it from 2.1 on
    while piece := read(_PIECE):
        size += len(piece)
        pieces.append(piece)
        if size > MOST_BYTES:
            response.close()
            raise TooLongError(
                f"the cluster's answer has more than {MOST_BYTES // 2**20} MiB and was not read; "
                "for a log, pass only its end: kubectl logs POD --tail=20000 | "
                "whisper-bench k8s collect -"
            )
        if time.monotonic() > until_s:
            response.close()
            raise UnreachableError(
                f"the cluster's answer was not complete after {_ANSWER_S:g} s; check the network"
            )
    return b"".join(pieces)


def bound_refusals(pool: Any) -> None:
    """Make the client read a refusal within bounds too; by itself it would read all of it."""
    from kubernetes.client.exceptions import ApiException

    request: Callable[..., Any] = pool.request

    def bounded(*arguments: Any, **options: Any) -> Any:
        response = request(*arguments, **options)
        if response.status < _REDIRECTION:
            return response
        refusal = ApiException(status=response.status, reason=response.reason)
        refusal.body = content_of(response).decode(errors="replace")
        raise refusal

    pool.request = bounded


@contextmanager
def in_plain_words() -> Iterator[None]:
    """Raise the client's errors as ours: a refusal, or a connection that may come back."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        message = _message_in(error.body) or f"{error.status} {error.reason}"
        status = error.status or 0
        again = status >= _SERVER_ERROR or status == _TOO_MANY
        raise (UnreachableError if again else ClusterError)(message, status) from error
    except (HTTPError, OSError) as error:
        raise UnreachableError(
            f"no answer from the cluster ({error}); check --context and the network"
        ) from error


def _message_in(body: Any) -> str:
    try:
        return msgspec.json.decode(body or b"{}", type=Status).message
    except UNREADABLE:
        return ""
