"""A lost connection may come back: requests are repeated for a while."""

import time
from collections.abc import Callable
from typing import TypeVar

from whisper_bench.cluster.answer import UnreachableError
from whisper_bench.text.amounts import clock_time

PATIENCE_S = 300.0
"""How long a cluster may be silent; an API server's upgrade takes a minute or two."""
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 15.0
_T = TypeVar("_T")


class Patience:
    """Repeats a request until there is an answer, or `patience_s` have passed without one.

    A cluster that has never answered is not asked again: its address may be wrong.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        patience_s: float = PATIENCE_S,
        *,
        answered: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._patience_s = patience_s
        self._sleep = sleep
        self._clock = clock
        self._answered = answered

    def ask(self, question: Callable[[], _T]) -> _T:
        """Return the answer.

        Raises:
            UnreachableError: there was none in all that time.

        """
        lost_s, wait_s = None, _FIRST_WAIT_S
        while True:
            try:
                answer = question()
            except UnreachableError as error:
                now_s = self._clock()
                if not self._answered:
                    raise
                if lost_s is None:
                    lost_s = now_s
                    self._say(f"{error}; trying again for {clock_time(self._patience_s)}")
                if now_s - lost_s >= self._patience_s:
                    raise
            else:
                self._answered = True
                if lost_s is not None:
                    self._say("the connection is back")
                return answer
            self._sleep(min(wait_s, self._patience_s))
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
