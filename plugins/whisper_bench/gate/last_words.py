"""Why a process of a side failed: its exit status, and the lines that tell."""

import re
import signal
from itertools import pairwise

from whisper_bench.parcel.frames import human_lines

LAST_CHARACTERS = 2**18
"""Of what it printed, among which the lines that tell why are looked for."""
_SHOWN_LINES = 6
_SHOWN = 300
"""Characters of a line."""
_TELLING = re.compile(r"E   (?!.*\[ *\d+%\]).*|.*(FAILED|ERROR|Error): .*")
"""A line that tells why; in pytest's progress a case in error is an E as well."""
_HEADER = re.compile(
    r"=+ test session starts =+|platform .+ -- Python .+|"
    r"(benchmark|cachedir|configfile|plugins|rootdir|testpaths): .*"
)
_HEAD = re.compile(r"_+ .+ _+|\[gw\d+\] .+")
"""Of a failure in pytest's report; where it has no traceback the reason is the line behind."""
_SHELL_SIGNAL = 128
"""A shell and docker run give this and the signal's number for a process that one has ended."""
_STATUSES = {
    5: "pytest has no case to run",
    125: "the container could not be started",
    126: "it cannot be executed",
    127: "it was not found",
}


def how_ended(status: int) -> str:
    """Return how a process ended, from its exit status."""
    number = -status if status < 0 else status - _SHELL_SIGNAL
    if number in set(signal.Signals):
        name = signal.Signals(number).name
        memory = "; out of memory is the usual cause" if number == signal.SIGKILL else ""
        return f"it was killed by {name}{memory}"
    known = f": {_STATUSES[status]}" if status in _STATUSES else ""
    return f"exit status {status}{known}"


def last_words(text: str) -> list[str]:
    """Return the lines that tell why, the last ones where none does."""
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
