"""Kubernetes' strategic merge: mappings key by key, lists of named items name by name."""

from typing import Any

import msgspec

from whisper_bench.pod.quantity import Quantity, amount
from whisper_bench.yaml.meaning import scalar_of
from whisper_bench.yaml.nodes import ScalarNode


class ByIndex(msgspec.Struct, frozen=True):
    """A patch of one item of a list whose items have no names."""

    index: int
    patch: dict[str, Any]


def merged(old: Any, want: Any) -> Any:
    """Return data with a patch merged in; a value that means the same stays as it is."""
    if isinstance(want, dict):
        base = old or {}
        return base | {key: merged(base.get(key), value) for key, value in want.items()}
    if isinstance(want, list):
        return _merged_list(old or [], want)
    if isinstance(want, ByIndex):
        items = list(old)
        items[want.index] = merged(items[want.index], want.patch)
        return items
    return old if _means(old, want) else want


def has_value(node: ScalarNode, want: str | int) -> bool:
    """Return whether a value in the text has the wanted meaning and type."""
    return _means(scalar_of(node), want)


def _merged_list(old: list[Any], want: list[dict[str, Any]]) -> list[Any]:
    if not all("name" in item for item in want):
        return want
    patches = {item["name"]: item for item in want}
    kept = [
        merged(item, patches.pop(name)) if (name := _name(item)) in patches else item
        for item in old
    ]
    return kept + list(patches.values())


def _name(item: Any) -> Any:
    """Return an item's name; None if it is not text."""
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else None


def _means(old: Any, want: str | int) -> bool:
    if isinstance(want, Quantity):
        number = isinstance(old, str | int | float) and not isinstance(old, bool)
        return number and amount(str(old)) == amount(want)
    return type(old) is type(want) and old == want
