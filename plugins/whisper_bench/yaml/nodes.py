"""YAML as nodes that know their place in the text."""

from typing import Any

import msgspec

from whisper_bench.yaml.scalars import meaning

_NULLS = {"", "~", "null", "Null", "NULL"}


class YamlError(Exception):
    """What Kubernetes does not read, with its node and a remedy."""

    verdict = "Kubernetes does not read this"

    def __init__(self, node: "Node", problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.node = node
        self.problem = problem
        self.remedy = remedy


class UnclearYamlError(YamlError):
    """What Kubernetes reads, and other readers, or another version of it, may read otherwise."""

    verdict = "readers differ on what this means"


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A value from `text[start]` up to `text[end]`, without the comments behind it.

    `line` counts from 1, `column` from 0. An anchor and a tag belong to the value.
    """

    start: int
    end: int
    line: int
    column: int
    anchor: str | None = None


class ScalarNode(Node, frozen=True, kw_only=True):
    """One value; `style` is its quote, "|" or ">", or "" where it has none, `tag` in full."""

    value: str
    style: str
    tag: str | None

    @property
    def plain(self) -> bool:
        """Whether its text alone tells its type."""
        return not self.style and self.tag is None

    @property
    def text(self) -> str | None:
        """The text that Kubernetes reads; None where it reads a number or the like."""
        found = meaning(self.value, plain=not self.style, tag=self.tag)
        return found if isinstance(found, str) else None

    @property
    def merges(self) -> bool:
        """Whether, as a key, it merges in what its value has; in quotes it is a key like others."""
        return self.value == "<<" and (self.plain or self.tag == "tag:yaml.org,2002:merge")

    @property
    def null(self) -> bool:
        """Whether it is nothing."""
        return self.plain and self.value in _NULLS


class MappingNode(Node, frozen=True, kw_only=True):
    """Keys with their values; `flow` where they stand in braces."""

    pairs: list[tuple[Node, Node]]
    flow: bool


class SequenceNode(Node, frozen=True, kw_only=True):
    """Items; `flow` where they stand in brackets."""

    items: list[Node]
    flow: bool


class AliasNode(Node, frozen=True, kw_only=True):
    """What stands elsewhere; `name` says how it came here: "*anchor" or "<<"."""

    name: str
    target: Node


class YamlDocument(msgspec.Struct, frozen=True):
    """One YAML document, twice: as nodes, and as the `data` that they mean to Kubernetes.

    Its nodes' places are those in its own `text`, which begins at `start` in the file; their lines
    are the file's. `shared` are the starts of the nodes that aliases repeat.
    """

    text: str
    start: int
    root: Node
    shared: frozenset[int]
    data: Any


def seen_through(node: Node) -> Node:
    """Return what an alias stands for, anything else as it is."""
    while isinstance(node, AliasNode):
        node = node.target
    return node


def pair_of(mapping: Node, key: str) -> tuple[Node, Node] | None:
    """Return a key and its value, which is an alias where it was merged in (`<<`)."""
    pairs = mapping.pairs if isinstance(mapping, MappingNode) else []
    named = [(name, value) for name, value in pairs if isinstance(name, ScalarNode)]
    for name, value in named:
        if name.value == key:
            return name, value
    merges = (_merged(value, key) for name, value in reversed(named) if name.merges)
    return next((found for found in merges if found is not None), None)


def value_at(node: Node, *keys: str) -> Node | None:
    """Return the value under keys of mappings, seen through aliases; None where there is none."""
    for key in keys:
        found = pair_of(node, key)
        if found is None:
            return None
        node = seen_through(found[1])
    return node


def text_at(node: Node, *keys: str) -> str | None:
    """Return the text of the single value under keys; None where it is none or a number."""
    found = value_at(node, *keys)
    return found.text if isinstance(found, ScalarNode) else None


def _merged(source: Node, key: str) -> tuple[Node, Node] | None:
    target = seen_through(source)
    for mapping in target.items if isinstance(target, SequenceNode) else [target]:
        found = pair_of(seen_through(mapping), key)
        if found is not None:
            name, value = found
            return name, AliasNode(
                start=source.start,
                end=source.end,
                line=source.line,
                column=source.column,
                name="<<",
                target=value,
            )
    return None
