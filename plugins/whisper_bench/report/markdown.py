"""A sizing as Markdown, for a review: readable raw as well."""

from whisper_bench.report.document import Block, Bullets, Notice, Plot, Table
from whisper_bench.report.sections import document_of
from whisper_bench.sizing.sizing_report import SizingReport
from whisper_bench.text.markdown import escaped, sentence, table


def markdown_report(report: SizingReport) -> str:
    """Return the report, which ends with a newline."""
    document = document_of(report)
    lines = [f"# {escaped(document.title)}", ""]
    for block in document.answer:
        lines += _lines(block)
    for section in document.sections:
        lines += [f"## {escaped(section.title)}", ""]
        for block in section.blocks:
            lines += _lines(block)
    return "\n".join(lines).rstrip() + "\n"


def _lines(block: Block) -> list[str]:
    match block:
        case Table(head=head, rows=rows, words=words):
            return [*table(head, rows, words=words), ""]
        case Bullets(items):
            return [*(f"- {sentence(item)}" for item in items), ""]
        case Notice(text):
            return [f"> **{escaped(text)}**", ""]
        case Plot():  # the HTML has it; its figures stand in the table beside it
            return []
        case text:
            return [sentence(text), ""]
