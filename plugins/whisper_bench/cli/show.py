"""How every command prints: JSON for programs, lines for people."""

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from whisper_bench.errors import BenchError


class OutputClosedError(BenchError):
    """Whoever read the output has gone, as in `| head -1`."""

    exit_status = 141
    """What a shell gives for a command that SIGPIPE has ended: no answer of the command's own."""


def show_json(document: Any) -> None:
    """Print one JSON document."""
    encoded = msgspec.json.format(msgspec.json.encode(document, enc_hook=_plain), indent=2)
    _write(encoded.decode() + "\n")


def _plain(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def show_lines(lines: Iterable[str]) -> None:
    """Print lines."""
    _write("".join(f"{line}\n" for line in lines))


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError as error:
        # what is left in the buffer would be a traceback at the end of the process
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputClosedError("standard output was closed before all was printed") from error


def say(line: str) -> None:
    """Write a line for people, on stderr; whether anybody reads decides nothing."""
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr is not None:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
