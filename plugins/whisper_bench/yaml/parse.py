"""From YAML text to nodes, by ruamel.yaml's parser.

ruamel's writer is not used: it folds long lines and changes spacing, also far from a change. The
place of every value is known here, so that only what changes is written. ruamel's reading of values
is not used either: they mean what they mean to Kubernetes.
"""

import re
from typing import Any

import msgspec
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.error import YAMLError as RuamelError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from whisper_bench.errors import BenchError
from whisper_bench.yaml.meaning import data_of
from whisper_bench.yaml.nodes import (
    AliasNode,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    UnclearYamlError,
    YamlDocument,
    YamlError,
)
from whisper_bench.yaml.reader import events_of
from whisper_bench.yaml.split import Piece, document_pieces

_CRASHES = (RecursionError, ValueError, LookupError)
"""What ruamel raises beside its own errors, for lists nested too deep and for odd escapes."""
_COLON = re.compile(r"[ \t]*:")
_ODD_LINE_ENDS = re.compile("[\x85\u2028\u2029]")


def parse(text: str, where: str) -> list[YamlDocument]:
    """Return the documents of a YAML text that are not empty, as Kubernetes reads them.

    Raises:
        BenchError: one cannot be read; the message has line and column, and says where that may be
            our reader's fault.

    """
    documents = (parse_piece(piece, where) for piece in document_pieces(text, where))
    return [document for document in documents if document is not None]


def parse_piece(piece: Piece, where: str) -> YamlDocument | None:
    """Return one document of a file; None if it is empty.

    Raises:
        BenchError: as `parse`.

    """
    try:
        builder = _Builder(piece)
        root = builder.root()
        if root is None:
            return None
        return YamlDocument(piece.text, piece.start, root, frozenset(builder.shared), data_of(root))
    except YamlError as fault:
        raise BenchError(
            f"{where}, line {fault.node.line}: {fault.verdict}: {fault.problem}; "
            f"{fault.remedy}{_template_remedy(piece)}"
        ) from fault
    except (RuamelError, *_CRASHES) as error:
        raise BenchError(f"{where}{_problem(error, piece)}") from error


class _Builder:
    """Takes one event after another; anchors hold within a document."""

    def __init__(self, piece: Piece) -> None:
        self.shared: set[int] = set()
        self._text = piece.text
        self._lines_before = piece.lines_before
        self._events = events_of(piece.text)
        self._anchors: dict[str, Node] = {}
        self._quoted: list[tuple[int, int]] = []

    def root(self) -> Node | None:
        """Return the one document's root; None where it is empty."""
        root: Node | None = None
        for event in self._events:
            if not isinstance(event, DocumentStartEvent):
                continue
            node = self._node(next(self._events))
            if root is not None:
                raise YamlError(
                    node,
                    "a second document begins here, without a line --- before it",
                    "write --- on a line of its own before this line",
                )
            root = node
        if root is not None:
            self._refuse_odd_line_ends(root)
        return None if isinstance(root, ScalarNode) and root.null else root

    def _refuse_odd_line_ends(self, root: Node) -> None:
        for odd in _ODD_LINE_ENDS.finditer(self._text):
            if not any(start <= odd.start() < end for start, end in self._quoted):
                line = self._lines_before + self._text.count("\n", 0, odd.start()) + 1
                raise UnclearYamlError(
                    msgspec.structs.replace(root, line=line),
                    f"U+{ord(odd[0]):04X} is a line end for some readers only",
                    "remove it, or put the text in double quotes",
                )

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
            raise YamlError(
                Node(**self._place(event) | {"anchor": None}, end=event.end_mark.index),
                f"the alias *{event.anchor} has no complete anchor &{event.anchor} before it",
                f"write the value with &{event.anchor} first",
            )
        self.shared.add(target.start)
        place = self._place(event) | {"anchor": None}
        return AliasNode(**place, end=event.end_mark.index, name=f"*{event.anchor}", target=target)

    def _scalar(self, event: Any) -> ScalarNode:
        style = event.style or ""
        end = event.end_mark.index
        if style in {"|", ">"}:
            # the event ends where the next line begins
            end = len(self._text[:end].rstrip())
        place = self._place(event)
        if style in {"'", '"'}:
            self._quoted.append((place["start"], end))
        return ScalarNode(**place, end=end, value=event.value, style=style, tag=event.tag)

    def _behind(self, key: Node, value: Node) -> Node:
        """Put an empty value right after its colon; ruamel has it before the next token."""
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
        # ruamel ends a block where the next token begins, after comments
        end = last.end_mark.index if flow else pairs[-1][1].end
        return MappingNode(**self._place(event), end=end, pairs=pairs, flow=flow)

    def _sequence(self, event: Any) -> SequenceNode:
        items = []
        while not isinstance(last := next(self._events), SequenceEndEvent):
            items.append(self._node(last))
        flow = bool(event.flow_style)
        end = last.end_mark.index if flow else items[-1].end
        return SequenceNode(**self._place(event), end=end, items=items, flow=flow)

    def _place(self, event: Any) -> dict[str, Any]:
        mark = event.start_mark
        return {
            "start": mark.index,
            "line": self._lines_before + mark.line + 1,
            "column": mark.column,
            "anchor": event.anchor,
        }


def _problem(error: Exception, piece: Piece) -> str:
    """Say what our reader cannot read, and that Kubernetes' reader may read it."""
    check = "kubectl create --dry-run=client shows whether Kubernetes can read it"
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        problem = " ".join(str(error).split())
        return (
            f", document {piece.number}, from line {piece.lines_before + 1}: whisper-bench cannot "
            f"read this YAML ({problem}); correct it, or write it another way ({check})"
        )
    mark = error.problem_mark
    if piece.text[mark.index : mark.index + 1] == "\t":
        remedy = "YAML is indented with spaces: write spaces instead of the tab"
    elif template := _template_remedy(piece):
        remedy = template.removeprefix("; ")
    else:
        remedy = f"correct it, or write it another way ({check})"
    problem = " ".join(str(error.problem).split())
    return (
        f", document {piece.number}, line {piece.lines_before + mark.line + 1}, column "
        f"{mark.column + 1}: whisper-bench cannot read this YAML: {problem}; {remedy}"
    )


def _template_remedy(piece: Piece) -> str:
    if "{{" not in piece.text:
        return ""
    return "; this looks like a template (Helm, Jinja): edit its values, or the rendered file"
