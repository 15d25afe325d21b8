"""Control group trees as /proc/self/mountinfo shows them: recorded ones, and more of their kinds."""

import os
from pathlib import Path

import msgspec
import pytest

from support.project import ROOT
from support.trees import grow, v1, v2
from whisper_bench.machine import cpu_limit
from whisper_bench.machine.cgroup import cpu_tree
from whisper_bench.machine.counters import counters_of
from whisper_bench.machine.cpu_limit import cpu_limit_in_force, quota_groups
from whisper_bench.machine.mountinfo import visible_mounts

RECORDED = ROOT / "tests/recorded/cases/trees"
ONE_CPU = "100000 100000\n"


@pytest.fixture(autouse=True)
def _many_cpus(monkeypatch):
    monkeypatch.setattr(
        cpu_limit.os, "sched_getaffinity", lambda _pid: set(range(8)), raising=False
    )
    monkeypatch.setattr(cpu_limit.os, "cpu_count", lambda: 8)


def counted(root):
    groups = quota_groups(root)
    counters = counters_of(groups[0], root) if groups else None
    return counters and (counters.periods, counters.throttled_periods)


@pytest.mark.parametrize(
    ("name", "cpus", "counts"),
    [
        ("01-ecs-v1-task-quota-above", None, None),
        ("03-cpu-max-three-fields", 1.5, (500, 200)),
        ("04-latin1-mount-point", 1.0, (500, 200)),
        ("05-v1-escaped-root", 2.0, (40, 3)),
        ("06-two-mounts-host-first", 1.0, (500, 200)),
        ("11-empty-pressure", 1.0, (500, 200)),
    ],
)
def test_the_limit_of_recorded_machines(name, cpus, counts):
    limit = cpu_limit_in_force(RECORDED / name)
    assert limit.cpus == cpus
    assert counted(RECORDED / name) == counts
    assert limit.quota_trouble is None
    assert "are hidden from here" in limit.unseen  # each is a container's


def test_the_quota_of_an_ecs_task_is_not_called_none():
    limit = cpu_limit_in_force(RECORDED / "01-ecs-v1-task-quota-above")
    assert limit.hides_a_quota
    assert limit.source.startswith("unknown: the control groups above ")
    assert "(/ecs/0a1b2c/9f8e7d of the hierarchy)" in limit.unseen


def test_an_empty_pressure_file_loses_only_the_pressure():
    root = RECORDED / "11-empty-pressure"
    counters = counters_of(quota_groups(root)[0], root)
    assert counters.pressure_s is None
    assert counters.throttled_s == pytest.approx(7.0)
    assert counters.usage_s == pytest.approx(9.0)


def mounted(*lines):
    return {"proc/self/mountinfo": b"".join(line + b"\n" for line in lines)}


