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


class _Meant(msgspec.Struct, frozen=True):
    data: Any
    values: int


def data_of(root: Node) -> Any:
    """Return a document's data: mappings with text as keys, lists, and JSON's single values.

    Raises:
        YamlError: Kubernetes does not read it, or readers differ on what it means.

    """
    return _Reading().meant(root).data


class _Reading:
    """What is repeated is read once, and counted each time."""

    def __init__(self) -> None:
        self._known: dict[int, _Meant] = {}

    def meant(self, node: Node) -> _Meant:
        if isinstance(node, AliasNode):
            return self.meant(node.target)
        known = self._known.get(id(node))
        if known is not None:
            return known
        if isinstance(node, ScalarNode):
            found = _Meant(scalar_of(node), 1)
        elif isinstance(node, SequenceNode):
            items = [self.meant(item) for item in node.items]
            found = _Meant([each.data for each in items], 1 + sum(each.values for each in items))
        else:
            assert isinstance(node, MappingNode)
            found = self._mapping(node)
        if found.values > MOST_VALUES:
            raise YamlError(
                node,
                f"with its aliases it has more than {MOST_VALUES} values",
                "write out what they repeat",
            )
        if node.anchor is not None:
            self._known[id(node)] = found
        return found

    def _mapping(self, node: MappingNode) -> _Meant:
        """Return keys and values; a key of its own goes before one that was merged in."""
        data: dict[str, Any] = {}
        own: dict[str, Node] = {}
        values = 1
        for key, value in node.pairs:
            meant = self.meant(value)
            values += meant.values
            if is_merge(key):
                merged = self._merged(value)
                _refuse_both(key, own, merged)
                data |= merged
                continue
            name = _key_of(key)
            if name in own:
                raise UnclearYamlError(
                    key,
                    f'the key "{name}" is there twice, first in line {own[name].line}',
                    "keep one of them",
                )
            own[name] = key
            data[name] = meant.data
        return _Meant(data, values)

    def _merged(self, source: Node) -> dict[str, Any]:
        """Return what `<<` brings; of several mappings the first goes before the others."""
        found = self.meant(source).data
        data: dict[str, Any] = {}
        for each in reversed(found) if isinstance(found, list) else [found]:
            if not isinstance(each, dict):
                raise YamlError(
                    source, "<< takes a mapping or a list of them", "write one, or take it out"
                )
            data |= each
        return data


def is_merge(key: Node) -> bool:
    """Tell whether a key merges in what its value has; in quotes it is a key like others."""
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
            f'"{both[0]}" is written in line {own[both[0]].line} and merged in with << below it',
            "write << first",
        )


def _key_of(node: Node) -> str:
    if not isinstance(node, ScalarNode):
        raise YamlError(
            node,
            "a key must be a single value, not a mapping or a list",
            "write a key, or quotes around it",
        )
    value = scalar_of(node)
    if value is None:
        raise YamlError(node, "a key must not be null", "write a key, or quotes around it")
    return str(value).lower() if isinstance(value, bool) else str(value)
