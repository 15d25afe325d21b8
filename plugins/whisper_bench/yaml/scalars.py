"""What a single YAML value means to Kubernetes: 010 is 8, and `yes` is true.

After `resolve` in go-yaml v2 (sigs.k8s.io/yaml), with which kubectl turns YAML into JSON. A test
holds this to a real kubectl. A date stays text, as it does there.
"""

import base64
import binascii
import math
import re

Scalar = str | int | float | bool | None

_PREFIX = "tag:yaml.org,2002:"
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"]),
    **dict.fromkeys(
        ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"], True
    ),
    **dict.fromkeys(
        ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"], False
    ),
    **dict.fromkeys(
        [sign + word for sign in ("", "+") for word in (".inf", ".Inf", ".INF")], math.inf
    ),
    **dict.fromkeys(["-.inf", "-.Inf", "-.INF"], -math.inf),
    **dict.fromkeys([".nan", ".NaN", ".NAN"], math.nan),
}
_WHOLE = re.compile(
    r"(?P<sign>[-+]?)(?:0[bB](?P<two>[01]+)|0[oO]?(?P<eight>[0-7]+)|0[xX](?P<sixteen>[\da-fA-F]+)"
    r"|(?P<ten>0|[1-9]\d*))",
    re.ASCII,
)
_BASES = {"two": 2, "eight": 8, "sixteen": 16, "ten": 10}
_FLOAT = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?(?:(?:[Tt]|[ \t]+)[\d:.]+.*)?", re.ASCII)
_LEAST, _MOST = -(2**63), 2**64 - 1
"""What 64 bits hold, with a sign and without."""
_MOST_DIGITS = 64
"""Of what 64 bits hold, in base 2; Python bounds the digits that it reads."""
_EXPONENT_FROM = 1e21
"""From here on Go writes a float with an exponent, so that it is no whole number in JSON."""


def meaning(text: str, *, plain: bool, tag: str | None = None) -> Scalar:
    """Return what Kubernetes reads; `plain` where the text has no quotes, `tag` in full.

    A float without a fraction is an int, since JSON has one kind of number.

    Raises:
        ValueError: Kubernetes does not read it; the message says why.

    """
    name = None if tag is None else tag.removeprefix(_PREFIX)
    if name == "binary":
        return _decoded(text)
    if name is None and plain:
        return _finite(_resolved(text), text)
    if name not in {"bool", "int", "float", "null", "timestamp"}:
        return text
    return _of_kind(text, name)


def _of_kind(text: str, name: str) -> Scalar:
    value = _resolved(text)
    kinds = {
        "bool": isinstance(value, bool),
        "int": _is_int(value),
        "float": _is_int(value) or isinstance(value, float),
        "null": value is None,
        "timestamp": _DATE.fullmatch(text) is not None,
    }
    if not kinds[name]:
        raise ValueError(f"{text!r} is not a !!{name}")
    return _finite(value, text)


def _finite(value: Scalar, text: str) -> Scalar:
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        raise ValueError(f"{text} cannot be written as JSON")
    return int(value) if value.is_integer() and abs(value) < _EXPONENT_FROM else value


def _is_int(value: Scalar) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _resolved(text: str) -> Scalar:
    if text in _WORDS:
        return _WORDS[text]
    # underscores are left out of what begins like a number, and of nothing else
    number = text.replace("_", "") if text[0] in "+-0123456789" else text
    whole = _WHOLE.fullmatch(number)
    if whole is not None:
        value = _value_of(whole)
        if _LEAST <= value <= _MOST:
            return value
    if _FLOAT.fullmatch(number) and math.isfinite(float(number)):
        return float(number)
    return text


def _value_of(whole: "re.Match[str]") -> int:
    ((base, digits),) = ((base, whole[name]) for name, base in _BASES.items() if whole[name])
    value = int(digits, base) if len(digits.lstrip("0")) <= _MOST_DIGITS else _MOST + 1
    return -value if whole["sign"] == "-" else value


def _decoded(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode(errors="replace")
    except binascii.Error as error:
        raise ValueError("a !!binary value is not base64") from error
