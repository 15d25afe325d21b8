"""JSON that somebody else may have written: parsed to a type, or refused with field and value."""

import re
from typing import Any, TypeVar

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.files.whole import UNREADABLE
from whisper_bench.text.plain import quoted

_T = TypeVar("_T")
_PLACE = re.compile(r" - at `\$(?P<path>.*)`$")
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<place>\d+)\]")
_NOT_FINITE = re.compile(rb"[:\[,]\s*-?(NaN|Infinity)")


def parsed(content: bytes, form: type[_T], where: str, remedy: str) -> _T:
    """Parse JSON to a type; `where` names it in an error, and `remedy` what helps.

    Raises:
        BenchError: it is no JSON, or a field is not what it should be: field, value and remedy.

    """
    try:
        return msgspec.json.decode(content, type=form)
    except UNREADABLE as error:
        raise BenchError(f"{where}: {fault_of(content, error)}; {remedy}") from error


def fault_of(content: bytes, error: Exception) -> str:
    """Say what keeps JSON from being parsed, for an error that msgspec raised of it."""
    if not content.strip():
        return "it is empty"
    if _NOT_FINITE.search(content):
        return f"it holds NaN or Infinity, which no measurement gives ({error})"
    try:
        document = msgspec.json.decode(content)
    except UNREADABLE as broken:
        if "truncated" in str(broken):
            return f"it is cut short after {len(content)} bytes ({error})"
        return f"it is no JSON ({error})"
    return _field_fault(document, str(error))


def _field_fault(document: Any, message: str) -> str:
    match = _PLACE.search(message)
    if match is None:
        return message
    path, told = match["path"], message[: match.start()]
    value = _value_at(document, path)
    shown = "" if value is None else f" is {value}"
    return f"{path.lstrip('.')}{shown}: {told}"


def _value_at(document: Any, path: str) -> str | None:
    """Return the value at a place, for a message; None where it is no single one."""
    for step in _STEP.finditer(path):
        try:
            document = document[step["key"] or int(step["place"])]
        except (LookupError, TypeError):
            return None
    if "[...]" in path or isinstance(document, dict | list):
        return None
    return quoted(document) if isinstance(document, str) else msgspec.json.encode(document).decode()
