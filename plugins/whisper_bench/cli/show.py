"""How every command prints: JSON for programs, lines for people."""

import contextlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec


def show_json(document: Any) -> None:
    """Print one JSON document."""
    encoded = msgspec.json.format(msgspec.json.encode(document, enc_hook=_plain), indent=2)
    sys.stdout.write(encoded.decode() + "\n")


def _plain(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def show_lines(lines: Iterable[str]) -> None:
    """Print lines."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


def say(line: str) -> None:
    """Write a line for people, on stderr; whether anybody reads decides nothing."""
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr is not None:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
