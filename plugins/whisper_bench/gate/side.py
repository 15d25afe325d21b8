"""The two sides that are compared: images, environments or commands, and how each is run."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.machine.identity import NODE_VARIABLE
from whisper_bench.text.plain import plain

_SAVE_NAME = "gate"
"""Of a side's run; each process adds its own letters, so no older run has the same name."""


class SideKind(StrEnum):
    """What a side is."""

    IMAGE = "image"
    VENV = "venv"
    COMMAND = "command"
    SAVED = "saved"


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One side: its kind, and the image's reference, the environment's folder, or the command."""

    kind: SideKind
    text: str

    def __str__(self) -> str:
        return f"{self.kind}:{plain(self.text)}"


class Launch(msgspec.Struct, frozen=True):
    """One process of a side.

    `argv` is what to start, `save_name` the name that its run must be saved under, `cleanup` the
    command that removes what it may leave.
    """

    argv: list[str]
    save_name: str
    cleanup: list[str] | None = None


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions for both sides.

    `cpus` is the demanded limit, None for none; `options` are the suite's.
    """

    cpus: float | None
    rounds: int
    suite: str
    engine: str
    node: str
    options: list[str]


def side_of(text: str) -> Side:
    """Return the side that a word of the command line names.

    `image:`, `venv:` and `command:` say what it is. Without them a folder with a pyvenv.cfg is an
    environment, what has a space in it or is a file is a command, and anything else an image.

    Raises:
        BenchError: there is no such environment, or nothing is named.

    """
    kind, colon, rest = text.partition(":")
    named = bool(colon) and kind in set(SideKind)
    if named and kind == SideKind.SAVED:
        raise BenchError(f"{text}: only the baseline can be saved runs; {_REMEDY}")
    side = Side(SideKind(kind), rest) if named else Side(_guessed(text), text)
    if not side.text.strip():
        raise BenchError(f"{text!r}: nothing is named; {_REMEDY}")
    if side.kind is SideKind.VENV and not _pytest_of(side.text).is_file():
        raise BenchError(
            f"{text}: no {_pytest_of(side.text)}; make it with python -m venv {side.text}, and "
            f"install the build to be measured in it; or {_REMEDY}"
        )
    return side


def launch(side: Side, conditions: Conditions, scratch: Path) -> Launch:
    """Return how one process of a side is started; its files go to `scratch`."""
    save_name = f"{_SAVE_NAME}-{uuid4().hex[:12]}"
    options = [f"--whisper-rounds={conditions.rounds}", f"--benchmark-save={save_name}", *_ALWAYS]
    if conditions.cpus is not None:
        options.append(f"--whisper-cpu-limit={conditions.cpus:g}")
    if side.kind is SideKind.IMAGE:
        return _container(side.text, conditions, save_name, [*options, *conditions.options])
    options += [f"--benchmark-storage={scratch}", f"--whisper-results={scratch}"]
    options += conditions.options
    if side.kind is SideKind.VENV:
        return Launch([str(_pytest_of(side.text)), conditions.suite, *options], save_name)
    # by a shell, so that variables in front of it and quotes mean what they do in a terminal
    return Launch(["/bin/sh", "-c", f'{side.text} "$@"', "sh", *options], save_name)


def _container(
    image: str, conditions: Conditions, save_name: str, options: Sequence[str]
) -> Launch:
    name = f"whisper-bench-{save_name}"
    limit = [f"--cpus={conditions.cpus:g}"] if conditions.cpus is not None else []
    # --init: as process 1 the suite would not receive signals
    run = [conditions.engine, "run", "--rm", "--init", f"--name={name}", *limit, "--network=none"]
    run += ["--read-only", f"--env={NODE_VARIABLE}={conditions.node}", image, *options]
    return Launch(run, save_name, [conditions.engine, "rm", "--force", "--volumes", name])


def _guessed(text: str) -> SideKind:
    place = Path(text)
    try:
        if (place / "pyvenv.cfg").is_file():
            return SideKind.VENV
        is_file = place.is_file()
    except OSError:  # longer than a name can be
        is_file = False
    return SideKind.COMMAND if is_file or len(text.split()) > 1 else SideKind.IMAGE


def _pytest_of(venv: str) -> Path:
    return Path(venv) / "bin" / "pytest"


_ALWAYS = [
    "--whisper-processes=1",
    "--whisper-frames",
    "--color=no",
]
_REMEDY = (
    "give an image (image:whisper-bench:new), a virtual environment (venv:.venv) or a command "
    "('.venv/bin/pytest benchmarks')"
)
