"""Kubernetes' strategic merge: mappings key by key, lists of named things name by name."""

import re
from typing import Any

from whisper_bench.manifests.nodes import ScalarNode
from whisper_bench.manifests.quantity import Quantity, amount

_NOT_TEXT = re.compile(
    r"""~|null|true|false|yes|no|on|off|y|n|
    [-+]?(?:0x[\da-f_]+|0o?[0-7_]+|0b[01_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[-+]?\d+)?)|
    [-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.\d*)?|
    [-+]?\.inf|\.nan|\d{4}-\d\d?-\d\d?(?:[Tt\s].*)?|""",
    re.IGNORECASE | re.VERBOSE,
)
"""Plain text that a reader of YAML 1.1 or 1.2 takes for something other than a string."""


def merged(old: Any, want: Any) -> Any:
    """Return data with a patch merged in; a value that means the same stays as it is."""
    if isinstance(want, dict):
        base = old or {}
        return base | {key: merged(base.get(key), value) for key, value in want.items()}
    if isinstance(want, list):
        return _merged_list(old or [], want)
    return old if _means(old, want) else want


def in_step(node: ScalarNode, want: str | int) -> bool:
    """Return whether a value in the text is what it should be, in meaning and in type."""
    if isinstance(want, Quantity):
        return _means(node.value, want)
    if isinstance(want, int):
        return (
            node.plain and re.fullmatch(r"\d+", node.value) is not None and int(node.value) == want
        )
    return node.value == want and not (node.plain and _NOT_TEXT.fullmatch(node.value))


def _merged_list(old: list[Any], want: list[dict[str, Any]]) -> list[Any]:
    patches = {item["name"]: item for item in want}
    kept = [merged(item, patches.pop(_name(item), {})) for item in old]
    return kept + list(patches.values())


def _name(item: Any) -> Any:
    return item.get("name") if isinstance(item, dict) else None


def _means(old: Any, want: str | int) -> bool:
    if isinstance(want, Quantity):
        return isinstance(old, str | int | float) and amount(str(old)) == amount(want)
    return type(old) is type(want) and old == want
