"""YAML text made nodes, by ruamel.yaml's parser.

ruamel's writer is left aside: it folds long lines and evens out spacing, also far from a change.
With the place of every value known, what is not changed stays as it is by construction.
"""

import re
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from whisper_bench.errors import BenchError
from whisper_bench.manifests.nodes import (
    AliasNode,
    Document,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
)

_CRASHES = (RecursionError, ValueError, LookupError)
"""What ruamel raises beside its own errors, of lists in lists without end, of dates and numbers
that are none."""
_COLON = re.compile(r"[ \t]*:")


def parse(text: str, where: str) -> list[Document]:
    """Return the documents of a YAML text.

    Raises:
        BenchError: it is not YAML, or a mapping has a key twice; the message has line and column.

    """
    try:
        trees = _Builder(text).trees()
        data = YAML(typ="safe", pure=True).load_all(text)
        return [Document(*tree, each) for tree, each in zip(trees, data, strict=True)]
    except (YAMLError, *_CRASHES) as error:
        raise BenchError(f"{where}{_problem(error, text)}") from error


class _Builder:
    """Takes one event after another; anchors hold within a document."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._events = YAML(typ="safe", pure=True).parse(text)
        self._anchors: dict[str, Node] = {}
        self._shared: set[int] = set()

    def trees(self) -> list[tuple[Node, frozenset[int]]]:
        found = []
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                self._anchors, self._shared = {}, set()
                found.append((self._node(next(self._events)), frozenset(self._shared)))
        return found

    def _node(self, event: Any) -> Node:
        if isinstance(event, AliasEvent):
            return self._alias(event)
        if isinstance(event, ScalarEvent):
            node: Node = self._scalar(event)
        elif isinstance(event, MappingStartEvent):
            node = self._mapping(event)
        else:
            node = self._sequence(event)
        if node.anchor is not None:
            self._anchors[node.anchor] = node
        return node

    def _alias(self, event: Any) -> AliasNode:
        target = self._anchors.get(event.anchor)
        if target is None:
            raise MarkedYAMLError(
                problem=f"the alias *{event.anchor} comes before the end of its anchor",
                problem_mark=event.start_mark,
            )
        self._shared.add(target.start)
        place = _place(event) | {"anchor": None}
        return AliasNode(**place, end=event.end_mark.index, name=f"*{event.anchor}", target=target)

    def _scalar(self, event: Any) -> ScalarNode:
        style = event.style or ""
        end = event.end_mark.index
        if style in {"|", ">"}:
            # the event ends where the next line begins
            end = len(self._text[:end].rstrip())
        tagged = event.tag is not None
        return ScalarNode(**_place(event), end=end, value=event.value, style=style, tagged=tagged)

    def _behind(self, key: Node, value: Node) -> Node:
        """Put a value that is nothing behind its colon; ruamel has it before the next token."""
        colon = _COLON.match(self._text, key.end)
        if value.start < value.end or colon is None:
            return value
        place = {"start": colon.end(), "end": colon.end(), "line": key.line}
        return msgspec.structs.replace(value, **place)

    def _mapping(self, event: Any) -> MappingNode:
        pairs = []
        while not isinstance(last := next(self._events), MappingEndEvent):
            key = self._node(last)
            pairs.append((key, self._behind(key, self._node(next(self._events)))))
        flow = bool(event.flow_style)
        # a block's own end is where the next token begins, past comments
        end = last.end_mark.index if flow else pairs[-1][1].end
        return MappingNode(**_place(event), end=end, pairs=pairs, flow=flow)

    def _sequence(self, event: Any) -> SequenceNode:
        items = []
        while not isinstance(last := next(self._events), SequenceEndEvent):
            items.append(self._node(last))
        flow = bool(event.flow_style)
        end = last.end_mark.index if flow else items[-1].end
        return SequenceNode(**_place(event), end=end, items=items, flow=flow)


def _place(event: Any) -> dict[str, Any]:
    mark = event.start_mark
    return {
        "start": mark.index,
        "line": mark.line + 1,
        "column": mark.column,
        "anchor": event.anchor,
    }


def _problem(error: Exception, text: str) -> str:
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        problem = " ".join(str(error).split())
        return f": not YAML: a value in it cannot be read ({problem}); find it and mend it"
    mark = error.problem_mark
    if text[mark.index : mark.index + 1] == "\t":
        remedy = "YAML is indented with spaces: write spaces in the place of the tab"
    elif "{{" in text:
        remedy = "a template (Helm, Jinja) is edited in its values, or after it was rendered"
    else:
        remedy = "mend it there"
    problem = " ".join(str(error.problem).split())
    return f", line {mark.line + 1}, column {mark.column + 1}: not YAML: {problem}; {remedy}"
