"""The memory that is left, from recorded trees."""

import os

import pytest

from whisper_bench.machine import memory

MEMINFO = "MemTotal: 100 kB\nMemAvailable:    64 kB\n"


@pytest.mark.parametrize(
    ("files", "available"),
    [
        ({"proc/meminfo": MEMINFO}, 64 * 1024),
        (
            {
                "proc/meminfo": MEMINFO,
                "sys/fs/cgroup/memory.max": "50000\n",
                "sys/fs/cgroup/memory.current": "30000\n",
                "sys/fs/cgroup/memory.stat": "anon 1\ninactive_file 10000\n",
            },
            30_000,
        ),
        (
            {
                "proc/meminfo": MEMINFO,
                "sys/fs/cgroup/memory.max": "max\n",
                "sys/fs/cgroup/memory.current": "30000\n",
                "sys/fs/cgroup/memory.stat": "anon 1\n",
            },
            64 * 1024,
        ),
        (
            {
                "proc/meminfo": MEMINFO,
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "40000\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "39000\n",
                "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 500\n",
            },
            1500,
        ),
    ],
    ids=["machine", "v2", "v2-no-limit", "v1"],
)
def test_the_memory_that_is_left_is_the_machines_or_the_groups(tmp_path, files, available):
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    assert memory.available_bytes(tmp_path) == available


def test_a_system_without_proc_has_all_its_memory_or_says_nothing(tmp_path, monkeypatch):
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert memory.available_bytes(tmp_path) == whole
    monkeypatch.setattr(memory.os, "sysconf", lambda _name: int("no such name"))
    assert memory.available_bytes(tmp_path) is None
