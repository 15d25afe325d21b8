"""How every command prints: JSON for programs, lines for people."""

import contextlib
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from whisper_bench.errors import BenchError
from whisper_bench.text.plain import plain, plain_json

_TAB = "\t"


class OutputClosedError(Exception):
    """The reader closed the pipe, as in `| head -1`."""


def show_json(document: Any) -> None:
    """Print one JSON document."""
    _write(plain_json(_encoded(document)) + "\n")


def _encoded(document: Any) -> str:
    import msgspec

    try:
        encoded = msgspec.json.encode(document, enc_hook=_path)
    except (
        UnicodeEncodeError
    ):  # a file's name that is not UTF-8 has characters that JSON cannot have
        builtins = msgspec.to_builtins(document, enc_hook=_path)
        return json.dumps(builtins, indent=2)
    return msgspec.json.format(encoded, indent=2).decode()


def _path(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def show_lines(lines: Iterable[str]) -> None:
    """Print lines; line breaks and control characters in them are escaped."""
    _write("".join(f"{plain(line, keep=_TAB)}\n" for line in lines))


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError as error:
        _give_up(sys.stdout)
        raise OutputClosedError("the reader closed the pipe before all was printed") from error
    except OSError as error:
        _give_up(sys.stdout)
        raise BenchError(
            f"standard output: {error.strerror or error}; free the disk, or redirect it elsewhere"
        ) from error


def say(line: str) -> None:
    """Write a line for people to stderr, escaped; an error there is ignored."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"{plain(line, keep=_TAB)}\n")
        sys.stderr.flush()
    except (OSError, ValueError):  # a ValueError if it is closed
        _give_up(sys.stderr)


def _give_up(stream: TextIO) -> None:
    """Redirect a stream to /dev/null: else its buffer fails again at exit, with status 120."""
    with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("wb") as devnull:
        os.dup2(devnull.fileno(), stream.fileno())
