"""Which rounds of several copies count: those from whose beginning to whose end all were busy.

Pure: it is told of each round when it began and ended, by the clock of the machine that all copies
share.
"""

from collections import deque
from typing import Generic, NamedTuple, TypeVar

from whisper_bench.worker.protocol import Measured

MOST_GAP_S = 0.1
"""Between two rounds of a copy that goes from one to the next: a period of the kernel's quota."""
MOST_LATE = 20
"""Times its longest round that a copy may take for one: the host may be busy, yet not so long."""
AWAKE = 0.9
"""Share of a round in which a busy copy computes, waits for a CPU, or is throttled."""
AWAKE_UNSEEN = 0.5
"""The same where the kernel does not count waiting: a computer's other work takes its part."""
_SHORT_S = 0.02
"""What the kernel's clocks may be off by in a round."""
_T = TypeVar("_T")


class _Timed(NamedTuple, Generic[_T]):
    start_s: float
    end_s: float
    measured: _T


class Overlap(Generic[_T]):
    """The rounds of `copies` workers, as they end; `next_set` has one of each copy that counts."""

    def __init__(self, copies: int) -> None:
        self._first_s: dict[int, float] = {}
        self._last_s: dict[int, float] = {}
        self._idle: list[tuple[float, float]] = []
        self._open: list[deque[_Timed[_T]]] = [deque() for _ in range(copies)]
        self._counted: list[deque[_T]] = [deque() for _ in range(copies)]
        self._rounds = [0] * copies
        self._longest_s: dict[int, float] = {}
        self._rounds_at_set = 0

    @property
    def left_behind(self) -> int | None:
        """The copy that has ended no round for many times its longest, while others did."""
        if not self._last_s:
            return None
        now_s, began_s = max(self._last_s.values()), min(self._first_s.values())
        longest_s = max(self._longest_s.values())
        for copy in range(1, len(self._open) + 1):
            ended_s = self._last_s.get(copy, began_s)
            if now_s - ended_s > MOST_LATE * self._longest_s.get(copy, longest_s):
                return copy
        return None

    @property
    def in_vain(self) -> int:
        """The rounds that each copy has ended since the last set that counts."""
        return min(self._rounds) - self._rounds_at_set

    def add(self, copy: int, measured: _T, start_s: float, end_s: float, *, busy: bool) -> None:
        """Note a round of a copy; one that was not `busy` counts against all that it overlaps."""
        if copy in self._last_s and start_s - self._last_s[copy] > MOST_GAP_S:
            self._idle.append((self._last_s[copy], start_s))
        if not busy:
            self._idle.append((start_s, end_s))
        self._first_s.setdefault(copy, start_s)
        self._last_s[copy] = end_s
        self._longest_s[copy] = max(end_s - start_s, self._longest_s.get(copy, 0.0))
        self._rounds[copy - 1] += 1
        self._open[copy - 1].append(_Timed(start_s, end_s, measured))
        self._settle()

    def next_set(self) -> list[_T] | None:
        """Return a counted round of each copy, in their order; None as long as one lacks it."""
        if not all(self._counted):
            return None
        return [counted.popleft() for counted in self._counted]

    def _settle(self) -> None:
        """Decide on every round that ended before the last round of each copy did."""
        if len(self._first_s) < len(self._open):
            return
        all_began_s, all_known_s = max(self._first_s.values()), min(self._last_s.values())
        for waiting, counted in zip(self._open, self._counted, strict=True):
            while waiting and waiting[0].end_s <= all_known_s:
                timed = waiting.popleft()
                if timed.start_s >= all_began_s and not self._had_rest(timed):
                    counted.append(timed.measured)
        if all(self._counted):
            self._rounds_at_set = min(self._rounds)
        # a copy without a round that waits is in one that began after its last
        open_s = [
            waiting[0].start_s if waiting else self._last_s[copy]
            for copy, waiting in enumerate(self._open, start=1)
        ]
        self._idle = [idle for idle in self._idle if idle[1] > min(open_s)]

    def _had_rest(self, timed: _Timed[_T]) -> bool:
        return any(start < timed.end_s and end > timed.start_s for start, end in self._idle)


def is_awake(measured: Measured) -> bool:
    """Tell whether a worker computed, waited for a CPU or was throttled all through a round.

    Else it was stopped (SIGSTOP), or the machine slept.
    """
    heard, wait_s = measured.transcription, measured.wait_s
    throttled_s = measured.counters.throttled_s if measured.counters else 0.0
    if wait_s is None:
        return heard.cpu_s + throttled_s >= AWAKE_UNSEEN * heard.wall_s
    return heard.cpu_s + wait_s + throttled_s >= AWAKE * heard.wall_s - _SHORT_S
