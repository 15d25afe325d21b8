"""YAML as nodes that know their place in the text."""

from typing import Any

import msgspec

from whisper_bench.yaml.scalars import meaning

_NULLS = {"", "~", "null", "Null", "NULL"}


class YamlError(Exception):
    """YAML that Kubernetes cannot read, with its node and a remedy."""

    verdict = "Kubernetes cannot read this"

    def __init__(self, node: "Node", problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.node = node
        self.problem = problem
        self.remedy = remedy


class UnclearYamlError(YamlError):
    """YAML that Kubernetes reads, and other programs or versions may read differently."""

    verdict = "YAML readers disagree on what this means"


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
        """Whether its text alone decides its type."""
        return not self.style and self.tag is None

    @property
    def text(self) -> str | None:
        """The text that Kubernetes reads; None if it reads a number, a boolean or null."""
        value = meaning(self.value, plain=not self.style, tag=self.tag)
        return value if isinstance(value, str) else None

    @property
    def merges(self) -> bool:
        """Whether it is the key `<<`, which merges its value in; in quotes it is like others."""
        return self.value == "<<" and (self.plain or self.tag == "tag:yaml.org,2002:merge")

    @property
    def null(self) -> bool:
        """Whether it is null or empty."""
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
    """A value that is written elsewhere; `name` says how it is repeated: "*anchor" or "<<"."""

    name: str
    target: Node


class YamlDocument(msgspec.Struct, frozen=True):
    """One YAML document: as nodes, and as the `data` that they mean to Kubernetes.

    `start` and `end` of a node count in the document's `text`, which begins at `start` in the file;
    its `line` counts in the file. `shared` are the starts of the nodes that aliases repeat.
    """

    text: str
    start: int
    root: Node
    shared: frozenset[int]
    data: Any


def without_alias(node: Node) -> Node:
    """Return the value that an alias repeats, any other node as it is."""
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
    return next((pair for pair in merges if pair is not None), None)


def value_at(node: Node, *keys: str) -> Node | None:
    """Return the value under keys of mappings, aliases followed; None if there is none."""
    for key in keys:
        pair = pair_of(node, key)
        if pair is None:
            return None
        node = without_alias(pair[1])
    return node


def text_at(node: Node, *keys: str) -> str | None:
    """Return the text of the single value under keys; None if it is missing or is no text."""
    value = value_at(node, *keys)
    return value.text if isinstance(value, ScalarNode) else None


def _merged(source: Node, key: str) -> tuple[Node, Node] | None:
    target = without_alias(source)
    for mapping in target.items if isinstance(target, SequenceNode) else [target]:
        pair = pair_of(without_alias(mapping), key)
        if pair is not None:
            name, value = pair
            return name, AliasNode(
                start=source.start,
                end=source.end,
                line=source.line,
                column=source.column,
                name="<<",
                target=value,
            )
    return None
