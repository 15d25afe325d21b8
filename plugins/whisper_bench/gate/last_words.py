"""Why a process of a side failed: its exit status, and the lines that say why."""

import re
import signal
from itertools import pairwise

from whisper_bench.parcel.frames import human_lines

LAST_CHARACTERS = 2**18
"""Of its output, which is searched for the lines that say why."""
_SHOWN_LINES = 6
_SHOWN = 300
"""Characters of a line."""
_TELLING = re.compile(r"E   (?!.*\[ *\d+%\]).*|.*(FAILED|ERROR|Error): .*")
"""A line that says why; in pytest's progress a case in error is an E too."""
_HEADER = re.compile(
    r"=+ test session starts =+|platform .+ -- Python .+|"
    r"(benchmark|cachedir|configfile|plugins|rootdir|testpaths): .*"
)
_HEAD = re.compile(r"_+ .+ _+|\[gw\d+\] .+")
"""Heading of a failure in pytest's report; without a traceback the next line is the reason."""
_SHELL_SIGNAL = 128
"""A shell and docker run return this plus the signal's number if a signal ended the process."""
_STATUSES = {
    5: "pytest found no case to run",
    125: "the container could not be started",
    126: "the command cannot be executed",
    127: "the command was not found",
}


def how_ended(status: int) -> str:
    """Return how a process ended, from its exit status."""
    number = -status if status < 0 else status - _SHELL_SIGNAL
    if number in set(signal.Signals):
        name = signal.Signals(number).name
        memory = "; usually it was out of memory" if number == signal.SIGKILL else ""
        return f"it was killed by {name}{memory}"
    known = f": {_STATUSES[status]}" if status in _STATUSES else ""
    return f"exit status {status}{known}"


def last_words(text: str) -> list[str]:
    """Return the lines that say why, or else the last ones."""
    end = text[-LAST_CHARACTERS:]
    stripped = (line.strip()[:_SHOWN] for line in human_lines(end))
    lines = [line for line in stripped if line and not _HEADER.fullmatch(line)]
    telling = [
        line
        for before, line in pairwise(["", *lines])
        if (_HEAD.fullmatch(before) and not _HEAD.fullmatch(line)) or _TELLING.fullmatch(line)
    ]
    shown = (telling or lines)[-_SHOWN_LINES:]
    return [f"  {line}" for line in dict.fromkeys(shown)]
