"""A gate as the terminal shows it."""

from collections.abc import Iterable

from whisper_bench.gate.report import Answer, CaseAnswer, Check, GateReport, SideFacts
from whisper_bench.gate.words import allowed_text, change_within, one_line
from whisper_bench.text.table import table_lines

HEAD = ("case", "decided on", "baseline", "candidate", "slowdown", "against itself", "pairs", "")


def gate_lines(report: GateReport) -> list[str]:
    """Return the sides, the checks, the cases, what else differs, and the answer last."""
    return [
        *_sides(report),
        "",
        *(line for check in report.checks for line in _check_lines(check)),
        *_cases(report.cases),
        *(f"note: {note}" for note in report.notes),
        "",
        one_line(report),
    ]


def _check_lines(check: Check) -> list[str]:
    return f"{_MARKS[check.answer]} {check.name}: {check.message}".split("\n")


def case_rows(cases: Iterable[CaseAnswer]) -> list[tuple[str, ...]]:
    """Return a table's rows, one per case."""
    return [
        (
            case.case,
            str(case.metric),
            f"{case.baseline_s:.3f} s",
            f"{case.candidate_s:.3f} s",
            change_within(case.look.slowdown),
            change_within(case.look.control),
            f"{case.look.pairs}",
            str(case.answer),
        )
        for case in cases
    ]


def side_rows(report: GateReport) -> list[tuple[str, str]]:
    """Return what ran on either side, in words."""
    sides = (("baseline", report.baseline), ("candidate", report.candidate))
    return [(name, _side(side)) for name, side in sides if side is not None]


def _sides(report: GateReport) -> list[str]:
    return [*(f"{name:9}  {text}" for name, text in side_rows(report)), allowed_text(report)]


def _cases(cases: list[CaseAnswer]) -> list[str]:
    return ["", *table_lines([HEAD, *case_rows(cases)])] if cases else []


def _side(side: SideFacts) -> str:
    return f"{side.what} on {side.cpu_model} ({side.architecture}, {side.instruction_set})"


_MARKS = {Answer.PASS: "ok  ", Answer.FAIL: "FAIL", Answer.NO_EVIDENCE: "?   "}
