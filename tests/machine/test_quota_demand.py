"""A demanded limit: when it is met, refused, or cannot be set."""

import os
import shutil
import subprocess
import sys

import pytest

from whisper_bench.errors import BenchError
from whisper_bench.machine.cpu_limit import CpuLimit
from whisper_bench.machine.quota import QuotaGroup, held_cpus, is_held
from whisper_bench.session import limit


def test_more_cpus_than_the_machine_has_are_refused(monkeypatch):
    monkeypatch.setattr(limit, "QuotaGroup", None)
    with pytest.raises(BenchError, match=r"in force is none, and only 2 CPU\(s\) can be used"):
        limit.Limits(4.0, CpuLimit(None, "none", None, None, 2, 2), 1, "floating")


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_a_user_without_permission_gets_the_remedy(pytester, toy_arguments):
    """A user that may read everything, so that python is found wherever it is, and write nothing."""
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv here (util-linux)")
    pytester.makepyfile(
        test_bench="def test_t(benchmark, whisper_case): whisper_case.run(benchmark)"
    )
    pytester.path.chmod(0o777)
    reads = "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"
    pytest_command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    uncovered = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *reads, *pytest_command,
         *toy_arguments, "--whisper-cpu-limit=1"],
        cwd=pytester.path, capture_output=True, text=True, check=False, env=uncovered,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, said
    assert "the CPU limit in force is none, and no control group with a quota of 1 CPU" in said
    assert "Permission denied" in said
    assert "docker run --rm --cpus=1 IMAGE" in said
    assert "Traceback" not in said


def test_a_demand_that_fails_names_the_limit_in_force(monkeypatch):
    def refused(_cpus):
        raise BenchError("no control group can be made here")

    monkeypatch.setattr(limit, "QuotaGroup", refused)
    unlimited = CpuLimit(None, "none", None, None, 8, 8)
    with pytest.raises(BenchError, match="the CPU limit in force is none, and no control group"):
        limit.Limits(1.0, unlimited, 1, "floating")


@pytest.mark.parametrize(
    ("cpus", "held"),
    [(1.0, 1.0), (0.3333333, 0.33333), (2 / 3, 0.66667), (0.01, 0.01)],
)
def test_a_quota_is_rounded_to_microseconds(cpus, held):
    assert held_cpus(cpus) == held
    assert is_held(held, held_cpus(cpus))


def test_a_quota_that_is_too_small_is_refused():
    with pytest.raises(BenchError, match=r"0\.009 CPU is too small.* 0\.01 CPU or more"):
        QuotaGroup(0.009)
    with pytest.raises(BenchError, match=r"--whisper-cpu-limit=0\.001: .*too small"):
        limit.held_limit(0.001)


def test_a_limit_within_a_microsecond_meets_the_demand():
    in_force = CpuLimit(0.66666, "cgroup v2 quota", 0.66666, "/", 8, 8)
    limits = limit.Limits(0.66667, in_force, 1, "floating")
    assert limits.line is None
    assert limits.joins(1) == [None]
    assert not is_held(0.66667, 0.66665)
    assert not is_held(1.0, None)


def test_a_limit_that_is_not_known_is_not_called_none(monkeypatch):
    def refused(_cpus):
        raise BenchError("no control group can be made here")

    monkeypatch.setattr(limit, "QuotaGroup", refused)
    hidden = CpuLimit(None, "unknown: x", None, None, 8, 8, tree="groups above are hidden")
    with pytest.raises(BenchError, match=r"in force is not known \(groups above are hidden\), and"):
        limit.Limits(1.0, hidden, 1, "floating")
