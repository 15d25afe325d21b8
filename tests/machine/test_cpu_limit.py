"""The limit in force: quota and affinity together, and real quotas of this machine."""

import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from support.quotas import quota_of
from whisper_bench.machine import cpu_limit
from whisper_bench.machine.cgroup import CpuGroup, cpu_tree
from whisper_bench.machine.cpu_limit import combined_limit, cpu_limit_in_force, quota_groups


@pytest.mark.parametrize(
    ("quota", "affinity", "online", "cpus", "source"),
    [
        (None, 8, 8, None, "none"),
        (None, 1, 8, 1, "affinity"),
        (2.0, 8, 8, 2, "cgroup v2 quota"),
        (4.0, 2, 8, 2, "affinity"),
        (4.0, 2, 2, 2, "cgroup v2 quota"),  # a quota above the machine does not make it larger
        (2.0, None, 8, 2, "cgroup v2 quota"),
        (None, None, None, None, "none"),
    ],
)
def test_the_limit_is_the_smaller_of_quota_and_affinity(quota, affinity, online, cpus, source):
    group = CpuGroup(2, Path("/sys/fs/cgroup")) if quota else None
    limit = combined_limit(quota, group, affinity, online)
    assert (limit.cpus, limit.source) == (cpus, source)


@pytest.mark.parametrize(
    ("limit", "usable"),
    [
        (combined_limit(0.5, None, 8, 8), 0.5),
        (combined_limit(None, None, 8, 8), 8),
        (combined_limit(None, None, None, 10), 10),
        (combined_limit(None, None, None, None), None),
    ],
)
def test_usable_cpus_are_the_limit_or_the_cpus_online(limit, usable):
    assert limit.usable_cpus == usable


def test_a_system_without_affinity_has_none(monkeypatch, tmp_path):
    monkeypatch.delattr(cpu_limit.os, "sched_getaffinity")
    assert cpu_limit_in_force(tmp_path).affinity_cpus is None


def test_an_affinity_does_not_hide_a_quota_that_cannot_be_read():
    limit = combined_limit(None, None, 1, 8, "/x: Permission denied")
    assert (limit.cpus, limit.source) == (1, "affinity")
    assert limit.quota_trouble == "/x: Permission denied"


@pytest.mark.alone
def test_a_real_quota_is_seen_and_its_counters_move():
    program = """
import os, sys, time
open(sys.argv[1] + "/cgroup.procs", "w").write(str(os.getpid()))
from whisper_bench.machine.counters import counters_of
from whisper_bench.machine.cpu_limit import cpu_limit_in_force, quota_groups
group = quota_groups()[0]
start = seen = counters_of(group)
end_s = time.perf_counter() + 120
while seen.throttled_periods < start.throttled_periods + 5 and time.perf_counter() < end_s:
    seen = counters_of(group)
seen = seen.since(start)
limit = cpu_limit_in_force()
print(limit.cpus, limit.source, limit.quota_group, seen.periods, seen.throttled_periods, seen.throttled_s)
"""
    with quota_of(25_000) as folder:
        done = subprocess.run(
            [sys.executable, "-c", program, str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    cpus, *source, group, periods, throttled, throttled_s = done.stdout.split()
    assert (cpus, " ".join(source), group) == ("0.25", "cgroup v1 quota", str(folder))
    assert 5 <= int(throttled) <= int(periods)
    assert float(throttled_s) > 0


@pytest.mark.alone
def test_a_parent_group_used_up_by_others_is_seen_to_throttle():
    """Its quota is not the smallest: a busy neighbour in a group beside takes it all."""
    program = """
import sys, time
print(flush=True)
sys.stdin.readline()
from whisper_bench.machine.counters import counters_of, most_throttled
from whisper_bench.machine.cpu_limit import quota_groups
groups = quota_groups()
starts = [counters_of(group) for group in groups]
end_s = time.perf_counter() + 120
while True:
    time.sleep(0.01)
    ends = [counters_of(group) for group in groups]
    own, above = (end.since(start) for start, end in zip(starts, ends))
    if above.throttled_periods >= 5 or time.perf_counter() > end_s: break
print(own.throttled_periods, above.throttled_periods, most_throttled(starts, ends) == above, above.periods)
"""
    with quota_of(25_000) as above, ExitStack() as children:
        for name in ("own", "beside"):
            (above / name).mkdir()
            children.callback((above / name).rmdir)
        (above / "own/cpu.cfs_quota_us").write_text("20000")
        measuring, busy = (
            children.enter_context(ended(code)) for code in (program, "while True: pass")
        )
        measuring.stdout.readline()
        for process, name in ((measuring, "own"), (busy, "beside")):
            (above / name / "cgroup.procs").write_text(str(process.pid))
        own, throttled, is_chosen, periods = measuring.communicate("go\n")[0].split()
    assert (own, is_chosen) == ("0", "True")
    assert 5 <= int(throttled) <= int(periods)


@contextmanager
def ended(code):
    """Run Python code in a process that has ended when the block has."""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_proclimits_reads_the_same_limit():
    """An independent library, on a real quota."""
    program = """
import os, sys
open(sys.argv[1] + "/cgroup.procs", "w").write(str(os.getpid()))
import proclimits
from whisper_bench.machine.cpu_limit import cpu_limit_in_force
print(cpu_limit_in_force().cpus, proclimits.get_cpu_limit())
"""
    with quota_of(75_000) as folder:
        done = subprocess.run(
            [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True
        )
    ours, theirs = done.stdout.split()
    assert float(ours) == float(theirs) == 0.75


def test_groups_of_this_machine_are_read_without_error():
    assert all(group.folder.is_dir() for group in cpu_tree().groups)
    quotas = [group.quota_cpus() for group in quota_groups()]
    assert quotas == sorted(quotas)
