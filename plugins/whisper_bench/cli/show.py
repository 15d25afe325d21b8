"""How every command prints: JSON for programs, lines for people."""

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

import msgspec

from whisper_bench.errors import BenchError


class OutputClosedError(Exception):
    """Whoever read the output has gone, as in `| head -1`."""


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
        _give_up(sys.stdout)
        raise OutputClosedError("standard output was closed before all was printed") from error
    except OSError as error:
        _give_up(sys.stdout)
        raise BenchError(
            f"standard output: {error.strerror or error}; free the disk, or send it elsewhere"
        ) from error


def say(line: str) -> None:
    """Write a line for people, on stderr; whether anybody reads decides nothing."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
    except (OSError, ValueError):  # a ValueError where it is closed
        _give_up(sys.stderr)


def _give_up(stream: TextIO) -> None:
    """Lead a stream nowhere: what its buffer holds would fail once more, and end us with 120."""
    with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
