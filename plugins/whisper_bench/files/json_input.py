"""Foreign JSON: parsed to a type, or refused with field and value."""

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
    """Parse JSON to a type; an error names it as `where` and ends with `remedy`.

    Raises:
        BenchError: it is not JSON, or a field has the wrong type: field, value and remedy.

    """
    try:
        return msgspec.json.decode(content, type=form)
    except UNREADABLE as error:
        raise BenchError(f"{where}: {fault_of(content, error)}; {remedy}") from error


def fault_of(content: bytes, error: Exception) -> str:
    """Say why JSON cannot be parsed, from the error that msgspec raised."""
    if not content.strip():
        return "it is empty"
    if _NOT_FINITE.search(content):
        return f"it has NaN or Infinity, which no measurement gives ({error})"
    try:
        document = msgspec.json.decode(content)
    except UNREADABLE:
        if ends_too_early(content):
            return f"it is cut short after {len(content)} bytes ({error})"
        return f"it is not JSON ({error})"
    return _field_fault(document, str(error))


def ends_too_early(content: bytes) -> bool:
    """Tell whether bytes are the beginning of a JSON document and no whole one.

    A number that is cut after its sign, point or exponent is malformed for a parser; a digit more
    makes it a number, and then only the rest of the document is missing.
    """
    return any(_is_truncated(content + more) for more in (b"", b"0"))


def _is_truncated(content: bytes) -> bool:
    try:
        msgspec.json.decode(content)
    except UNREADABLE as error:
        return "truncated" in str(error)
    return False


def _field_fault(document: Any, message: str) -> str:
    match = _PLACE.search(message)
    if match is None:
        return message
    path, problem = match["path"], message[: match.start()]
    value = _value_at(document, path)
    shown = "" if value is None else f" is {value}"
    return f"{path.lstrip('.')}{shown}: {problem}"


def _value_at(document: Any, path: str) -> str | None:
    """Return the value at a path, for a message; None if it is not a single value."""
    for step in _STEP.finditer(path):
        try:
            document = document[step["key"] or int(step["place"])]
        except (LookupError, TypeError):
            return None
    if "[...]" in path or isinstance(document, dict | list):
        return None
    return quoted(document) if isinstance(document, str) else msgspec.json.encode(document).decode()
