"""Markdown: data escaped so that it is not markup, and tables that are readable as plain text."""

import re
from collections.abc import Sequence

from whisper_bench.text.plain import plain

_SPECIAL = re.compile(r"[\\`*<>|\[\]~]|(?<!\w)_|_(?!\w)")
_BLOCK = re.compile(r"^(\d*)([#+=.)-])")
"""What begins a heading, a list or a rule at the start of a line."""


def sentence(text: str) -> str:
    """Escape data that may begin a line."""
    return _BLOCK.sub(r"\1\\\2", escaped(text))


def escaped(text: str) -> str:
    """Escape data so that it is not read as markup; line ends become spaces."""
    line = plain(" ".join(text.split())).replace("&", "&amp;")
    return _SPECIAL.sub(lambda match: _ENTITIES.get(match[0], f"\\{match[0]}"), line)


_ENTITIES = {"<": "&lt;", ">": "&gt;"}


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, words: bool = False) -> list[str]:
    """Return a table's lines; the first column is aligned left, and all of them if `words`."""
    cells = [[escaped(cell) for cell in row] for row in (head, *rows)]
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    left = [words or place == 0 for place in range(len(widths))]
    padded = [
        [
            cell.ljust(width) if to_left else cell.rjust(width)
            for cell, width, to_left in zip(row, widths, left, strict=True)
        ]
        for row in cells
    ]
    rule = [
        "-" * width if to_left else "-" * (width - 1) + ":"
        for width, to_left in zip(widths, left, strict=True)
    ]
    first, *rest = (f"| {' | '.join(row)} |" for row in padded)
    return [first, f"| {' | '.join(rule)} |", *rest]