OWN = b"30 23 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw"
TREES = {
    "a mount point with a space, a tab, a newline and a backslash": (
        {
            **v2("/", {}),
            **mounted(rb"30 23 0:26 / /a\040b\011c\012d\134e ro - cgroup2 cgroup rw"),
            "a b\tc\nd\\e/cpu.max": ONE_CPU,
        },
        1.0,
    ),
    "a group named like an escape": (
        {
            **v2("/box\\040one", {"cpu.max": ONE_CPU}),
            **mounted(rb"30 23 0:26 /box\134040one /sys/fs/cgroup ro - cgroup2 cgroup rw"),
        },
        1.0,
    ),
    "a group that is not UTF-8": (
        {
            "proc/self/cgroup": b"0::/caf\xe9\n",
            **mounted(OWN),
            os.fsdecode(b"sys/fs/cgroup/caf\xe9/cpu.max"): ONE_CPU,
        },
        1.0,
    ),
    "a mount point of other lines' separators": (
        {**v2("/", {"cpu.max": ONE_CPU}), **mounted(b"29 1 8:1 / /\x0b\x1c\xc2\x85 rw - vfat /dev/a rw", OWN)},
        1.0,
    ),
    "lines that are cut or garbage": (
        {
            "proc/self/cgroup": b"\n7\n0:\n:::\n\xff\xfe\n0::/\n",
            **mounted(b"", b"x", b"1 2 3 - cgroup2", b"a b 0:1 / /x ro - cgroup2 c rw", b"- - -", OWN),
            "sys/fs/cgroup/cpu.max": ONE_CPU,
        },
        1.0,
    ),
    "a later mount over the same point hides the first": (
        {
            **v2("/box", {"cpu.max": ONE_CPU}),
            **mounted(
                b"30 23 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw",
                b"31 30 0:26 /box /sys/fs/cgroup ro - cgroup2 cgroup rw",
            ),
        },
        1.0,
    ),
    "the host's tree beside the container's shows more": (
        {
            **v2("/docker/box", {"cpu.max": "max 100000\n"}),
            **mounted(
                b"30 23 0:26 / /host/cgroup ro - cgroup2 cgroup rw",
                b"31 23 0:26 /docker/box /sys/fs/cgroup ro - cgroup2 cgroup rw",
            ),
            "host/cgroup/docker/box/cpu.max": "max 100000\n",
            "host/cgroup/docker/cpu.max": "50000 100000\n",
        },
        0.5,
    ),
    "of two mounts that show the same, the last that has the group": (
        {
            **v2("/", {"cpu.max": ONE_CPU}),
            **mounted(b"29 23 0:26 / /other ro - cgroup2 cgroup rw", OWN),
        },
        1.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TREES)
def test_the_limit_of_unusual_trees(tmp_path, name):
    files, cpus = TREES[name]
    limit = cpu_limit_in_force(grow(tmp_path, files))
    assert (limit.cpus, limit.quota_trouble) == (cpus, None)
    msgspec.json.encode(limit)  # a path that is not UTF-8 can be saved


def test_a_whole_tree_and_a_part_are_told_apart(tmp_path):
    host = grow(tmp_path / "host", v1("/docker/a", {"release_agent": "", "docker/a/tasks": ""}))
    assert cpu_limit_in_force(host).tree == "whole"
    box = grow(tmp_path / "box", v1("/docker/a", {"tasks": ""}, mount_root="/docker/a"))
    assert cpu_limit_in_force(box).unseen.endswith(
        "(/docker/a of the hierarchy) are hidden from here"
    )
    none = cpu_limit_in_force(tmp_path / "macos")
    assert (none.tree, none.unseen) == (None, None)


def points(tmp_path, *lines):
    root = grow(tmp_path, mounted(*lines))
    return [str(mount.point) for mount in visible_mounts(root / "proc/self/mountinfo")]


ROOT_MOUNT = b"20 1 8:1 / / rw - ext4 /dev/a rw"


def test_a_mount_under_another_is_hidden(tmp_path):
    below = b"22 20 0:5 / /sys/fs/cgroup rw - cgroup2 c rw"
    over = b"23 20 0:6 / /sys rw - tmpfs t rw"
    on_it = b"24 23 0:5 / /sys/fs/cgroup rw - cgroup2 c rw"
    assert points(tmp_path, ROOT_MOUNT, over, below) == ["/", "/sys"]  # it lay there before
    assert points(tmp_path, ROOT_MOUNT, on_it, over) == ["/", "/sys/fs/cgroup", "/sys"]


def test_without_a_listed_root_only_a_later_mount_hides(tmp_path):
    over = b"23 20 0:6 / /sys rw - tmpfs t rw"
    other = b"24 20 0:5 / /sys/fs/cgroup rw - cgroup2 c rw"
    assert points(tmp_path, over, other) == ["/sys", "/sys/fs/cgroup"]
    assert points(tmp_path, other, over) == ["/sys"]


def test_a_mount_that_is_its_own_parent_ends_the_search(tmp_path):
    assert points(tmp_path, b"1 1 0:2 / / rw - rootfs rootfs rw") == ["/"]


def test_a_root_without_permission_is_not_called_whole(tmp_path, monkeypatch):
    def refused(_path):
        raise PermissionError

    root = grow(tmp_path, v2("/", {"cgroup.procs": ""}))
    monkeypatch.setattr(Path, "exists", refused)
    assert cpu_tree(root).unseen is not None
