"""Ctrl-C, and the signals that end a CI job: handled only where it is safe.

A KeyboardInterrupt that a handler raises may come between any two instructions, also between a
`finally` and its first statement. Here the handler only notes the signal; the run checks when it
waits.
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
"""Within this time one press may come twice: to the process, and to its group (GNU timeout)."""
_AGAIN_S = 0.02
"""Until a KeyboardInterrupt that Python has dropped is raised again."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Notes SIGINT, SIGTERM and SIGHUP, but not one that the process was started to ignore."""

    def __init__(self) -> None:
        self._came = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Be the handler of the signals; main thread only."""
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        handled = [number for number, old in before.items() if old is not signal.SIG_IGN]
        for number in handled:
            signal.signal(number, self._note)
        try:
            yield
        finally:
            for number in handled:
                signal.signal(number, before[number])

    def sleep(self, seconds: float) -> None:
        """Wait, but stop as soon as a signal has come.

        Raises:
            KeyboardInterrupt: a signal has come.

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

    Python's own handler raises at each signal: during the clean-up after an earlier one, before the
    first `try`, while the interpreter ends. Here only the first signal raises, between `arm` and
    `disarm`, and a second press ends the process at once. `came` says that there was one.
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
        """Raise from now on, also for a signal that came before.

        Raises:
            KeyboardInterrupt: there was one.

        """
        self._armed = True
        if self.came:
            raise KeyboardInterrupt

    def disarm(self) -> None:
        """Raise no more: the command has its answer, which stays valid."""
        self._armed = False
        if self._stays and self._before:
            # Python removes its handlers as it ends, but a signal that is ignored stays ignored
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
        """Raise again a KeyboardInterrupt that Python can only print, as in an import's lock."""
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
        else:
            self._hook(unraisable)
