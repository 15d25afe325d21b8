"""A file cut into its documents where Kubernetes cuts it: before a line that begins with ---.

After `YAMLReader` in k8s.io/apimachinery/pkg/util/yaml. Only the documents that matter are read
then: one that our YAML reader cannot read does not stop the Deployment from being edited.
"""

import re

import msgspec

from whisper_bench.errors import BenchError

_SEPARATOR = re.compile(r"^---(.*)$", re.MULTILINE)
_FIRST_LINE = re.compile(r"^[ \t\r]*(?![ \t\r]*(?:#|$))(.*)$", re.MULTILINE)
_KIND = re.compile(
    r"""^["']?kind["']?[ \t]*:[ \t]+["']?([A-Za-z]+)["']?[ \t]*(?:#.*)?\r?$""", re.MULTILINE
)


class Piece(msgspec.Struct, frozen=True):
    """One document's text, which begins at `start` after `lines_before` lines; `number` from 1."""

    text: str
    start: int
    lines_before: int
    number: int

    @property
    def written_kind(self) -> str | None:
        """The kind that the text names at its left edge; None if it names none, or several."""
        kinds = set(_KIND.findall(self.text))
        return kinds.pop() if len(kinds) == 1 else None


def document_pieces(text: str, where: str) -> list[Piece]:
    """Return the documents of a file that are not empty.

    Raises:
        BenchError: the file has what Kubernetes never reads: text after ---, or a directive such
            as %YAML; the message has the line.

    """
    starts = [0]
    for separator in _SEPARATOR.finditer(text):
        rest = separator[1].strip()
        if rest and not rest.startswith("#"):
            line = text.count("\n", 0, separator.start()) + 1
            raise BenchError(
                f"{where}, line {line}: {rest[:40]!r} stands after ---, where Kubernetes allows "
                "only a comment; write it on the next line"
            )
        if separator.start():
            starts.append(separator.start())
    pieces: list[Piece] = []
    lines_before = 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        piece = Piece(text[start:end], start, lines_before, len(pieces) + 1)
        lines_before += piece.text.count("\n")
        if _has_content(piece, where):
            pieces.append(piece)
    return pieces


def _has_content(piece: Piece, where: str) -> bool:
    """Tell whether there is more than comments; refuse a directive, as Kubernetes does."""
    content = piece.text.removeprefix("---")
    first = _FIRST_LINE.search(content)
    if first is not None and first[1].startswith("%"):
        line = piece.lines_before + content.count("\n", 0, first.start(1)) + 1
        raise BenchError(
            f"{where}, line {line}: Kubernetes cannot read a file with a directive "
            f"({first[1][:20]!r}); remove that line"
        )
    return first is not None
