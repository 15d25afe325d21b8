import subprocess
import sys
from pathlib import Path

import pytest

from support.processes import wait_until
from support.trees import grow, v2
from whisper_bench.errors import BenchError
from whisper_bench.machine import quota
from whisper_bench.machine.cgroup import CpuGroup, CpuTree, cpu_tree
from whisper_bench.machine.quota import QuotaGroup

pytestmark = pytest.mark.alone


@pytest.fixture
def group():
    """A real group with a quota of half a CPU; skipped with the reason where none can be made."""
    try:
        made = QuotaGroup(0.5)
    except BenchError as error:
        # a real quota is what is tested: the kernel lets only root make one, and macOS has none
        pytest.skip(f"no control group can be made here: {error}")
    # the most weight there is, so that it reaches its quota whoever else runs
    name, most = ("cpu.shares", "262144") if made.group.version == 1 else ("cpu.weight", "10000")
    (made.group.folder / name).write_text(most)
    yield made
    made.close()


def test_a_process_in_the_group_is_under_the_quota_and_throttled(group):
    program = """
import sys, time
sys.stdin.readline()
from whisper_bench.machine.counters import counters_of
from whisper_bench.machine.cpu_limit import cpu_limit_in_force, quota_groups
group = quota_groups()[0]
start = seen = counters_of(group)
start_s, cpu_s = time.perf_counter(), time.process_time()
while seen.throttled_periods < start.throttled_periods + 10 and time.perf_counter() < start_s + 120:
    seen = counters_of(group)
wall_s, cpu_s = time.perf_counter() - start_s, time.process_time() - cpu_s
print(cpu_limit_in_force().cpus, wall_s, cpu_s, seen.since(start).throttled_periods)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        group.add(process.pid)
        output, _ = process.communicate("go\n")
    cpus, wall_s, cpu_s, throttled = map(float, output.split())
    assert cpus == 0.5
    assert 0 < cpu_s <= 0.5 * wall_s + 0.1  # the quota, and a period that had begun
    assert throttled >= 10


def test_closing_removes_the_group(group):
    assert group.group.folder.is_dir()
    group.close()
    assert not group.group.folder.exists()
    assert group._watcher.returncode == 0


def test_a_group_is_removed_when_its_process_is_killed(group):
    group.close()
    program = """
import os, signal
from whisper_bench.machine.quota import QuotaGroup, held_cpus, is_held
from whisper_bench.session import limit
print(QuotaGroup(0.5).group.folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    folder = Path(done.stdout.strip())
    assert folder.name.startswith("whisper-bench-")
    wait_until(lambda: not folder.exists(), f"{folder} was left behind")


def test_without_a_tree_no_group_is_made(tmp_path):
    with pytest.raises(BenchError, match=r"can be made here \(this system has no cgroup tree\)"):
        QuotaGroup(1, tmp_path)


def test_a_tree_without_permission_is_named_with_the_remedy(tmp_path):
    root = grow(tmp_path, v2("/a", {"a/cpu.max": "max 100000\n"}))
    with pytest.raises(BenchError) as caught:  # plain folders have no controls to write
        QuotaGroup(1, root)
    assert f"{root}/sys/fs/cgroup/a: No such file or directory" in str(caught.value)
    assert "docker run --rm --cpus=1 IMAGE" in str(caught.value)
    assert list((root / "sys/fs/cgroup/a").iterdir()) == [root / "sys/fs/cgroup/a/cpu.max"]


@pytest.mark.parametrize("failing", [1, 2])
def test_an_interrupt_at_any_step_leaves_no_group(monkeypatch, failing):
    """The first process is the trial's, the second the watcher."""
    try:
        QuotaGroup(0.5).close()
    except BenchError as error:
        # a real quota is what is tested: the kernel lets only root make one, and macOS has none
        pytest.skip(f"no control group can be made here: {error}")
    started = []

    def popen(*arguments, **settings):
        started.append(arguments)
        if len(started) == failing:
            raise KeyboardInterrupt
        return real(*arguments, **settings)

    def groups():
        return {path for group in cpu_tree().groups for path in group.folder.glob("whisper-*")}

    real = subprocess.Popen
    monkeypatch.setattr(quota.subprocess, "Popen", popen)
    before = groups()
    with pytest.raises(KeyboardInterrupt):
        QuotaGroup(0.5)
    assert groups() == before


def test_the_controller_of_version_2_is_switched_on_if_needed(tmp_path):
    control = tmp_path / "cgroup.subtree_control"
    control.write_text("memory\n")
    assert quota._switch_on(CpuGroup(2, tmp_path)) == control
    assert control.read_text().startswith("+cpu")
    control.write_text("cpu memory\n")
    assert quota._switch_on(CpuGroup(2, tmp_path)) is None


def test_the_quota_of_version_2_is_written_to_cpu_max(tmp_path, monkeypatch):
    """What the kernel's files are written, where a group's files appear with it as in version 2."""
    made = Path.mkdir

    def mkdir(self, *arguments, **settings):
        made(self, *arguments, **settings)
        for name in ("cpu.max", "cgroup.procs"):
            (self / name).touch()

    monkeypatch.setattr(Path, "mkdir", mkdir)
    group = quota._limited(CpuGroup(2, tmp_path / "whisper-bench-1"), 0.25)
    assert (group.folder / "cpu.max").read_text() == "25000 100000"
    assert (group.folder / "cgroup.procs").read_text().isdigit()


def test_closing_switches_the_controller_off_again(tmp_path, monkeypatch):
    (tmp_path / "group").mkdir()
    control = tmp_path / "cgroup.subtree_control"
    control.write_text("memory")
    made = CpuGroup(2, tmp_path / "group"), control
    monkeypatch.setattr(quota, "_made", lambda _cpus, _tree: made)
    QuotaGroup(1).close()
    assert control.read_text().startswith("-cpu")
    assert not (tmp_path / "group").exists()


def test_a_failed_group_switches_the_controller_off_again(tmp_path, monkeypatch):
    control = tmp_path / "cgroup.subtree_control"
    control.write_text("memory")

    def refused(_group, _cpus):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(quota, "_limited", refused)
    with pytest.raises(BenchError, match="Permission denied"):
        quota._made(1.0, CpuTree([CpuGroup(2, tmp_path)]))
    assert control.read_text().startswith("-cpu")
