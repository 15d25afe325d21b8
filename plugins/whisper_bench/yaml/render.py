"""Values as YAML text, in the layout of the file that they are written to."""

import json
import re
from typing import Any

import msgspec

from whisper_bench.yaml.nodes import MappingNode, Node, SequenceNode

_PLAIN_KEY = re.compile(r"[A-Za-z][\w./-]+", re.ASCII)
_PLAIN_TEXT = re.compile(r"\d+[KMGTPE]i|[A-Za-z]\w*_\w*", re.ASCII)
"""Quantities and names that no reader takes for anything but a string."""


class Layout(msgspec.Struct, frozen=True):
    """Columns from a key to those under it, from a key to its dashes, from a dash to its item.

    `json` where the whole document is in braces, so that keys are quoted.
    """

    step: int = 2
    dash: int = 0
    gap: int = 2
    json: bool = False


def layout_of(root: Node) -> Layout:
    """Return the layout of a document: that of its first nested mapping and its first list."""
    measures: dict[str, int] = {}
    _add_measures(root, measures)
    return Layout(**measures, json=isinstance(root, MappingNode) and root.flow)


def block_lines(key: str, value: Any, column: int, layout: Layout) -> list[str]:
    """Return a key and its value as lines that begin at a column."""
    head = f"{' ' * column}{key_text(key, layout)}:"
    if isinstance(value, dict):
        column += layout.step
        return [
            head,
            *(line for pair in value.items() for line in block_lines(*pair, column, layout)),
        ]
    if isinstance(value, list):
        lead = " " * (column + layout.dash) + "-".ljust(layout.gap)
        return [head, *(line for item in value for line in item_lines(item, lead, layout))]
    return [f"{head} {leaf_text(value, '')}"]


def item_lines(item: dict[str, Any], lead: str, layout: Layout) -> list[str]:
    """Return a mapping as an item of a list; `lead` is all that comes before it, such as "  - "."""
    column = len(lead)
    first, *others = [line for pair in item.items() for line in block_lines(*pair, column, layout)]
    return [lead + first[column:], *others]


def flow_text(value: Any, layout: Layout) -> str:
    """Return a value as it is written between braces and brackets."""
    if isinstance(value, dict):
        return f"{{{flow_pairs(value, layout)}}}"
    if isinstance(value, list):
        return f"[{', '.join(flow_text(item, layout) for item in value)}]"
    return leaf_text(value, '"' if layout.json else "")


def flow_pairs(value: dict[str, Any], layout: Layout) -> str:
    """Return the inside of the braces."""
    pairs = (f"{key_text(key, layout)}: {flow_text(item, layout)}" for key, item in value.items())
    return ", ".join(pairs)


def key_text(key: str, layout: Layout) -> str:
    """Return a key, quoted where it has to be."""
    plain = _PLAIN_KEY.fullmatch(key) and key.lower() not in {"null", "true", "false", "yes", "no"}
    return key if plain and not layout.json else leaf_text(key, '"')


def leaf_text(value: str | int, style: str) -> str:
    """Return a number, or a string in quotes of a style.

    Where the style is plain (""), a string goes without quotes only if no reader can take it for a
    number, a boolean or null.
    """
    if isinstance(value, int):
        return str(value)
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if style == "" and _PLAIN_TEXT.fullmatch(value):
        return value
    # YAML has JSON's escapes except surrogate pairs, and folds odd line ends
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in quoted)


def _add_measures(node: Node, measures: dict[str, int]) -> None:
    """Find each measure once, in the order of the text."""
    pairs = node.pairs if isinstance(node, MappingNode) and not node.flow else []
    for key, value in pairs:
        if isinstance(value, MappingNode) and not value.flow:
            measures.setdefault("step", value.pairs[0][0].column - key.column)
        if isinstance(value, SequenceNode) and not value.flow and value.anchor is None:
            measures.setdefault("dash", value.column - key.column)
            first = value.items[0]
            if first.line == value.line and first.start < first.end:
                measures.setdefault("gap", first.column - value.column)
        _add_measures(value, measures)
    if isinstance(node, SequenceNode):
        for item in node.items:
            _add_measures(item, measures)
