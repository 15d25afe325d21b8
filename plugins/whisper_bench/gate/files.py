"""A gate's files, and the CI job's summary."""

from pathlib import Path

from whisper_bench.errors import BenchError
from whisper_bench.files.json_output import checked_json
from whisper_bench.files.replacement import write_all_over
from whisper_bench.files.write_errors import reason_of
from whisper_bench.gate.junit import gate_junit
from whisper_bench.gate.markdown import gate_markdown
from whisper_bench.gate.report import GateReport

NAME = "gate"
KINDS = ("json", "md", "xml")
JOB_SUMMARY = "GITHUB_STEP_SUMMARY"
"""Variable that names the file whose Markdown GitHub shows on the job's page."""


def save_gate(report: GateReport, folder: Path) -> list[Path]:
    """Write gate.json, gate.md and gate.xml in a folder.

    Raises:
        BenchError: a field does not match its type, or a file cannot be written.

    """
    path = folder / f"{NAME}.json"
    contents = {
        path: checked_json(report, GateReport, str(path), "run the gate again"),
        folder / f"{NAME}.md": gate_markdown(report).encode(),
        folder / f"{NAME}.xml": gate_junit(report),
    }
    write_all_over(contents, option="--results")
    return list(contents)


def remove_older(folder: Path) -> None:
    """Remove an older gate's files, so that nobody takes them for this one's if it is killed.

    Raises:
        BenchError: one cannot be removed.

    """
    paths = [folder / f"{NAME}.{kind}" for kind in KINDS]
    for path in paths:  # before any is removed
        if path.is_dir() and not path.is_symlink():
            raise BenchError(
                f"{path}: this is a folder, but the gate writes a file with this name; move it "
                "away, or pass another folder with --results"
            )
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise BenchError(
                f"{path}: an older gate's file cannot be removed ({reason_of(error)}); remove it, "
                "or pass another folder with --results"
            ) from error


def add_to_job_summary(report: GateReport, path: Path) -> str | None:
    """Add the Markdown to the job's summary; return the problem, if any: the answer stays."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(gate_markdown(report))
    except OSError as error:
        return f"{path}: {error.strerror or error}"
    return None
