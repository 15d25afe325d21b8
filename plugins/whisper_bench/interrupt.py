"""Ctrl-C, and the signals that end a CI job: noticed where it is safe, and nowhere else.

A KeyboardInterrupt that the handler raises comes between any two instructions, also between a
`finally` and what it was to do. Here the handler only takes note; the run looks when it waits.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_LOOK_S = 0.1
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Takes note of SIGINT, SIGTERM and SIGHUP, but not of one that was told to be ignored."""

    def __init__(self) -> None:
        self._came = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Be the handler of the signals; main thread only."""
        before = {each: signal.getsignal(each) for each in _SIGNALS}
        heeded = [each for each, handler in before.items() if handler is not signal.SIG_IGN]
        for each in heeded:
            signal.signal(each, self._note)
        try:
            yield
        finally:
            for each in heeded:
                signal.signal(each, before[each])

    def sleep(self, seconds: float) -> None:
        """Wait, up to the moment at which a signal comes or has come.

        Raises:
            KeyboardInterrupt: there is one.

        """
        until_s = time.monotonic() + seconds
        while not self._came and (left_s := until_s - time.monotonic()) > 0:
            time.sleep(min(left_s, _LOOK_S))
        if self._came:
            raise KeyboardInterrupt

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        # no lock in here: the handler may run in the very thread that holds it
        self._came = True
