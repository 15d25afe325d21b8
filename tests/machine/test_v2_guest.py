"""cgroup v2 for real: a user-mode-linux guest has it where the host's controllers are version 1."""

import json
import shlex
import shutil
import subprocess
import sys

import pytest

from support.project import ADDOPTS, BENCHMARK, ROOT

INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t cgroup2 none /sys/fs/cgroup
{python} {program} > {answer} 2>&1
echo o > /proc/sysrq-trigger
sleep 60
"""

PROGRAM = """
import json, subprocess, sys
sys.path.insert(0, {plugins!r})
from whisper_bench.machine.quota import QuotaGroup
from whisper_bench.machine.cpu_limit import cpu_limit_in_force

BURN = '''
import json, sys, time
sys.path.insert(0, {plugins!r})
sys.stdin.readline()
import msgspec
from whisper_bench.machine.counters import counters_of
from whisper_bench.machine.cpu_limit import cpu_limit_in_force, quota_groups
start = end = counters_of(quota_groups()[0])
start_s = time.perf_counter()
while end.throttled_periods < start.throttled_periods + 10 and time.perf_counter() < start_s + 300:
    end = counters_of(quota_groups()[0])
seen = end.since(start)
print(json.dumps(dict(limit=msgspec.to_builtins(cpu_limit_in_force()), seen=msgspec.to_builtins(seen))))
'''

group = QuotaGroup(0.5)
with subprocess.Popen(
    [sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
) as process:
    group.add(process.pid)
    told = json.loads(process.communicate("go\\n")[0])
group.close()
print(json.dumps(dict(told, version=group.group.version, outside=cpu_limit_in_force().cpus,
                      left=group.group.folder.exists(),
                      on=open("/sys/fs/cgroup/cgroup.subtree_control").read().split())))
"""


HIDDEN_INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t cgroup2 none /sys/fs/cgroup
export HOME={folder} LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin:/sbin
export PYTHONPATH={plugins} PYTEST_ADDOPTS="{addopts}"
cd {folder}
(
    echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
    mkdir -p /sys/fs/cgroup/task/box
    echo "50000 100000" >/sys/fs/cgroup/task/cpu.max
    echo +cpu >/sys/fs/cgroup/task/cgroup.subtree_control
    sh box.sh
    echo "exit status $?"
    cat /sys/fs/cgroup/task/cpu.stat
) >{answer} 2>&1
echo o > /proc/sysrq-trigger
sleep 60
"""

BOX = """
echo $$ >/sys/fs/cgroup/task/box/cgroup.procs
exec unshare --mount --cgroup sh inside.sh
"""

INSIDE = """
umount /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec {command}
"""


def booted(tmp_path, init_text):
    """Boot a guest that runs a script as its init; skipped with the reason where it cannot be."""
    guest = shutil.which("linux.uml")
    if guest is None:
        pytest.skip("no user-mode-linux here (Debian: apt-get install user-mode-linux)")
    init = tmp_path / "init.sh"
    init.write_text(init_text)
    init.chmod(0o755)
    subprocess.run(
        [guest, "mem=1G", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw", "quiet",
         "con=null", "con0=null", f"init={init}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        timeout=600, check=False, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )  # fmt: skip


@pytest.mark.alone
def test_the_stress_test_fails_under_a_quota_above_the_namespace(
    tmp_path, toy_arguments, record_property
):
    (tmp_path / "test_bench.py").write_text(BENCHMARK)
    answer = tmp_path / "answer.txt"
    command = [
        sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *toy_arguments, "--stress",
        "--whisper-threads=1", "--whisper-rounds=4", "--whisper-processes=1",
    ]  # fmt: skip
    (tmp_path / "box.sh").write_text(BOX)
    (tmp_path / "inside.sh").write_text(INSIDE.format(command=shlex.join(command)))
    booted(
        tmp_path,
        HIDDEN_INIT.format(
            plugins=ROOT / "plugins", addopts=ADDOPTS, folder=tmp_path, answer=answer,
        ),
    )  # fmt: skip
    said = answer.read_text()
    stat = dict(line.split() for line in said.splitlines() if line.startswith("nr_"))
    record_property("periods throttled in the hidden group", f"{stat}")
    assert int(stat["nr_throttled"]) >= 0.25 * int(stat["nr_periods"]) > 0
    assert "exit status 1" in said
    assert "base-t1-noise UNKNOWN" in said
    assert "the control groups above /sys/fs/cgroup are hidden from here" in said
    assert "no quota in force" not in said


@pytest.mark.alone
def test_a_quota_in_version_2_is_made_seen_counted_and_removed(tmp_path):
    program, answer = tmp_path / "program.py", tmp_path / "answer.txt"
    program.write_text(PROGRAM.format(plugins=str(ROOT / "plugins")))
    booted(tmp_path, INIT.format(python=sys.executable, program=program, answer=answer))
    report = json.loads(answer.read_text())
    assert report["version"] == 2
    assert (report["limit"]["cpus"], report["limit"]["source"]) == (0.5, "cgroup v2 quota")
    assert report["limit"]["quota_group"].startswith("/sys/fs/cgroup/whisper-bench-")
    assert report["outside"] is None
    assert 10 <= report["seen"]["throttled_periods"] <= report["seen"]["periods"]
    assert report["seen"]["throttled_s"] > 0
    assert 0 < report["seen"]["usage_s"] <= 0.05 * (report["seen"]["periods"] + 2)
    assert report["left"] is False
    assert report["on"] == []  # the controller was switched on for the run, and off after it
