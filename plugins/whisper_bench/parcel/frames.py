"""A payload as lines of a log, each with its number and checksum.

A line is one frame, of printable characters and without spaces:

    whisper-bench-frame:1:<id>:<number>/<count>:<crc>:<data>;

`id` is the start of the payload's sha256, `crc` the CRC-32 of all of the line from the version to
the data, without the crc itself, both in hexadecimal; `data` is base64 (RFC 4648, section 5)
without padding. A payload has at least two frames, so that a frame that is damaged too much to be
seen is still noticed as missing.
"""

import base64
import hashlib
import re
import zlib
from dataclasses import dataclass

from whisper_bench.errors import BenchError
from whisper_bench.text.plain import plain

MARK = "whisper-bench-frame:"
VERSION = "1"
END = ";"
LINE_CHARACTERS = 1000
"""Longest line. Container runtimes cut lines at 8 to 16 KiB, and a write to a pipe is not divided
up to PIPE_BUF (4 KiB on Linux): a frame under 1 KiB is never cut by either."""
FEWEST_FRAMES = 2
MOST_FRAMES = 2**14
"""Of one payload. A run of 100,000 rounds, which take a day at a second each, is 5.5 MB packed
(55 bytes a round were measured): 8,150 frames. Twice that is allowed."""
_ID_DIGITS = 32
_DATA_BYTES = 675
"""Payload of a frame: 900 characters of base64, and at most 90 for the rest."""
# The mark before the version is not needed: a line may be cut in the middle of it, and the checksum
# is enough. Every part has a longest length, so that no text is read twice.
_FRAME = re.compile(
    rf"{VERSION}:([0-9a-f]{{{_ID_DIGITS}}}):([0-9]{{1,7}})/([0-9]{{1,7}}):([0-9a-f]{{8}}):"
    rf"([A-Za-z0-9_-]{{0,{4 * _DATA_BYTES // 3}}}){END}"
)
_SHOWN_CHARACTERS = 2000
"""Of a line for people; a log may have lines of many MiB."""


class NoResultsError(BenchError):
    """A log without complete results; the message says what is missing."""

    exit_status = 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame whose checksum is right. `number` counts from 1 to `count`."""

    id: str
    number: int
    count: int
    data: bytes


def encode(payload: bytes) -> list[str]:
    """Return a payload's frames, each one line without its newline.

    Raises:
        BenchError: it is larger than what can be read back.

    """
    if len(payload) > MOST_FRAMES * _DATA_BYTES:
        raise BenchError(
            f"the saved run has {len(payload)} bytes packed, and a log can carry "
            f"{MOST_FRAMES * _DATA_BYTES} at most; run fewer rounds or cases at once"
        )
    step = min(_DATA_BYTES, max(1, -(-len(payload) // FEWEST_FRAMES)))
    parts = [payload[start : start + step] for start in range(0, len(payload), step)]
    parts += [b""] * (FEWEST_FRAMES - len(parts))
    name = payload_id(payload)
    return [_line(f"{name}:{i}/{len(parts)}", part) for i, part in enumerate(parts, start=1)]


def payload_id(payload: bytes) -> str:
    """Return the name that a payload's frames carry."""
    return hashlib.sha256(payload).hexdigest()[:_ID_DIGITS]


def frames_in(text: str, seen: set[str] | None = None) -> list[Frame]:
    """Return the frames of a text whose checksums are right, wherever they begin in it.

    Those whose text is in `seen` are left out; the text of the others is added to `seen`.
    """
    seen = set() if seen is None else seen
    matches = [match for match in _FRAME.finditer(text) if match[0] not in seen]
    seen.update(match[0] for match in matches)
    frames = (_frame(match) for match in matches)
    return [frame for frame in frames if frame is not None]


def human_lines(text: str) -> list[str]:
    """Return a log's lines that are for people, without what would move a terminal's cursor."""
    return [human_line(line) for line in text.splitlines() if MARK not in line]


def human_line(line: str) -> str:
    """Return a line as it may be shown; a very long one is cut."""
    return plain(line[:_SHOWN_CHARACTERS], keep="\t")


def frame_at(text: str, mark: int) -> Frame | None:
    """Return the frame whose mark is at a place, if there is one and its checksum is right."""
    match = _FRAME.match(text, mark + len(MARK))
    return match and _frame(match)


def _line(head: str, part: bytes) -> str:
    data = base64.urlsafe_b64encode(part).decode().rstrip("=")
    return f"{MARK}{VERSION}:{head}:{_crc(head, data)}:{data}{END}"


def _crc(head: str, data: str) -> str:
    return f"{zlib.crc32(f'{VERSION}:{head}:{data}'.encode()):08x}"


def _frame(match: "re.Match[str]") -> Frame | None:
    name, number, count, crc, data = match.groups()
    if not 1 <= int(number) <= int(count):
        return None
    if _crc(f"{name}:{number}/{count}", data) != crc:
        return None
    padding = "=" * (-len(data) % 4)
    return Frame(name, int(number), int(count), base64.urlsafe_b64decode(data + padding))
