"""Payloads from a log that may be cut, mixed with other lines, or damaged.

A log is read once, piece by piece, in time and memory that grow only with its length: it comes from
a Pod, and may be written by an attacker.
"""

import re
from collections import deque
from collections.abc import Iterator
from itertools import islice

from whisper_bench.parcel.escapes import unescaped
from whisper_bench.parcel.frames import (
    LINE_CHARACTERS,
    MARK,
    MOST_FRAMES,
    VERSION,
    Frame,
    frame_at,
    frames_in,
    human_line,
)
from whisper_bench.parcel.payload import Gathered, Payload

MOST_HELD = 4 * MOST_FRAMES
"""Frames of one log: a fleet of 1,000 Pods with 10 frames each, or four of the largest runs."""
_PIECE = 2**20
"""Characters read at a time, which bounds what is copied."""
_LONGEST_LINE = 2**16
"""Characters of a line that are kept until it ends; a longer one is read in parts."""
_OVERLAP = 8 * LINE_CHARACTERS
"""Of two such parts: the longest frame, with every character escaped."""
_TAIL_LINES = 3
_VERSIONS_SHOWN = 5
_HEADS = 16
"""Cut frames whose end is searched at a time: as many writers as may share a log."""
_TRIES = 200
"""Words among which the end of one cut frame is searched."""
_TRIES_IN_ALL = 4 * MOST_FRAMES
"""Of all cut frames of a log; usually the end of one is the next word."""
_DISTANCE_WORDS = 20_000
"""Words after a cut frame when the search for its end stops: 200 long lines."""
_STARTS = re.compile(rf"{MARK}([0-9]{{1,9}}):")
_WORD = re.compile(r"[A-Za-z0-9_:/;-]+")
"""The characters of a frame: what a log adds around a line, such as quotes, is not among them."""


class Scanner:
    """Reads one log: `feed` it in pieces, then `finish`; the payloads are in `gathered`.

    A line may be cut anywhere, and be mixed with lines of other writers; copies of a frame count
    once. `tail` has the last lines for people.
    """

    def __init__(self) -> None:
        self.gathered: dict[str, Gathered] = {}
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._held = 0
        self._line = ""
        self._joined = ""
        self._heads: deque[_Head] = deque(maxlen=_HEADS)
        self._words = 0
        self._tries = 0
        self._marked = False
        self._versions: set[str] = set()
        self._overfull = False

    def feed(self, text: str) -> None:
        """Read the next piece of the log, of any length."""
        for start in range(0, len(text), _PIECE):
            self._feed(text[start : start + _PIECE])

    def _feed(self, text: str) -> None:
        text = self._line + text
        end = text.rfind("\n") + 1
        self._read(text[:end])
        self._line = text[end:]
        if len(self._line) > _LONGEST_LINE:
            self._read(self._line)
            self._line = self._line[-_OVERLAP:]

    def finish(self) -> None:
        """Read what is left of the last line."""
        self._read(self._line)
        self._line = ""

    @property
    def faults(self) -> list[str]:
        """What is wrong with the log, apart from incomplete payloads."""
        faults = []
        if self._overfull:
            faults.append(
                f"more than {MOST_HELD} frames in one log, and the rest was not read; pass fewer "
                "runs at once"
            )
        others = self._versions - {VERSION}
        if not self.gathered and others:
            shown = ", ".join(sorted(others))
            faults.append(
                f"frames of version {shown}, and this whisper-bench reads {VERSION}; use the same "
                "whisper-bench here as in the Pod"
            )
        elif not self.gathered and self._marked:
            # a log whose frames are all damaged is not called a log without frames
            faults.append("no frame is complete; pass the unchanged log")
        return faults

    def _read(self, text: str) -> None:
        self._look_at_lines(text)
        text = unescaped(text)
        for frame in self._every_frame(text):
            self._take(frame)

    def _look_at_lines(self, text: str) -> None:
        if MARK in text:
            self._marked = True
            versions = self._versions.union(match[1] for match in _STARTS.finditer(text))
            self._versions = set(sorted(versions)[:_VERSIONS_SHOWN])
        # of millions of blank lines only the last ones are read
        start = text.rfind("\n", 0, max(0, len(text) - _LONGEST_LINE)) + 1
        lines = (line for line in reversed(text[start:].splitlines()) if MARK not in line)
        last = [*islice((line for line in lines if not line.isspace() and line), _TAIL_LINES)]
        self.tail.extend(human_line(line.strip()) for line in reversed(last))

    def _every_frame(self, text: str) -> Iterator[Frame]:
        """Yield the frames of whole lines, then those of lines that were cut."""
        seen: set[str] = set()
        yield from frames_in(text, seen)
        # pieces of a line that follow one another: any number of cuts
        joined = self._joined + "".join(text.splitlines())
        self._joined = joined[-LINE_CHARACTERS:]
        yield from frames_in(joined, seen)
        # two pieces with other lines between them
        if self._heads or MARK in text:
            for word in _WORD.finditer(text):
                if self._tries >= _TRIES_IN_ALL:
                    return
                yield from self._in_two(word[0])

    def _in_two(self, word: str) -> Iterator[Frame]:
        """Yield the cut frame that this word completes; keep a frame that only begins in it."""
        self._words += 1
        if ";" in word:
            yield from self._ended_by(word[:LINE_CHARACTERS])
        start = word.rfind(MARK)
        if start >= 0 and not frame_at(word, start):
            self._heads.append(_Head(word[start:][:LINE_CHARACTERS], self._words))

    def _ended_by(self, word: str) -> Iterator[Frame]:
        for head in [*self._heads]:
            frame = frame_at(head.text + word, 0)
            head.tries += 1
            self._tries += 1
            if frame or head.tries >= _TRIES or self._words - head.place > _DISTANCE_WORDS:
                self._heads.remove(head)
            if frame:
                yield frame

    def _take(self, frame: Frame) -> None:
        known = self.gathered.get(frame.id)
        if known is None or known.lacks(frame):
            if self._held >= MOST_HELD:
                self._overfull = True
                return
            self._held += 1
        if known is None:
            known = self.gathered[frame.id] = Gathered(frame.id, frame.count)
        known.add(frame)


class _Head:
    """The beginning of a frame, the number of its word, and how many ends were tried."""

    def __init__(self, text: str, place: int) -> None:
        self.text = text
        self.place = place
        self.tries = 0


def payloads_in(text: str) -> list[Payload]:
    """Return the payloads whose frames are in a log, in the order in which they begin.

    Whatever is missing or damaged gives a fault, never a payload.
    """
    scanner = Scanner()
    scanner.feed(text)
    scanner.finish()
    payloads = [gathered.payload() for gathered in scanner.gathered.values()]
    return payloads + [Payload("", None, fault) for fault in scanner.faults]
