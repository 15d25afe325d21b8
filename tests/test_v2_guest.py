"""cgroup v2 for real: a user-mode-linux guest has it where the host's controllers are version 1."""

import json
import shutil
import subprocess
import sys

import pytest

from conftest import ROOT

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
from whisper_bench.quota import QuotaGroup
from whisper_bench.cpu_limit import cpu_limit_in_force

BURN = '''
import json, sys, time
sys.path.insert(0, {plugins!r})
sys.stdin.readline()
import msgspec
from whisper_bench.counters import counters_of
from whisper_bench.cpu_limit import cpu_limit_in_force, quota_group
start = counters_of(quota_group())
end_s = time.perf_counter() + 2
while time.perf_counter() < end_s: pass
seen = counters_of(quota_group()).since(start)
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


@pytest.mark.alone
def test_a_quota_in_version_2_is_made_seen_counted_and_removed(tmp_path):
    guest = shutil.which("linux.uml")
    if guest is None:
        pytest.skip("no user-mode-linux here (Debian: apt-get install user-mode-linux)")
    program, answer, init = (tmp_path / name for name in ("program.py", "answer.txt", "init.sh"))
    program.write_text(PROGRAM.format(plugins=str(ROOT / "plugins")))
    init.write_text(INIT.format(python=sys.executable, program=program, answer=answer))
    init.chmod(0o755)
    subprocess.run(
        [guest, "mem=512M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw", "quiet",
         "con=null", "con0=null", f"init={init}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        timeout=120, check=False, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )  # fmt: skip
    told = json.loads(answer.read_text())
    assert told["version"] == 2
    assert (told["limit"]["cpus"], told["limit"]["source"]) == (0.5, "cgroup v2 quota")
    assert told["limit"]["quota_group"].startswith("/sys/fs/cgroup/whisper-bench-")
    assert told["outside"] is None
    assert told["seen"]["throttled_periods"] >= 0.5 * told["seen"]["periods"] > 0
    assert 0.3 < told["seen"]["throttled_s"] < 2.5
    assert 0.5 < told["seen"]["usage_s"] < 1.6
    assert told["left"] is False
    assert told["on"] == []  # the controller was switched on for the run, and off after it
