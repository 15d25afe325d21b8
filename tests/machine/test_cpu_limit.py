import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from support.quotas import quota_of
from support.trees import grow, v1, v2
from whisper_bench.machine import cpu_limit
from whisper_bench.machine.cgroup import CpuGroup, cpu_tree
from whisper_bench.machine.cpu_limit import combined_limit, cpu_limit_in_force, quota_groups

TREES = {
    "v2 in a container": (v2("/", {"cpu.max": "100000 100000\n"}), 1.0, "cgroup v2 quota"),
    "v2 fractional": (v2("/", {"cpu.max": "25000 100000\n"}), 0.25, "cgroup v2 quota"),
    "v2 max": (v2("/a", {"a/cpu.max": "max 100000\n"}), None, "none"),
    "v2 above the group": (
        v2(
            "/kube.slice/pod/box",
            {
                "kube.slice/pod/box/cpu.max": "max 100000\n",
                "kube.slice/pod/cpu.max": "200000 100000\n",
                "kube.slice/cpu.max": "150000 100000\n",
            },
        ),
        1.5,
        "cgroup v2 quota",
    ),
    "v2 on the host, seen through a mount root": (
        v2("/docker/ab12", {"cpu.max": "50000 100000\n"}, mount_root="/docker/ab12"),
        0.5,
        "cgroup v2 quota",
    ),
    "v2 outside of the namespace": (
        v2("/../../other", {"cpu.max": "50000 100000\n"}),
        None,
        "unknown: the process's group /../../other is outside the mount of /",
    ),
    "v2 mounted from above the namespace": (
        v2("/", {"cpu.max": "max 100000\n"}, mount_root="/../.."),
        None,
        "unknown: the process's group / is outside the mount of /../..",
    ),
    "v2 of another container": (
        v2("/docker/me", {"cpu.max": "max 100000\n"}, mount_root="/docker/other"),
        None,
        "unknown: the process's group /docker/me is outside the mount of /docker/other",
    ),
    "v2 whose group has gone": (v2("/a", {"cgroup.procs": ""}), None, "unknown: "),
    "v1 owns the controller and is not mounted": (
        {
            "proc/self/cgroup": "4:cpu:/\n0::/\n",
            "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
            "sys/fs/cgroup/cgroup.procs": "",
        },
        None,
        "unknown: the CPU controller's tree (version 1) is not mounted here",
    ),
    "v1 in a container": (
        v1("/", {"cpu.cfs_quota_us": "100000\n", "cpu.cfs_period_us": "100000\n"}),
        1.0,
        "cgroup v1 quota",
    ),
    "v1 no quota": (
        v1(
            "/",
            {
                "cpu.cfs_quota_us": "-1\n",
                "cpu.cfs_period_us": "100000\n",
                "release_agent": "\n",
            },
        ),
        None,
        "none",
    ),
    "v1 no quota in the namespace's root, which reads / as well": (
        v1("/", {"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"}),
        None,
        "unknown: the control groups above ",
    ),
    "v2 no quota in the namespace's root": (
        v2("/", {"cpu.max": "max 100000\n", "cgroup.events": "populated 1\n"}),
        None,
        "unknown: the control groups above ",
    ),
    "v2 a namespace's root without the cpu controller": (
        v2("/", {"cgroup.type": "domain\n", "cgroup.events": "populated 1\n"}),
        None,
        "unknown: the control groups above ",
    ),
    "v2 the real root": (
        v2("/", {"cgroup.controllers": "cpu\n", "cpu.stat": "usage_usec 1\n"}),
        None,
        "none",
    ),
    "v2 of a hybrid, where version 1 has no cpu controller": (
        {
            **v2("/user.slice/a", {"user.slice/a/cpu.max": "50000 100000 20000\n"}),
            "proc/self/cgroup": "9:memory:/a\n1:name=systemd:/\n0::/user.slice/a\n",
        },
        0.5,
        "cgroup v2 quota",
    ),
    "v1 an empty quota file": (
        v1("/", {"cpu.cfs_quota_us": "\n", "cpu.cfs_period_us": "100000\n", "release_agent": ""}),
        None,
        "unknown: '' is not a time in microseconds",
    ),
    "v1 a quota without a period": (
        v1("/", {"cpu.cfs_quota_us": "100000\n", "release_agent": ""}),
        None,
        "unknown: ",
    ),
    "v2 an empty quota file": (
        v2("/a", {"a/cpu.max": "\n"}),
        None,
        "unknown: '' is not a time in microseconds",
    ),
    "v2 a period of nothing": (v2("/a", {"a/cpu.max": "100000 0\n"}), None, "unknown: '0' is no"),
    "v2 a quota of nothing": (v2("/a", {"a/cpu.max": "0 100000\n"}), None, "unknown: '0' is no"),
    "v2 a quota below nothing": (v2("/a", {"a/cpu.max": "-5 100000\n"}), None, "unknown: '-5' is"),
    "v2 more than the kernel counts": (
        v2("/a", {"a/cpu.max": f"{10**400} 100000\n"}),
        None,
        "unknown: ",
    ),
    "v2 a quota that is not ASCII": (v2("/a", {"a/cpu.max": b"\xff 1\n"}), None, "unknown: "),
    "v2 a group that was removed": (
        v2("/a (deleted)", {"a/cpu.max": "50000 100000\n"}),
        None,
        "unknown: ",
    ),
    "v1 nested, host view": (
        v1(
            "/docker/ab12",
            {
                "docker/ab12/cpu.cfs_quota_us": "-1\n",
                "docker/ab12/cpu.cfs_period_us": "100000\n",
                "docker/cpu.cfs_quota_us": "75000\n",
                "docker/cpu.cfs_period_us": "50000\n",
            },
        ),
        1.5,
        "cgroup v1 quota",
    ),
    "v1 nonsense": (
        v1("/", {"cpu.cfs_quota_us": "lots\n", "cpu.cfs_period_us": "100000\n"}),
        None,
        "unknown: ",
    ),
    "no cgroup tree, as on macOS": ({}, None, "unknown: this system has no cgroup tree"),
    "a membership without a mount": (
        {"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": "1 0 0:1 / / rw - ext4 /dev/a rw\n"},
        None,
        "unknown: the CPU controller's tree (version 2) is not mounted here",
    ),
}


