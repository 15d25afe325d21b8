import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.trees import grow, v2
from whisper_bench.errors import BenchError
from whisper_bench.machine import quota
from whisper_bench.machine.cgroup import CpuGroup, CpuTree, cpu_tree
from whisper_bench.machine.cpu_limit import CpuLimit
from whisper_bench.machine.quota import QuotaGroup, held_cpus, is_held
from whisper_bench.session import limit

pytestmark = pytest.mark.alone


@pytest.fixture
def group():
    """A real group with a quota of half a CPU; skipped with the reason where none can be made."""
    try:
        made = QuotaGroup(0.5)
    except BenchError as error:
        pytest.skip(f"no control group can be made here: {error}")
    # the most weight there is, so that it reaches its quota whoever else runs
    name, most = ("cpu.shares", "262144") if made.group.version == 1 else ("cpu.weight", "10000")
    (made.group.folder / name).write_text(most)
    yield made
    made.close()


def _preferred(group):
    """Let the group's processes run before others, so that the quota alone holds them back."""
    for name, most in (("cpu.shares", "262144"), ("cpu.weight", "10000")):
        if (group.group.folder / name).exists():
            (group.group.folder / name).write_text(most)


def test_a_process_in_the_group_is_under_the_quota_and_throttled(group):
    program = """
import sys, time
sys.stdin.readline()
from whisper_bench.machine.counters import counters_of
from whisper_bench.machine.cpu_limit import cpu_limit_in_force, quota_groups
start = counters_of(quota_groups()[0])
end_s, cpu_s = time.perf_counter() + 1.5, time.process_time()
while time.perf_counter() < end_s: pass
seen = counters_of(quota_groups()[0]).since(start)
print(cpu_limit_in_force().cpus, time.process_time() - cpu_s, seen.periods, seen.throttled_periods)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        _preferred(group)
        group.add(process.pid)
        output, _ = process.communicate("go\n")
    cpus, cpu_s, periods, throttled = map(float, output.split())
    assert cpus == 0.5
    assert 0.2 < cpu_s < 1.0  # 0.75 s of 1.5 s on a quiet machine
    assert throttled >= 0.5 * periods > 0


def test_closed_groups_are_gone(group):
    assert group.group.folder.is_dir()
    group.close()
    assert not group.group.folder.exists()
    assert group._watcher.returncode == 0


def test_a_group_goes_when_its_maker_is_killed(group):
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
    deadline_s = time.monotonic() + 10
    while folder.exists():
        assert time.monotonic() < deadline_s, f"{folder} was left behind"
        time.sleep(0.05)


def test_no_tree_no_group(tmp_path):
    with pytest.raises(BenchError, match=r"can be made here \(this system has no cgroup tree\)"):
        QuotaGroup(1, tmp_path)


def test_a_tree_that_refuses_is_named_with_the_remedy(tmp_path):
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


def test_more_cpus_than_there_are_is_refused_before_anything_is_made(monkeypatch):
    monkeypatch.setattr(limit, "QuotaGroup", None)
    with pytest.raises(BenchError, match=r"in force is none, and only 2 CPU\(s\) can be used"):
        limit.quota_for(4.0, CpuLimit(None, "none", None, None, 2, 2))


def test_version_2s_controller_is_switched_on_and_off_again(tmp_path):
    control = tmp_path / "cgroup.subtree_control"
    control.write_text("memory\n")
    assert quota._switch_on(CpuGroup(2, tmp_path)) == control
    assert control.read_text().startswith("+cpu")
    control.write_text("cpu memory\n")
    assert quota._switch_on(CpuGroup(2, tmp_path)) is None


def test_version_2_is_given_its_one_control(tmp_path, monkeypatch):
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


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_another_user_without_delegation_is_told(pytester, toy_arguments):
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


def test_a_demand_that_cannot_be_met_says_what_is_in_force(monkeypatch):
    def refused(_cpus):
        raise BenchError("no control group can be made here")

    monkeypatch.setattr(limit, "QuotaGroup", refused)
    unlimited = CpuLimit(None, "none", None, None, 8, 8)
    with pytest.raises(BenchError, match="the CPU limit in force is none, and no control group"):
        limit.quota_for(1.0, unlimited)


def test_what_was_switched_on_is_switched_off_at_the_end(tmp_path, monkeypatch):
    (tmp_path / "group").mkdir()
    control = tmp_path / "cgroup.subtree_control"
    control.write_text("memory")
    made = CpuGroup(2, tmp_path / "group"), control
    monkeypatch.setattr(quota, "_made", lambda _cpus, _tree: made)
    QuotaGroup(1).close()
    assert control.read_text().startswith("-cpu")
    assert not (tmp_path / "group").exists()


def test_a_controller_that_was_switched_on_for_nothing_is_switched_off(tmp_path, monkeypatch):
    control = tmp_path / "cgroup.subtree_control"
    control.write_text("memory")

    def refused(_group, _cpus):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(quota, "_limited", refused)
    with pytest.raises(BenchError, match="Permission denied"):
        quota._made(1.0, CpuTree([CpuGroup(2, tmp_path)]))
    assert control.read_text().startswith("-cpu")


@pytest.mark.parametrize(
    ("cpus", "held"),
    [(1.0, 1.0), (0.3333333, 0.33333), (2 / 3, 0.66667), (0.01, 0.01)],
)
def test_the_kernel_holds_whole_microseconds(cpus, held):
    assert held_cpus(cpus) == held
    assert is_held(held, held_cpus(cpus))


def test_a_quota_below_the_kernels_smallest_is_refused_with_it():
    with pytest.raises(BenchError, match=r"0\.009 CPU is too small.* 0\.01 CPU is the smallest"):
        QuotaGroup(0.009)
    with pytest.raises(BenchError, match=r"--whisper-cpu-limit=0\.001: .*too small"):
        limit.held_limit(0.001)


def test_a_limit_in_force_is_the_one_demanded_to_the_microsecond():
    assert (
        limit.quota_for(0.66667, CpuLimit(0.66666, "cgroup v2 quota", 0.66666, "/", 8, 8)) is None
    )
    assert not is_held(0.66667, 0.66665)
    assert not is_held(1.0, None)


def test_a_limit_that_is_not_known_is_not_called_none(monkeypatch):
    def refused(_cpus):
        raise BenchError("no control group can be made here")

    monkeypatch.setattr(limit, "QuotaGroup", refused)
    hidden = CpuLimit(None, "unknown: x", None, None, 8, 8, tree="groups above are hidden")
    with pytest.raises(BenchError, match=r"in force is not known \(groups above are hidden\), and"):
        limit.quota_for(1.0, hidden)
