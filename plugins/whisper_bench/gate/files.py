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
        BenchError: a field is not what its type says, or a file cannot be written.

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
    """Remove an older gate's files, which would pass for this one's if it does not end.

    Raises:
        BenchError: one cannot be removed.

    """
    paths = [folder / f"{NAME}.{kind}" for kind in KINDS]
    for path in paths:  # before any is removed
        if path.is_dir() and not path.is_symlink():
            raise BenchError(
                f"{path}: it is a folder, and the gate writes a file of that name; move it away, "
                "or name another folder with --results"
            )
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise BenchError(
                f"{path}: {reason_of(error)}; it is an older gate's: remove it, or name "
                "another folder with --results"
            ) from error


def add_to_job_summary(report: GateReport, path: Path) -> str | None:
    """Add the Markdown to the job's summary; return what kept it, since it decides nothing."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(gate_markdown(report))
    except OSError as error:
        return f"{path}: {error.strerror or error}"
    return None
