"""A sizing as one HTML page that needs no network and no script."""

import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files

from whisper_bench.report.document import Block, Bullets, Document, Notice, Plot, Section, Table
from whisper_bench.report.sections import document_of
from whisper_bench.sizing.sizing_report import SizingReport
from whisper_bench.text.plain import plain


def html_report(report: SizingReport) -> str:
    """Return the page; the same report gives the same page. Needs matplotlib."""
    from whisper_bench.report.plots import plots_of

    return html_page(document_of(report), plots_of(report))


def html_page(document: Document, plots: Mapping[str, str]) -> str:
    """Return a document with its plots (SVG by name) as a page."""
    css = files("whisper_bench.report").joinpath("report.css").read_text(encoding="utf-8")
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_escaped(document.title)}</title>",
        f"<style>\n{css}</style>",
        "</head>",
        "<body>",
        "<header>" if document.feasible else '<header class="no">',
        f"<h1>{_escaped(document.title)}</h1>",
        '<div class="card">',
        *(_block(block, plots) for block in document.answer),
        "</div>",
        _contents(document),
        "</header>",
        "<main>",
        *(_section(section, plots) for section in document.sections),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _contents(document: Document) -> str:
    items = "\n".join(
        f'<li><a href="#{_anchor(section.title)}">{_escaped(section.title)}</a></li>'
        for section in document.sections
    )
    return (
        f"<nav>\n<details>\n<summary>Contents</summary>\n<ul>\n{items}\n</ul>\n</details>\n</nav>"
    )


def _section(section: Section, plots: Mapping[str, str]) -> str:
    anchor = _anchor(section.title)
    drawn = [block for block in section.blocks if isinstance(block, Plot)]
    texts = [block for block in section.blocks if not isinstance(block, Plot)]
    beside = ' class="beside"' if drawn else ""
    lines = [
        f'<section id="{anchor}" aria-labelledby="{anchor}-title"{beside}>',
        f'<h2 id="{anchor}-title">{_escaped(section.title)}</h2>',
    ]
    if drawn:
        lines += [*(_block(block, plots) for block in drawn), "<div>"]
    lines += [_block(block, plots) for block in texts]
    return "\n".join([*lines, "</div>", "</section>"] if drawn else [*lines, "</section>"])


def _block(block: Block, plots: Mapping[str, str]) -> str:
    match block:
        case Table():
            return _table(block)
        case Bullets(items):
            return "\n".join(["<ul>", *(f"<li>{_escaped(item)}</li>" for item in items), "</ul>"])
        case Notice(text):
            return f'<p class="notice">{_escaped(text)}</p>'
        case Plot():
            return _figure(block, plots[block.name])
        case text:
            return f"<p>{_escaped(text)}</p>"


def _figure(plot: Plot, svg: str) -> str:
    named = svg.replace("<svg ", f'<svg role="img" aria-label="{_escaped(plot.label)}" ', 1)
    return f"<figure>\n{named}\n<figcaption>{_escaped(plot.caption)}</figcaption>\n</figure>"


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_escaped(cell)}</th>' for cell in table.head)
    # a wide table scrolls by itself, with the keyboard as well
    return "\n".join(
        [
            f'<div class="scroll" role="region" aria-label="{_escaped(table.title)}" tabindex="0">',
            f'<table class="{"words" if table.words else "figures"}">',
            f"<thead><tr>{head}</tr></thead>",
            "<tbody>",
            *(_row(row, chosen=place == table.chosen) for place, row in enumerate(table.rows)),
            "</tbody>",
            "</table>",
            "</div>",
        ]
    )


def _row(row: tuple[str, ...], *, chosen: bool) -> str:
    first, *rest = map(_escaped, row)
    opened = '<tr class="chosen">' if chosen else "<tr>"
    cells = "".join(f"<td>{cell}</td>" for cell in rest)
    return f'{opened}<th scope="row">{first}</th>{cells}</tr>'


def _anchor(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower()).strip("-")


def _escaped(text: str) -> str:
    """Keep data from being read as markup."""
    return escape(plain(text), quote=True)
