"""Control groups read from recorded and made-up trees: which quota is in force, or why it is not known."""

import os

import pytest

from support.trees import grow, v1, v2
from whisper_bench.machine import cpu_limit
from whisper_bench.machine.cpu_limit import cpu_limit_in_force


@pytest.fixture
def many_cpus(monkeypatch):
    """A machine of 8 CPUs, all of which may be run on."""
    monkeypatch.setattr(
        cpu_limit.os, "sched_getaffinity", lambda _pid: set(range(8)), raising=False
    )
    monkeypatch.setattr(cpu_limit.os, "cpu_count", lambda: 8)


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


@pytest.mark.usefixtures("many_cpus")
@pytest.mark.parametrize("name", TREES)
def test_the_limit_read_from_a_tree(tmp_path, name):
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


def test_an_unreadable_tree_is_unknown_and_no_error(tmp_path):
    root = grow(tmp_path, v2("/a", {"a/cpu.max/x": ""}))  # a folder where a file should be
    assert cpu_limit_in_force(root).source.startswith(f"unknown: {root}/sys/fs/cgroup/a: ")


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
