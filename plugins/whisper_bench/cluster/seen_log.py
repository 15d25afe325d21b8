"""A log that is read again and again: what is new in an answer, also after a rotation.

A node begins a new file when a container's log is large, and gives only that file from then on.
"""

from dataclasses import dataclass

MOST_SEEN = 2**26
"""Characters kept; the frames of the largest run are a quarter of it, and are at the end."""


@dataclass(frozen=True, slots=True)
class News:
    """The part of an answer that no earlier one had.

    `may_lack_lines`: no line before it was seen, so that some may be lost in between; `cut`: the
    beginning of what was seen is no longer kept, which is said once.
    """

    text: str
    may_lack_lines: bool = False
    cut: bool = False


class SeenLog:
    """All that was seen of a log, each line once."""

    def __init__(self) -> None:
        self.text = ""
        self._last = ""
        self._cut = False

    def take(self, answer: str) -> News:
        """Return what is new in an answer."""
        grown = answer.startswith(self._last)
        start = len(self._last) if grown else self._overlap(answer)
        if start is None:
            return News("")
        new, anew = answer[start:], not grown and not answer[:start].strip()
        self._last = answer
        self.text += new
        cut = len(self.text) > MOST_SEEN and not self._cut
        self._cut = self._cut or cut
        self.text = self.text[-MOST_SEEN:]
        return News(new, anew, cut)

    def _overlap(self, answer: str) -> int | None:
        """Return how much of an answer's beginning was seen; None if all of it was, long ago."""
        if answer in self.text:
            return None
        seen = self.text[-len(answer) :].splitlines(keepends=True)
        return _end_that_begins(seen, answer.splitlines(keepends=True))


def _end_that_begins(before: list[str], after: list[str]) -> int:
    """Return the characters of the longest end of `before` that `after` begins with.

    By lines, and in one pass over both (D. E. Knuth, J. H. Morris, V. R. Pratt, "Fast pattern
    matching in strings", SIAM Journal on Computing 6 (1977)). All of `after` is not in `before`.
    """
    shorter = _borders(after)
    same = 0
    for line in before:
        while same and after[same] != line:
            same = shorter[same - 1]
        same += after[same] == line
    return sum(map(len, after[:same]))


def _borders(lines: list[str]) -> list[int]:
    """Return for each beginning the longest shorter one that it also ends in."""
    borders, same = [0], 0
    for line in lines[1:]:
        while same and lines[same] != line:
            same = borders[same - 1]
        same += lines[same] == line
        borders.append(same)
    return borders
