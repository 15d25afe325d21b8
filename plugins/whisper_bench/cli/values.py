"""The values of options: one function per kind of value, for argparse's `type=`.

Each raises a BenchError that says what to give; the parser adds the option and the value.
"""

import math
import re
from collections.abc import Callable
from typing import NamedTuple

from whisper_bench.errors import BenchError
from whisper_bench.sizing.bounds import MOST_TOKENS_A_SECOND

_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h)?")
_UNITS_S = {"ms": 0.001, "s": 1, None: 1, "m": 60, "min": 60, "h": 3600}
_LONGEST_AUDIO_S = 14_400
_LEAST_CPUS = 0.01
"""A period's least quota is 1 %."""
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_TOLERATION = re.compile(r"(?P<key>[^=:]+)(?:=(?P<value>[^:]*))?(?::(?P<effect>\w+))?")


ONE_CLIP = {30.0: 1.0}
"""Every request is as long as the standard clip: 30s:1."""


class Speech(NamedTuple):
    """Tokens that a second of speech gives, and their standard deviation between requests."""

    tokens_a_second: float
    spread: float


def number_within(
    least: float, most: float, *, above: bool = False, below: bool = False
) -> Callable[[str], float]:
    """Return a function that reads a number of a range, whose ends may be left out."""
    low, high = ("above" if above else "from"), ("to below" if below else "to")

    def read(text: str) -> float:
        value = _float(text)
        within = least <= value <= most and not (above and value == least)
        if not within or (below and value == most):
            raise BenchError(f"give a number {low} {least:g} {high} {most:g}")
        return value

    return read


def whole_within(least: int, most: int) -> Callable[[str], int]:
    """Return a function that reads a whole number of a range."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise BenchError(f"give a whole number, {least} to {most}")
        return int(text)

    return read


def days(text: str) -> float:
    """Read an age in days."""
    value = _float(text)
    if not 0 <= value < math.inf:
        raise BenchError("give a number of days, 0 or more")
    return value


def seconds(text: str) -> float:
    """Read a time in seconds: `5s`, `750ms`, `2m`, `6h`, or plain seconds."""
    match = _TIME.fullmatch(text.strip())
    if not match:
        raise BenchError("give a time, such as 5s, 750ms, 2m or 6h")
    return float(match[1]) * _UNITS_S[match[2]]


def some_seconds(text: str) -> float:
    """Read a time above 0 in seconds."""
    value_s = seconds(text)
    if value_s <= 0:
        raise BenchError("give a time above 0, such as 30m")
    return value_s


def share(text: str) -> float:
    """Read a share: `10%` or `0.1`."""
    digits, percent, rest = text.strip().partition("%")
    value = _float(digits) / (100 if percent else 1)
    # 1 without a sign may be meant as one percent
    if rest or not 0 < value <= 1 or (value == 1 and not percent):
        raise BenchError("give a share above 0 and up to 100 %, such as 10% or 0.1")
    return value


def cpus(text: str) -> float | None:
    """Read a CPU limit; None for `none`."""
    if text == "none":
        return None
    value = _float(text)
    if not _LEAST_CPUS <= value < math.inf:
        raise BenchError(f"give a number of CPUs, {_LEAST_CPUS:g} or more, or none")
    return value


def memory_bytes(text: str) -> int:
    """Read Kubernetes' quantity of memory."""
    from whisper_bench.pod.quantity import amount

    value = amount(text)
    if value is None or value <= 0:
        raise BenchError("give a quantity of memory, such as 448Mi")
    return int(value)


def lengths(text: str) -> list[float]:
    """Read lengths of audio in seconds: `5s,30s,2m`."""
    values_s = [seconds(word) for word in text.split(",")]
    if not all(0 < value_s <= _LONGEST_AUDIO_S for value_s in values_s):
        raise BenchError("give lengths above 0 and up to 4 hours, such as 5s,30s,2m")
    return values_s


def audio_mix(text: str) -> dict[float, float]:
    """Read lengths of audio, in seconds, with their shares: `30s:0.7,90s:0.3`, or one length."""
    mix: dict[float, float] = {}
    for word in text.split(","):
        length_s, part = _length_s(word)
        mix[length_s] = mix.get(length_s, 0.0) + part
    return mix


def speech(text: str) -> Speech:
    """Read tokens a second of speech, with their standard deviation: `6.6`, `6.6±2`, `6.6+-2`."""
    mean, _, spread = text.replace("+-", "\N{PLUS-MINUS SIGN}").partition("\N{PLUS-MINUS SIGN}")
    value, deviation = _float(mean), _float(spread) if spread else 0.0
    if not (0 < value <= MOST_TOKENS_A_SECOND and 0 <= deviation <= MOST_TOKENS_A_SECOND):
        raise BenchError(
            "give tokens a second of speech, and their standard deviation if it is known, such as "
            f"6.6 or 6.6+-2; {MOST_TOKENS_A_SECOND:g} at most"
        )
    return Speech(value, deviation)


def _length_s(word: str) -> tuple[float, float]:
    length, colon, part = word.partition(":")
    try:
        length_s, share_of_it = seconds(length), _float(part) if colon else 1.0
    except BenchError:
        length_s, share_of_it = 0.0, 0.0
    if not 0 < share_of_it < math.inf or not 0 < length_s < math.inf:
        raise BenchError(
            f"{word!r} is not a length with a share above 0; write it as 30s:0.7,90s:0.3"
        )
    return length_s, share_of_it


def label(text: str) -> tuple[str, str]:
    """Read a label, KEY=VALUE."""
    key, sign, value = text.partition("=")
    if not (sign and key):
        raise BenchError("write KEY=VALUE")
    return key, value


def toleration(text: str) -> dict[str, str]:
    """Read a Pod's toleration: KEY, KEY=VALUE, KEY:EFFECT or KEY=VALUE:EFFECT."""
    match = _TOLERATION.fullmatch(text)
    effect = match and match["effect"]
    if match is None or (effect and effect not in _EFFECTS):
        raise BenchError(
            f"write KEY[=VALUE][:EFFECT], where EFFECT is one of {', '.join(_EFFECTS)}"
        )
    fields = {"key": match["key"], "operator": "Exists" if match["value"] is None else "Equal"}
    fields |= {} if match["value"] is None else {"value": match["value"]}
    return fields | ({"effect": effect} if effect else {})


def _float(text: str) -> float:
    """Return a number, NaN if the text is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
