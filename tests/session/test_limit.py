"""A limit for each worker: how many there are room for, and what cannot be put in force."""

import os

import pytest

from whisper_bench.errors import BenchError
from whisper_bench.machine.cpu_limit import CpuLimit
from whisper_bench.session import limit


def test_a_system_that_cannot_pin_says_so(monkeypatch):
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    with pytest.raises(BenchError, match="pinned: this system cannot pin"):
        limit.Limits(1.0, CpuLimit(None, "none", None, None, 8, 8), 2, "pinned")


@pytest.mark.parametrize(
    ("usable", "each", "fit"), [(2.4, 0.4, 6), (1.2, 0.4, 3), (16, 1.0, 16), (1.9, 1.0, 1)]
)
def test_limits_fit_as_decimals(usable, each, fit, monkeypatch):
    in_force = CpuLimit(usable, "cgroup v2 quota", usable, "/", 16, 16)
    monkeypatch.setattr(limit, "cpu_limit_in_force", lambda: in_force)
    assert limit.most_copies(each) == fit
    with pytest.raises(BenchError, match=f"give {fit} or fewer"):
        limit.Limits(each, in_force, fit + 1, "floating")
