"""A connection that is lost, and signals that come at the wrong moment."""

import signal

import pytest

from whisper_bench.cluster.client import UnreachableError
from whisper_bench.cluster.patience import Patience
from whisper_bench.interrupt import Interruption


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


def test_a_lost_connection_is_tried_again_at_growing_intervals():
    said, clock = [], Clock()
    assert patience(said, clock).ask(failing(7)) == "answer"
    assert clock.slept == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]
    assert said == ["no answer; trying again for 1:40", "the connection is back"]


def test_a_lost_connection_is_given_up_in_the_end():
    clock = Clock()
    with pytest.raises(UnreachableError):
        patience([], clock).ask(failing(99))
    assert 100.0 <= clock.now_s <= 115.0


def test_a_cluster_that_never_answered_is_not_asked_again():
    said, clock = [], Clock()
    asker = patience(said, clock, answered=False)
    with pytest.raises(UnreachableError):
        asker.ask(failing(1))
    assert asker.ask(failing(0)) == "answer"
    assert asker.ask(failing(1)) == "answer"
    assert clock.slept == [1.0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_wait(number):
    before, interruption = signal.getsignal(number), Interruption()
    with interruption.watched():
        signal.raise_signal(number)
        signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            interruption.sleep(60)
    assert signal.getsignal(number) is before


def test_a_wait_without_a_signal_ends_by_itself():
    interruption = Interruption()
    with interruption.watched():
        interruption.sleep(0.01)


def test_a_signal_that_is_ignored_stays_ignored():
    """nohup: a closed terminal does not end the run."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        interruption = Interruption()
        with interruption.watched():
            signal.raise_signal(signal.SIGHUP)
            interruption.sleep(0.01)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
