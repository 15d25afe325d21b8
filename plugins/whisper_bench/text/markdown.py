"""Markdown's own signs: data that stays data, and tables that are readable raw."""

import re
from collections.abc import Sequence

from whisper_bench.text.plain import plain

_SPECIAL = re.compile(r"[\\`*<>|\[\]~]|(?<!\w)_|_(?!\w)")
_BLOCK = re.compile(r"^(\d*)([#+=.)-])")
"""What would begin a heading, a list or a rule where it begins a line."""


def sentence(text: str) -> str:
    """Keep a line of data from being read as markup, also where it begins a line."""
    return _BLOCK.sub(r"\1\\\2", escaped(text))


def escaped(text: str) -> str:
    """Keep data from being read as markup; a line is a line."""
    line = plain(" ".join(text.split())).replace("&", "&amp;")
    return _SPECIAL.sub(lambda found: _ENTITIES.get(found[0], f"\\{found[0]}"), line)


_ENTITIES = {"<": "&lt;", ">": "&gt;"}


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, words: bool = False) -> list[str]:
    """Return a table's lines; all columns to the left where they are `words`, else the first."""
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
