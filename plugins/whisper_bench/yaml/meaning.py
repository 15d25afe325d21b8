"""The data that a YAML document means to Kubernetes, from its nodes."""

from typing import Any

import msgspec

from whisper_bench.yaml.nodes import (
    AliasNode,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    UnclearYamlError,
    YamlError,
)
from whisper_bench.yaml.scalars import Scalar, meaning

MOST_VALUES = 1_000_000
"""Values of a document with its aliases written out: an object of Kubernetes is at most 1.5 MiB
(etcd's limit of a request), and go-yaml refuses what aliases make much larger."""


class _Meaning(msgspec.Struct, frozen=True):
    """The data of a node, and how many values it has with its aliases written out."""

    data: Any
    values: int


def data_of(root: Node) -> Any:
    """Return a document's data: mappings with text as keys, lists, and JSON's single values.

    Raises:
        YamlError: Kubernetes does not read it, or readers differ on what it means.

    """
    return _Reading().meaning_of(root).data


class _Reading:
    """Reads a value that aliases repeat once, and counts it each time."""

    def __init__(self) -> None:
        self._known: dict[int, _Meaning] = {}

    def meaning_of(self, node: Node) -> _Meaning:
        if isinstance(node, AliasNode):
            return self.meaning_of(node.target)
        known = self._known.get(id(node))
        if known is not None:
            return known
        if isinstance(node, ScalarNode):
            result = _Meaning(scalar_of(node), 1)
        elif isinstance(node, SequenceNode):
            items = [self.meaning_of(item) for item in node.items]
            count = 1 + sum(item.values for item in items)
            result = _Meaning([item.data for item in items], count)
        else:
            assert isinstance(node, MappingNode)
            result = self._mapping(node)
        if result.values > MOST_VALUES:
            raise YamlError(
                node,
                f"with its aliases written out it has more than {MOST_VALUES} values",
                "repeat less with aliases",
            )
        if node.anchor is not None:
            self._known[id(node)] = result
        return result

    def _mapping(self, node: MappingNode) -> _Meaning:
        """Return keys and values; the mapping's own key wins over one that was merged in."""
        data: dict[str, Any] = {}
        own: dict[str, Node] = {}
        values = 1
        for key, value in node.pairs:
            meaning_of_value = self.meaning_of(value)
            values += meaning_of_value.values
            if is_merge(key):
                merged = self._merged(value)
                _refuse_both(key, own, merged)
                data |= merged
                continue
            name = _key_of(key)
            if name in own:
                raise UnclearYamlError(
                    key,
                    f'the key "{name}" is written twice, first in line {own[name].line}',
                    "keep one of them",
                )
            own[name] = key
            data[name] = meaning_of_value.data
        return _Meaning(data, values)

    def _merged(self, source: Node) -> dict[str, Any]:
        """Return what `<<` merges in; of several mappings the first wins over the others."""
        value = self.meaning_of(source).data
        data: dict[str, Any] = {}
        for mapping in reversed(value) if isinstance(value, list) else [value]:
            if not isinstance(mapping, dict):
                raise YamlError(
                    source,
                    "the value of << is not a mapping or a list of mappings",
                    "write a mapping, or remove <<",
                )
            data |= mapping
        return data


def is_merge(key: Node) -> bool:
    """Tell whether a key is `<<`, which merges its value in; in quotes it is a key like others."""
    return isinstance(key, ScalarNode) and key.merges


def scalar_of(node: ScalarNode) -> Scalar:
    """Return a single value.

    Raises:
        YamlError: Kubernetes does not read it.

    """
    try:
        return meaning(node.value, plain=not node.style, tag=node.tag)
    except ValueError as error:
        raise YamlError(node, str(error), "write another value") from error


def _refuse_both(merge: Node, own: dict[str, Node], merged: dict[str, Any]) -> None:
    # kubectl's reader lets the later one win here, others the mapping's own
    both = [name for name in own if name in merged]
    if both:
        raise UnclearYamlError(
            merge,
            f'"{both[0]}" is written in line {own[both[0]].line}, and merged in again by the << '
            "below it",
            "move the << line up, before all other keys",
        )


def _key_of(node: Node) -> str:
    if not isinstance(node, ScalarNode):
        raise YamlError(
            node,
            "a key is a mapping or a list, and must be a single value",
            "write another key, or put it in quotes",
        )
    value = scalar_of(node)
    if value is None:
        raise YamlError(node, "a key is null", "write another key, or put it in quotes")
    return str(value).lower() if isinstance(value, bool) else str(value)
