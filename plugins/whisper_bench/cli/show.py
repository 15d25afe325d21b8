"""How every command prints: JSON for programs, lines for people."""

import sys
from collections.abc import Iterable
from typing import Any

import msgspec


def show_json(document: Any) -> None:
    """Print one JSON document."""
    encoded = msgspec.json.format(msgspec.json.encode(document), indent=2)
    sys.stdout.write(encoded.decode() + "\n")


def show_lines(lines: Iterable[str]) -> None:
    """Print lines."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
