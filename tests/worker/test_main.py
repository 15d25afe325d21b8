"""A worker and the end of its parent, before Linux is asked to see to it and where there is no Linux."""

import ctypes
import os
import sys
from types import SimpleNamespace

import pytest

from whisper_bench.worker import __main__ as program


@pytest.fixture
def asked(monkeypatch):
    """Note what is asked of prctl, which would be of this very process."""
    calls = []
    libc = SimpleNamespace(prctl=lambda *arguments: calls.append(arguments))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: libc)
    monkeypatch.setattr(sys, "platform", "linux")
    return calls


def test_a_parent_that_died_before_linux_was_asked(asked, monkeypatch):
    parents = iter([4711, 1])
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    with pytest.raises(SystemExit) as ended:
        program._end_with_parent()
    assert ended.value.code == 1
    assert asked == [(1, 9)]  # PR_SET_PDEATHSIG, SIGKILL


def test_a_parent_that_lives(asked):
    program._end_with_parent()
    assert len(asked) == 1


def test_elsewhere_nothing_is_asked(asked, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    program._end_with_parent()
    assert asked == []
