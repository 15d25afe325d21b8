"""Errors that stop a command, each with a message for the user."""

from typing import Any

from whisper_bench.text.plain import plain


class BenchError(Exception):
    """An error whose message names the input, the value and the remedy.

    The plugin turns it into `pytest.UsageError` before a run and into a failed case during one;
    the command line prints it and exits with `exit_status`. Each argument is one line; characters
    that would break the line, as text from a file may have, are escaped.
    """

    exit_status = 2

    def __init__(self, *lines: str) -> None:
        super().__init__(*map(plain, lines))

    def __str__(self) -> str:
        return "\n".join(self.args)

    @property
    def facts(self) -> dict[str, Any]:
        """What a program needs beside the message."""
        return {}


class WorkerDiedError(BenchError):
    """The measured process ended before it answered (killed, out of memory, a crash)."""

    exit_status = 1


class WrongAnswerError(BenchError):
    """A transcript that differs, or has more errors than allowed: fast and wrong is a failure."""

    exit_status = 1


class InterruptedCommandError(BenchError):
    """Ctrl-C, or a signal that ends a CI job, before a command had its answer."""

    exit_status = 130
    """A shell's exit status for a command that Ctrl-C has ended."""
