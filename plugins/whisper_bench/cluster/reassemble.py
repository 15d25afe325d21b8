"""Payloads out of a log that may be cut, mixed with other lines, or damaged."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from whisper_bench.cluster.frames import (
    LINE_CHARACTERS,
    MARK,
    VERSION,
    Frame,
    frame_at_start,
    frames_in,
    payload_id,
)

_MIXED_LINES = 200
"""Lines between the two halves of a line that was cut, among which its end is looked for."""
_SHOWN = 5
_STARTS = re.compile(rf"{MARK}([0-9]+):")


@dataclass(frozen=True, slots=True)
class Payload:
    """What the frames of one id carried: the whole of it, or what is wrong with it."""

    id: str
    content: bytes | None
    fault: str | None


def payloads_in(text: str) -> list[Payload]:
    """Return the payloads whose frames are in a log, in the order in which they begin.

    A line may be cut at any place, and stand among lines of other writers; a copy of a frame counts
    once. Whatever is missing or damaged makes a fault, never a payload.
    """
    frames: dict[str, dict[int, Frame]] = {}
    conflicts: set[str] = set()
    for frame in _every_frame(text):
        known = frames.setdefault(frame.id, {})
        if known.setdefault(frame.number, frame) != frame:
            conflicts.add(frame.id)
    found = [_payload(name, known, conflicts) for name, known in frames.items()]
    return found or _beyond_recognition(text)


def _every_frame(text: str) -> Iterator[Frame]:
    """Yield the frames of whole lines, then those of lines that were cut."""
    yield from frames_in(text)
    lines = text.splitlines()
    # each piece followed at once by the next: any number of cuts in a line
    yield from frames_in("".join(lines))
    # two pieces with other lines between them
    for place, line in enumerate(lines):
        head = _unfinished(line)
        frame = head and _ended(head, lines[place + 1 : place + 1 + _MIXED_LINES])
        if frame:
            yield frame


def _unfinished(line: str) -> str | None:
    """Return the beginning of a frame that a line ends in."""
    start = line.rfind(MARK)
    if start >= 0:
        return None if frame_at_start(line[start:]) else line[start:][:LINE_CHARACTERS]
    cut = next((n for n in range(len(MARK) - 1, 0, -1) if line.endswith(MARK[:n])), 0)
    return line[-cut:] if cut else None


def _ended(head: str, following: Sequence[str]) -> Frame | None:
    for line in following:
        # where each line has a timestamp or the Pod's name in front, the frame is its last word
        for rest in (line, line.rpartition(" ")[2]):
            if frame := frame_at_start(head + rest[:LINE_CHARACTERS]):
                return frame
    return None


def _payload(name: str, known: dict[int, Frame], conflicts: set[str]) -> Payload:
    counts = {frame.count for frame in known.values()}
    if name in conflicts or len(counts) > 1:
        return Payload(name, None, f"{name[:8]}: two different frames have one number")
    count = counts.pop()
    missing = [number for number in range(1, count + 1) if number not in known]
    if missing:
        return Payload(name, None, f"{name[:8]}: {_missing(missing, count)}")
    content = b"".join(known[number].data for number in range(1, count + 1))
    if payload_id(content) != name:
        return Payload(name, None, f"{name[:8]}: its frames do not add up to its sha256")
    return Payload(name, content, None)


def _missing(missing: list[int], count: int) -> str:
    shown = ", ".join(map(str, missing[:_SHOWN]))
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    noun = "frame" if len(missing) == 1 else "frames"
    return f"{noun} {shown}{more} of {count} missing or damaged"


def _beyond_recognition(text: str) -> list[Payload]:
    """Return a fault for frames none of which can be read, so that they are not called absent."""
    versions = set(_STARTS.findall(text)) - {VERSION}
    if versions:
        told = ", ".join(sorted(versions))
        fault = f"frames of version {told}, and this whisper-bench reads {VERSION}"
    elif MARK in text:
        fault = "no frame is whole"
    else:
        return []
    return [Payload("", None, fault)]
