"""A worker and the end of its parent, before Linux is asked to see to it and where there is no Linux."""

import ctypes
import os
import sys
from types import SimpleNamespace

import pytest

from support.samples import measured
from whisper_bench.worker import __main__ as program


@pytest.fixture
def asked(monkeypatch):
    """Note what is asked of prctl, which would be of this very process."""
    calls = []
    libc = SimpleNamespace(prctl=lambda *arguments: calls.append(arguments))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: libc)
    monkeypatch.setattr(sys, "platform", "linux")
    return calls


def test_the_worker_ends_if_its_parent_died_before(asked, monkeypatch):
    parents = iter([4711, 1])
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    with pytest.raises(SystemExit) as ended:
        program._end_with_parent()
    assert ended.value.code == 1
    assert asked == [(1, 9)]  # PR_SET_PDEATHSIG, SIGKILL


def test_linux_is_asked_to_end_the_worker_with_its_parent(asked):
    program._end_with_parent()
    assert len(asked) == 1


def test_only_linux_is_asked_to_end_the_worker(asked, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    program._end_with_parent()
    assert asked == []


def test_a_released_worker_ends_where_nobody_reads_its_rounds():
    class Closed:
        def __init__(self):
            self.lines = []

        def write(self, line):
            if len(self.lines) == 3:
                raise BrokenPipeError
            self.lines.append(line)

        def flush(self):
            pass

    replies = Closed()
    program._measure_until_ended(replies, SimpleNamespace(measure=lambda: measured(1.0)))
    assert len(replies.lines) == 3
