"""A Pod's spec, as far as it decides what a measurement in it is worth."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.pod.quantity import amount

COUNTED = ("cpu", "memory")
"""The resources that decide a Pod's class."""


class Amount:
    """A quantity, as it is written and what it means in CPUs or bytes."""

    __slots__ = ("text", "value")

    def __init__(self, text: str, value: Fraction) -> None:
        self.text = text
        self.value = value


class Amounts(msgspec.Struct, frozen=True):
    """The two resources that a Pod's class and speed hang on; others are left to the server."""

    cpu: Amount | msgspec.UnsetType = msgspec.UNSET
    memory: Amount | msgspec.UnsetType = msgspec.UNSET

    def of(self, name: str) -> Amount | None:
        """Return the amount of "cpu" or "memory"; None where it is not written."""
        found: Amount | msgspec.UnsetType = getattr(self, name)
        return None if found is msgspec.UNSET else found


class Resources(msgspec.Struct, frozen=True):
    """What a container asks for and what it may have, as written."""

    requests: Amounts | None = None
    limits: Amounts | None = None

    def limit(self, name: str) -> Amount | None:
        """Return the limit of "cpu" or "memory"."""
        return (self.limits or Amounts()).of(name)

    def request(self, name: str) -> Amount | None:
        """Return the request of "cpu" or "memory": the limit where it is not written.

        As in `SetDefaults_Pod` of pkg/apis/core/v1/defaults.go.
        """
        return (self.requests or Amounts()).of(name) or self.limit(name)


class Security(msgspec.Struct, frozen=True, rename="camel"):
    """A securityContext, of a Pod or of a container; what a container has goes first."""

    run_as_non_root: bool | None = None
    run_as_user: int | None = None
    privileged: bool | None = None


class EnvVar(msgspec.Struct, frozen=True):
    """A variable; a number or `yes` without quotes is no text, and the server refuses it."""

    name: str
    value: str | None = None


class Container(msgspec.Struct, frozen=True, rename="camel"):
    """A container; `restart_policy` makes an init container a sidecar where it is "Always"."""

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
        """Return every container behind its path, those that come before the others last."""
        kinds = {"containers": self.containers, "initContainers": self.init_containers or []}
        return [(f"{kind}[{each.name}]", each) for kind, found in kinds.items() for each in found]


def parse_pod_spec(data: Mapping[str, Any], where: str) -> PodSpec:
    """Return a Pod's spec; `where` names it, such as "pod.yaml: spec".

    Raises:
        BenchError: it is not built as Kubernetes wants it, or an amount of CPU or memory is no
            quantity; the message has the path and the value.

    """
    try:
        return msgspec.convert(data, PodSpec, dec_hook=_amount)
    except msgspec.ValidationError as error:
        raise BenchError(f"{where}: {error}; {_remedy(error)}") from error


def _remedy(error: msgspec.ValidationError) -> str:
    remedy = "write it as Kubernetes wants it"
    if not str(error).startswith("Expected `str"):
        return remedy
    return f"{remedy} (put a number, or a word such as yes, in quotes)"


def _amount(_: type, value: Any) -> Amount:
    """Read a quantity, a string or a number; the text of any other value is none."""
    found = amount(str(value))
    if found is None:
        raise ValueError(f"{value!r} is no quantity (1, 500m and 2Gi are)")
    return Amount(str(value), found)
