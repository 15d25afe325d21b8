"""A connection that is lost, and signals that come at the wrong moment."""

import signal

import pytest

from whisper_bench.cluster.client import UnreachableError
from whisper_bench.cluster.interrupt import Interruption
from whisper_bench.cluster.patience import Patience


class Clock:
    def __init__(self):
        self.now_s = 0.0
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now_s += seconds


def patience(said, clock, patience_s=100.0, *, answered=True):
    return Patience(
        said.append, patience_s, answered=answered, sleep=clock.sleep, clock=lambda: clock.now_s
    )


def failing(times):
    left = [times]

    def question():
        if left[0]:
            left[0] -= 1
            raise UnreachableError("no answer")
        return "answer"

    return question


def test_asks_again_and_ever_more_slowly():
    said, clock = [], Clock()
    assert patience(said, clock).ask(failing(7)) == "answer"
    assert clock.slept == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]
    assert said == ["no answer; asking again for 1:40", "the connection is back"]


def test_not_for_ever():
    clock = Clock()
    with pytest.raises(UnreachableError):
        patience([], clock).ask(failing(99))
    assert 100.0 <= clock.now_s <= 115.0


def test_one_that_never_answered_is_not_waited_for():
    said, clock = [], Clock()
    asker = patience(said, clock, answered=False)
    with pytest.raises(UnreachableError):
        asker.ask(failing(1))
    assert asker.ask(failing(0)) == "answer"
    assert asker.ask(failing(1)) == "answer"
    assert clock.slept == [1.0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_interrupt_at_once(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), Interruption().watched():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def act_while_held(interruption, act):
    with interruption.held():
        act()


def test_signals_wait_where_they_are_held():
    interruption, done = Interruption(), []

    def twice_signalled():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        done.append("whole")

    with interruption.watched():
        with pytest.raises(KeyboardInterrupt):
            act_while_held(interruption, twice_signalled)
        act_while_held(interruption, lambda: done.append("nothing left over"))
    assert done == ["whole", "nothing left over"]


def test_an_error_while_held_goes_before_the_signal():
    interruption = Interruption()

    def signalled_and_wrong():
        signal.raise_signal(signal.SIGINT)
        raise ValueError("mine")

    with interruption.watched(), pytest.raises(ValueError, match="mine"):
        act_while_held(interruption, signalled_and_wrong)
