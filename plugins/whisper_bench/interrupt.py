"""Ctrl-C, and the signals that end a CI job: noticed where it is safe, and nowhere else.

A KeyboardInterrupt that the handler raises comes between any two instructions, also between a
`finally` and what it was to do. Here the handler only takes note; the run looks when it waits.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

from whisper_bench.errors import InterruptedCommandError

_LOOK_S = 0.1
_SAME_PRESS_S = 1.0
"""One press may come twice within it: to the process, and to its group (GNU timeout)."""
_AGAIN_S = 0.02
"""Until a KeyboardInterrupt that Python has dropped is raised again."""
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


class CtrlC:
    """Ctrl-C in a command: one KeyboardInterrupt, where it can be caught, and never a traceback.

    Python's own handler raises at each signal: in the middle of what an earlier one has begun,
    before the first `try`, while the interpreter ends. Here the first one raises between `arm` and
    `disarm`, a second press ends the process at once. `came` tells that there was one.
    """

    def __init__(self, *, stays: bool = False) -> None:
        self.came = False
        self._stays = stays
        self._armed = False
        self._came_s = 0.0
        self._before: dict[int, Any] = {}
        self._hook = sys.unraisablehook

    def __enter__(self) -> Self:
        ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # nohup, a background job
        if ignored or threading.current_thread() is not threading.main_thread():
            return self
        self._hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
        for number, handler in ((signal.SIGALRM, self._raise), (signal.SIGINT, self._pressed)):
            self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(self, *_: object) -> None:
        if self._stays or not self._before:
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        sys.unraisablehook = self._hook

    def arm(self) -> None:
        """Raise from now on; also for a signal that came before.

        Raises:
            KeyboardInterrupt: there was one.

        """
        self._armed = True
        if self.came:
            raise KeyboardInterrupt

    def disarm(self) -> None:
        """Raise no more: the command has its answer, and it stands."""
        self._armed = False
        if self._stays and self._before:
            # Python puts its handlers away as it ends, but leaves a signal that is ignored
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _pressed(self, _signal: int, frame: FrameType | None) -> None:
        now_s = time.monotonic()
        if self.came and now_s - self._came_s > _SAME_PRESS_S:
            os._exit(InterruptedCommandError.exit_status)
        if not self.came:
            self.came, self._came_s = True, now_s
            self._raise(_signal, frame)

    def _raise(self, _signal: int, _frame: FrameType | None) -> None:
        if self._armed:
            raise KeyboardInterrupt

    def _unraisable(self, unraisable: Any) -> None:
        """Raise again what came where Python can only print and drop it, as in an import's lock."""
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
        else:
            self._hook(unraisable)
