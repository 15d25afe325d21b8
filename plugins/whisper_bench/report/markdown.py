"""A sizing as Markdown, for a review: readable raw as well."""

import re

from whisper_bench.report.document import Block, Bullets, Notice, Plot, Table
from whisper_bench.report.sections import document_of
from whisper_bench.report.words import printable
from whisper_bench.sizing.report import SizingReport

_SPECIAL = re.compile(r"[\\`*<>|\[\]~]|(?<!\w)_|_(?!\w)")
_BLOCK = re.compile(r"^(\d*)([#+=.)-])")
"""What would begin a heading, a list or a rule where it begins a line."""


def markdown_report(report: SizingReport) -> str:
    """Return the report, which ends with a newline."""
    document = document_of(report)
    lines = [f"# {_escaped(document.title)}", ""]
    for block in document.answer:
        lines += _lines(block)
    for section in document.sections:
        lines += [f"## {_escaped(section.title)}", ""]
        for block in section.blocks:
            lines += _lines(block)
    return "\n".join(lines).rstrip() + "\n"


def _lines(block: Block) -> list[str]:
    match block:
        case Table():
            return [*_table(block), ""]
        case Bullets(items):
            return [*(f"- {_sentence(item)}" for item in items), ""]
        case Notice(text):
            return [f"> **{_escaped(text)}**", ""]
        case Plot():  # the HTML has it; its figures stand in the table beside it
            return []
        case text:
            return [_sentence(text), ""]


def _sentence(text: str) -> str:
    return _BLOCK.sub(r"\1\\\2", _escaped(text))


def _escaped(text: str) -> str:
    """Keep data from being read as markup; a line is a line."""
    plain = " ".join(printable(text).split()).replace("&", "&amp;")
    return _SPECIAL.sub(lambda found: _ENTITIES.get(found[0], f"\\{found[0]}"), plain)


_ENTITIES = {"<": "&lt;", ">": "&gt;"}


def _table(table: Table) -> list[str]:
    cells = [[_escaped(cell) for cell in row] for row in (table.head, *table.rows)]
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    left = [table.words or place == 0 for place in range(len(widths))]
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
    head, *rows = (f"| {' | '.join(row)} |" for row in padded)
    return [head, f"| {' | '.join(rule)} |", *rows]
