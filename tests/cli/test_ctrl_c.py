"""Ctrl-C noticed where it is safe: dropped, ignored, too early, or pressed a second time."""

import math
import signal
import subprocess
import sys
import threading
import time

import pytest

from whisper_bench.interrupt import CtrlC


def until(condition, limit_s=600.0):
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.001)


def test_an_interrupt_that_python_drops_is_raised_again():
    class Dropping:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    with CtrlC() as ctrl_c:
        ctrl_c.arm()
        dropping = Dropping()
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - whatever line it comes at
            del dropping
            until(lambda: False)
        assert ctrl_c.came
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_other_errors_that_python_drops_reach_its_own_hook(capsys):
    class Broken:
        def __del__(self):
            raise ValueError("of something else")

    hook = sys.unraisablehook
    seen = []
    sys.unraisablehook = lambda unraisable: seen.append(unraisable.exc_type)
    try:
        with CtrlC() as ctrl_c:
            ctrl_c.arm()
            Broken()
    finally:
        sys.unraisablehook = hook
    assert seen == [ValueError]


def test_a_signal_before_arming_is_raised_once_armed(monkeypatch):
    monkeypatch.setattr("whisper_bench.interrupt._SAME_PRESS_S", math.inf)
    with CtrlC() as ctrl_c:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            ctrl_c.arm()
        signal.raise_signal(signal.SIGINT)  # the same press, to the process and to its group


def test_an_ignored_signal_stays_ignored_and_another_thread_changes_nothing():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with CtrlC():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)

    def elsewhere():
        with CtrlC() as ctrl_c:
            ctrl_c.arm()
            ctrl_c.disarm()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is before


STUCK = """
import time
from whisper_bench import interrupt
from whisper_bench.cli import main
import whisper_bench.saved.find as find
interrupt._SAME_PRESS_S = 0.0
def stuck(*_):
    try:
        print("ready", flush=True)
        time.sleep(600)
    finally:
        print("cleaning", flush=True)
        time.sleep(600)
find.find_saved = stuck
import sys
sys.exit(main())
"""


def test_a_second_press_ends_what_is_stuck_in_cleaning_up(home):
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK, "results", "avx"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in ("ready\n", "cleaning\n"):
        assert process.stdout.readline() == line
        process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=600)
    assert (process.returncode, err) == (130, "")


def test_only_a_second_press_ends_the_process_at_once(monkeypatch):
    ended_with = []
    monkeypatch.setattr("whisper_bench.interrupt.os._exit", ended_with.append)
    with CtrlC() as ctrl_c:
        for count, same_press_s in ((0, 60.0), (0, 60.0), (1, -1.0)):
            monkeypatch.setattr("whisper_bench.interrupt._SAME_PRESS_S", same_press_s)
            signal.raise_signal(signal.SIGINT)
            assert ended_with == count * [130]
        assert ctrl_c.came
