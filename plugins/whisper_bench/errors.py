"""What a user did or met that the tool cannot go on from."""

from typing import Any

from whisper_bench.text.plain import plain


class BenchError(Exception):
    """A clear refusal: the message names the input, the value and the remedy.

    The plugin turns it into `pytest.UsageError` before a run and into a failed case within one;
    the command line prints it and exits with `exit_status`. Each argument is one line; whatever
    of it would leave the line, as text from a file may, is escaped.
    """

    exit_status = 2

    def __init__(self, *lines: str) -> None:
        super().__init__(*map(plain, lines))

    def __str__(self) -> str:
        return "\n".join(self.args)

    @property
    def facts(self) -> dict[str, Any]:
        """What a program wants to know beside the message."""
        return {}


class WorkerDiedError(BenchError):
    """The measured process ended before it answered (killed, out of memory, a crash)."""

    exit_status = 1


class WrongAnswerError(BenchError):
    """A transcript that differs, or is worse than the bound: a fast wrong answer is a failure."""

    exit_status = 1


class InterruptedCommandError(BenchError):
    """Ctrl-C, or a signal that ends a CI job, before a command had its answer."""

    exit_status = 130
    """What a shell gives for a command that Ctrl-C has ended."""
