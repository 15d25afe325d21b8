"""A gate as Markdown: an artifact, and the job's summary."""

from whisper_bench.gate.report import Answer, GateReport
from whisper_bench.gate.text import HEAD, case_rows, side_rows
from whisper_bench.gate.words import allowed_text, one_line
from whisper_bench.text.markdown import escaped, table

_SIGNS = {Answer.PASS: "✅", Answer.FAIL: "❌", Answer.NO_EVIDENCE: "⚠️"}


def gate_markdown(report: GateReport) -> str:
    """Return the summary, with answer and reason in its first line; it ends with a newline."""
    lines = [f"## {_SIGNS[report.answer]} {escaped(one_line(report))}", ""]
    lines += [f"- {name}: {escaped(text)}" for name, text in side_rows(report)]
    lines += [
        f"- {allowed_text(report)}",
        "",
    ]
    if report.cases:
        lines += [*table((*HEAD[:-1], "answer"), case_rows(report.cases)), ""]
    rows = [(check.name, str(check.answer), check.message) for check in report.checks]
    lines += [*table(("check", "answer", "details"), rows, words=True), ""]
    lines += [f"- {escaped(note)}" for note in report.notes]
    return "\n".join(lines).rstrip() + "\n"
