"""The four ways to put a value into YAML text, each as an edit of the text."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.yaml.nodes import AliasNode, MappingNode, Node, ScalarNode, SequenceNode
from whisper_bench.yaml.render import (
    Layout,
    block_lines,
    flow_pairs,
    flow_text,
    item_lines,
    layout_of,
    leaf_text,
)

_LINE_END = re.compile(r"\r\n|\n|\r|\Z")
_ANCHOR_AND_TAG = re.compile(r"(?:[&!]\S*[ \t]*)*")
_DASH = re.compile(r"[ \t]*-[ \t]+")


class Edit(msgspec.Struct, frozen=True):
    """Put `text` in the place of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


class Page(msgspec.Struct, frozen=True):
    """The text, and how it is laid out; `where` names it in messages."""

    text: str
    newline: str
    layout: Layout
    where: str

    def line_end(self, index: int) -> int:
        """Return the end of the line that an index is in, after its comment."""
        return _line_end(self.text, index).start()

    def refusal(self, node: Node, problem: str) -> BenchError:
        """Return an error that names the line of a value."""
        return BenchError(f"{self.where}, line {node.line}: {problem}")


class Spot(msgspec.Struct, frozen=True):
    """How a value was reached: its key, whether it is in braces, which alias repeats it."""

    path: str = ""
    key: Node | None = None
    flow: bool = False
    repeated: Node | None = None


def page_of(text: str, root: Node, where: str) -> Page:
    """Return the page of the document that has this root."""
    return Page(text, _line_end(text, 0).group() or "\n", layout_of(root), where)


def spliced(text: str, edits: list[Edit]) -> str:
    """Return the text with its edits; edits at the same place keep their order."""
    parts, done = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        parts += [text[done : edit.start], edit.text]
        done = edit.end
    return "".join([*parts, text[done:]])


def is_blank(page: Page, node: Node) -> bool:
    """Return whether a value is empty: null, no text, or empty braces or brackets."""
    if isinstance(node, ScalarNode):
        return node.null
    return page.text[node.start : node.end] in {"{}", "[]"}


def replaced(page: Page, node: ScalarNode, value: str | int, spot: Spot) -> Edit:
    """Write a value over another, in its quotes; an anchor and a tag stay."""
    _refuse_repeated(page, spot)
    return _written(page, node, leaf_text(value, '"' if page.layout.json else node.style))


def filled(page: Page, node: Node, value: Any, spot: Spot) -> Iterator[Edit]:
    """Write mappings or a list under a key that has no value yet."""
    _refuse_repeated(page, spot)
    if spot.flow or spot.key is None:
        yield _written(page, node, flow_text(value, page.layout))
        return
    # "resources: {}  # none yet" keeps its comment; the new value goes on the lines below
    yield Edit(len(page.text[: node.start].rstrip(" ")), node.end, "")
    _, *lines = block_lines("", value, spot.key.column, page.layout)
    yield _on_lines(page, node.end, lines)


def added(
    page: Page, node: MappingNode, missing: dict[str, Any], spot: Spot, after: dict[str, list[str]]
) -> Iterator[Edit]:
    """Write keys that a mapping does not have; `after` as in `patched`."""
    _refuse_repeated(page, spot)
    if node.flow:
        values = [value for _, value in node.pairs]
        yield _in_brackets(node, values, [flow_pairs(missing, page.layout)])
        return
    column = node.pairs[0][0].column
    for key, value in missing.items():
        place = _place_of(node, after.get(key), spot)
        yield _on_lines(page, place, block_lines(key, value, column, page.layout))


def appended(page: Page, node: SequenceNode, missing: list[dict[str, Any]], spot: Spot) -> Edit:
    """Write items at the end of a list, with dashes like those of its first."""
    _refuse_repeated(page, spot)
    if node.flow:
        return _in_brackets(node, node.items, [flow_text(item, page.layout) for item in missing])
    first = node.items[0]
    lead = page.text[first.start - first.column : first.start]
    if not _DASH.fullmatch(lead):
        # the dash is on a line of its own, and the list begins with it
        lead = " " * node.column + "-".ljust(first.column - node.column)
    lines = [line for item in missing for line in item_lines(item, lead, page.layout)]
    return _on_lines(page, node.end, lines)


def _place_of(node: MappingNode, after: list[str] | None, spot: Spot) -> int:
    if after == [] and spot.key is not None:
        return spot.key.end
    earlier = [
        value.end
        for key, value in node.pairs
        if isinstance(key, ScalarNode) and key.value in (after or [])
    ]
    return max(earlier, default=node.end)


def _written(page: Page, node: Node, text: str) -> Edit:
    value = _ANCHOR_AND_TAG.match(page.text, node.start, node.end)
    start = node.start if value is None else value.end()
    glued = start == node.end and not page.text[:start].endswith((" ", "\t"))
    return Edit(start, node.end, f" {text}" if glued else text)


def _on_lines(page: Page, index: int, lines: list[str]) -> Edit:
    # inserted before the line end, so that a last line without one still has none
    end = page.line_end(index)
    return Edit(end, end, "".join(page.newline + line for line in lines))


def _in_brackets(node: MappingNode | SequenceNode, members: list[Node], texts: list[str]) -> Edit:
    if not members:
        return Edit(node.end - 1, node.end - 1, ", ".join(texts))
    end = members[-1].end
    return Edit(end, end, "".join(f", {text}" for text in texts))


def _line_end(text: str, index: int) -> "re.Match[str]":
    match = _LINE_END.search(text, index)
    assert match is not None
    return match


def _refuse_repeated(page: Page, spot: Spot) -> None:
    node = spot.repeated
    if node is None:
        return
    if isinstance(node, AliasNode):
        reason = "is merged in with <<" if node.name == "<<" else f"is the alias {node.name}"
    else:
        reason = f"has the anchor &{node.anchor}, which an alias repeats"
    raise page.refusal(
        node,
        f"{spot.path} must change, but its value {reason}: other places would change too; write "
        "the value out in each place, without an alias",
    )