@pytest.fixture
def many_cpus(monkeypatch):
    """A machine of 8 CPUs, all of which may be run on."""
    monkeypatch.setattr(
        cpu_limit.os, "sched_getaffinity", lambda _pid: set(range(8)), raising=False
    )
    monkeypatch.setattr(cpu_limit.os, "cpu_count", lambda: 8)


@pytest.mark.usefixtures("many_cpus")
@pytest.mark.parametrize("name", TREES)
def test_limit_on_trees(tmp_path, name):
    files, cpus, source = TREES[name]
    limit = cpu_limit_in_force(grow(tmp_path, files))
    assert limit.cpus == cpus
    # what was read is named by the folder that it was read from
    assert (
        limit.source.replace(f"{tmp_path}/sys/fs/cgroup/a: ", "")
        .replace(f"{tmp_path}/sys/fs/cgroup/cpu,cpuacct: ", "")
        .startswith(source)
    )
    assert limit.quota_cpus == cpus
    assert (limit.quota_group is None) == (cpus is None)


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
def test_quota_and_affinity_together(quota, affinity, online, cpus, source):
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
def test_usable_cpus_are_the_limit_or_what_there_is(limit, usable):
    assert limit.usable_cpus == usable


def test_a_system_without_affinity(monkeypatch, tmp_path):
    monkeypatch.delattr(cpu_limit.os, "sched_getaffinity")
    assert cpu_limit_in_force(tmp_path).affinity_cpus is None


def test_an_unreadable_tree_is_unknown_and_no_error(tmp_path):
    root = grow(tmp_path, v2("/a", {"a/cpu.max/x": ""}))  # a folder where a file should be
    assert cpu_limit_in_force(root).source.startswith(f"unknown: {root}/sys/fs/cgroup/a: ")


def test_an_affinity_does_not_hide_a_quota_that_cannot_be_read():
    limit = combined_limit(None, None, 1, 8, "/x: Permission denied")
    assert (limit.cpus, limit.source) == (1, "affinity")
    assert limit.quota_trouble == "/x: Permission denied"


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_a_tree_that_only_root_may_enter_is_unknown_and_no_error(tmp_path):
    root = grow(tmp_path, v2("/a/b", {"a/b/cpu.max": "max 100000\n"}))
    (root / "sys/fs/cgroup/a").chmod(0o700)
    for folder in (root, *root.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o055)
    child = os.fork()
    if child == 0:  # no import after the change of user: it may not read the interpreter's files
        os.setuid(65534)
        source = cpu_limit_in_force(root).source
        os._exit(0 if "Permission denied" in source and source.startswith("unknown") else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.alone
def test_a_real_quota_is_seen_and_its_counters_move():
    program = """
import os, sys, time
open(sys.argv[1] + "/cgroup.procs", "w").write(str(os.getpid()))
from whisper_bench.machine.counters import counters_of
from whisper_bench.machine.cpu_limit import cpu_limit_in_force, quota_groups
group = quota_groups()[0]
start = counters_of(group)
end_s = time.perf_counter() + 1
while time.perf_counter() < end_s: pass
seen = counters_of(group).since(start)
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
    assert int(throttled) >= 0.5 * int(periods) > 0
    assert 0.1 < float(throttled_s) < 2


@pytest.mark.alone
def test_a_group_above_that_others_use_up_is_seen_to_throttle():
    """Its quota is not the smallest: a busy neighbour in a group beside takes it all."""
    program = """
import sys, time
print(flush=True)
sys.stdin.readline()
from whisper_bench.machine.counters import counters_of, most_throttled
from whisper_bench.machine.cpu_limit import quota_groups
groups = quota_groups()
starts = [counters_of(group) for group in groups]
end_s = time.perf_counter() + 1
while time.perf_counter() < end_s: time.sleep(0.001)
ends = [counters_of(group) for group in groups]
own, above = (end.since(start) for start, end in zip(starts, ends))
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
    assert int(throttled) >= 0.5 * int(periods) > 0


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
