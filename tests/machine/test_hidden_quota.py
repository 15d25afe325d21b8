"""A quota in a control group above what the process can see, as Amazon ECS has it for a task.

The tree is real, and so is the count of the group that is hidden, which only the test can read.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.project import BENCHMARK

CPU = Path("/sys/fs/cgroup/cpu")
QUOTA_US = 50_000  # of 100 ms: even one thread is stopped in every period

VIEWS = {
    # as ECS and Docker show version 1: the own group is mounted in the place of the root
    "bind": ("unshare --mount", "mount --bind $LEAF $CPU"),
    # inside a cgroup namespace the mount's root reads / as it does on the host
    "namespace": ("unshare --mount --cgroup", "umount $CPU && mount -t cgroup -o cpu none $CPU"),
}


@pytest.fixture
def task():
    """A group with a quota and one without below it; skipped with the reason where none can be."""
    if os.geteuid() != 0 or not (CPU / "cpu.cfs_quota_us").exists():
        # the kernel mounts version 1 or 2; version 2 is tested in a guest (test_v2_guest.py)
        pytest.skip(
            reason=f"making a hidden quota needs root and a cgroup v1 cpu controller at {CPU}"
        )
    if shutil.which("unshare") is None:
        # only it hides the groups above, and pip cannot bring it; Linux systems have it
        pytest.skip(reason="unshare is not installed, which hides control groups (util-linux)")
    folder = CPU / f"whisper-bench-task-{os.getpid()}"
    (folder / "box").mkdir(parents=True)
    try:
        (folder / "cpu.cfs_quota_us").write_text(str(QUOTA_US))
        # the most weight, so that it reaches its quota whoever else runs
        (folder / "cpu.shares").write_text("262144")
        yield folder
    finally:
        (folder / "box").rmdir()
        folder.rmdir()


def inside(task, view, command, **settings):
    """Run a command in the group below the one with the quota, from where that cannot be seen."""
    unshare, mount = VIEWS[view]
    script = (
        f'echo $$ >"$LEAF/cgroup.procs" && exec {unshare} sh -c \'{mount} && exec "$@"\' sh "$@"'
    )
    environment = {**os.environ, "LEAF": str(task / "box"), "CPU": str(CPU)}
    return subprocess.run(
        ["sh", "-c", script, "sh", *command],
        env=environment, capture_output=True, text=True, check=False, **settings,
    )  # fmt: skip


def counts(task):
    """Return the periods and the throttled periods of the hidden group."""
    lines = (task / "cpu.stat").read_text().splitlines()
    stat = dict(line.split() for line in lines)
    return int(stat["nr_periods"]), int(stat["nr_throttled"])


@pytest.mark.alone
@pytest.mark.parametrize("view", VIEWS)
def test_the_stress_test_fails_under_a_hidden_quota(
    task, view, pytester, toy_arguments, record_property
):
    pytester.makepyfile(test_bench=BENCHMARK)
    done = inside(
        task, view,
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *toy_arguments, "--stress",
         "--whisper-threads=1", "--whisper-rounds=20", "--whisper-processes=1",
         "--benchmark-save=ecs"],
        cwd=pytester.path,
    )  # fmt: skip
    periods, throttled = counts(task)
    record_property("periods throttled in the hidden group", f"{throttled} of {periods}")
    assert throttled >= 0.25 * periods > 0
    said = done.stdout + done.stderr
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, said
    assert "stress test FAILED, throttling or no evidence: base-t1-noise UNKNOWN" in said
    assert f"the control groups above {CPU}" in said
    assert "no CPU limit in force can be seen" in said
    assert "look at the CPU limit of the task definition or Pod" in said
    assert "no quota in force" not in said
    judged = subprocess.run(
        [str(Path(sys.executable).parent / "whisper-bench"), "throttling", "ecs"],
        cwd=pytester.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert judged.returncode == 1, judged.stderr
    assert "base-t1-noise: it is unknown if a quota is in force" in judged.stdout


def test_a_demand_above_a_hidden_quota_gets_the_reason(task, pytester, toy_arguments):
    pytester.makepyfile(test_bench=BENCHMARK)
    done = inside(
        task, "bind",
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *toy_arguments,
         "--whisper-cpu-limit=1"],
        cwd=pytester.path,
    )  # fmt: skip
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout + done.stderr
    assert f"({CPU}: Invalid argument: a control group above has a smaller quota)" in done.stderr


@pytest.mark.alone
def test_a_demand_under_a_hidden_quota_calls_the_limit_unknown(task, pytester, toy_arguments):
    pytester.makepyfile(test_bench=BENCHMARK)
    read_only = 'mount -o remount,bind,ro "$CPU" && exec "$@"'
    done = inside(
        task, "bind",
        ["sh", "-c", read_only, "sh", sys.executable, "-m", "pytest", "-p", "no:cacheprovider",
         *toy_arguments, "--whisper-cpu-limit=1"],
        cwd=pytester.path,
    )  # fmt: skip
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout + done.stderr
    assert "--whisper-cpu-limit=1: the CPU limit in force is not known" in done.stderr
    assert "docker run --rm --cpus=1 IMAGE" in done.stderr
