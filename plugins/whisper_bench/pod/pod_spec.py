"""A Pod's spec: the fields that decide what a measurement in it is worth."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.pod.quantity import amount

COUNTED = ("cpu", "memory")
"""The resources that decide a Pod's class."""


class Amount:
    """A quantity: as it is written, and its value in CPUs or bytes."""

    __slots__ = ("text", "value")

    def __init__(self, text: str, value: Fraction) -> None:
        self.text = text
        self.value = value


class Amounts(msgspec.Struct, frozen=True):
    """The two resources that decide a Pod's class and speed; the server checks the others."""

    cpu: Amount | msgspec.UnsetType = msgspec.UNSET
    memory: Amount | msgspec.UnsetType = msgspec.UNSET

    def of(self, name: str) -> Amount | None:
        """Return the amount of "cpu" or "memory"; None if it is not written."""
        value: Amount | msgspec.UnsetType = getattr(self, name)
        return None if value is msgspec.UNSET else value


class Resources(msgspec.Struct, frozen=True):
    """A container's requests and limits, as written."""

    requests: Amounts | None = None
    limits: Amounts | None = None

    def limit(self, name: str) -> Amount | None:
        """Return the limit of "cpu" or "memory"."""
        return (self.limits or Amounts()).of(name)

    def request(self, name: str) -> Amount | None:
        """Return the request of "cpu" or "memory": the limit if no request is written.

        As in `SetDefaults_Pod` of pkg/apis/core/v1/defaults.go.
        """
        return (self.requests or Amounts()).of(name) or self.limit(name)


class Security(msgspec.Struct, frozen=True, rename="camel"):
    """A securityContext, of a Pod or of a container; the container's wins."""

    run_as_non_root: bool | None = None
    run_as_user: int | None = None
    privileged: bool | None = None


class EnvVar(msgspec.Struct, frozen=True):
    """A variable; a number or `yes` without quotes is not text, and the server refuses it."""

    name: str
    value: str | None = None


class Container(msgspec.Struct, frozen=True, rename="camel"):
    """A container; an init container whose `restart_policy` is "Always" is a sidecar."""

    name: str
    resources: Resources | None = None
    restart_policy: str | None = None
    security_context: Security | None = None
    env: list[EnvVar] | None = None


class PodSpec(msgspec.Struct, frozen=True, rename="camel"):
    """A Pod's spec, with the server's defaults where nothing is written."""

    containers: Annotated[list[Container], msgspec.Meta(min_length=1)]
    init_containers: list[Container] | None = None
    resources: Resources | None = None
    overhead: Amounts | None = None
    restart_policy: str | None = None
    active_deadline_seconds: int | None = None
    automount_service_account_token: bool | None = None
    security_context: Security | None = None

    def named(self) -> list[tuple[str, Container]]:
        """Return every container with its path, init containers last."""
        kinds = {"containers": self.containers, "initContainers": self.init_containers or []}
        return [
            (f"{kind}[{container.name}]", container)
            for kind, containers in kinds.items()
            for container in containers
        ]


def parse_pod_spec(data: Mapping[str, Any], where: str) -> PodSpec:
    """Return a Pod's spec; `where` names it, such as "pod.yaml: spec".

    Raises:
        BenchError: a field is missing or of the wrong type, or an amount of CPU or memory is not a
            quantity; the message has the path and the value.

    """
    try:
        return msgspec.convert(data, PodSpec, dec_hook=_amount)
    except msgspec.ValidationError as error:
        raise BenchError(f"{where}: {error}; {_remedy(error)}") from error


def _remedy(error: msgspec.ValidationError) -> str:
    remedy = "write it as the Kubernetes API defines it"
    if not str(error).startswith("Expected `str"):
        return remedy
    return f"{remedy} (put a number, or a word such as yes, in quotes)"


def _amount(_: type, value: Any) -> Amount:
    """Read a quantity: a string or a number; no other value's text is one."""
    quantity = amount(str(value))
    if quantity is None:
        raise ValueError(f"{value!r} is not a quantity (such as 1, 500m or 2Gi)")
    return Amount(str(value), quantity)
