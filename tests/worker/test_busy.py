"""Busy threads as evidence that no hidden quota throttles: what they prove, and what they do not."""

import msgspec
import pytest

from support.quotas import quota_of
from support.samples import LIMIT, NO_LIMIT
from whisper_bench.machine.cpu_limit import (
    BUSY_SHARE,
    BusyThreads,
    CpuLimit,
    no_limit_warning,
    no_limit_words,
)
from whisper_bench.worker.busy import busy_threads, with_busy_threads

HIDDEN = msgspec.structs.replace(NO_LIMIT, tree="groups above are hidden", source="unknown: x")
ALL_OF_TWO = BusyThreads(2, 3.99, 2.0)


def got(share):
    return lambda threads: BusyThreads(threads, share * threads * 2.0, 2.0)


def never(_threads):
    raise AssertionError("files can tell, so no CPU is spent")


@pytest.mark.parametrize(
    "limit",
    [
        NO_LIMIT,
        LIMIT,
        msgspec.structs.replace(LIMIT, tree="groups above are hidden"),
        msgspec.structs.replace(HIDDEN, quota_trouble="/x: Permission denied"),
        CpuLimit(None, "unknown: this system has no cgroup tree", None, None, None, 8, "no tree"),
    ],
)
def test_no_threads_are_tried_if_files_show_the_limit(limit):
    assert with_busy_threads(limit, 2, never) == limit


def test_threads_that_got_all_their_cpus_are_under_no_quota():
    limit = with_busy_threads(HIDDEN, 2, got(0.99))
    assert not limit.hides_a_quota
    assert limit.unknown is None
    assert limit.source == "none: 2 busy thread(s) got 1.98 CPU for 2.0 s"


@pytest.mark.parametrize("share", [0.5, BUSY_SHARE - 0.001])
def test_threads_that_got_less_prove_nothing(share):
    """A neighbour takes CPU as well, so that this is no quota either."""
    limit = with_busy_threads(HIDDEN, 2, got(share))
    assert limit.hides_a_quota
    assert limit.source == "unknown: x"
    assert limit.busy.cpu_s < 4


def test_an_affinity_stays_the_limit_and_bounds_the_threads():
    pinned = msgspec.structs.replace(HIDDEN, cpus=1, source="affinity", affinity_cpus=1)
    limit = with_busy_threads(pinned, 4, got(1.0))
    assert (limit.busy.threads, limit.source) == (1, "affinity")
    assert not limit.hides_a_quota


def test_one_cpu_under_a_hidden_quota_is_not_known():
    pinned = msgspec.structs.replace(HIDDEN, cpus=1, source="affinity", affinity_cpus=1)
    assert with_busy_threads(pinned, 1, got(0.5)).unknown == "groups above are hidden"


@pytest.mark.alone
def test_a_real_quota_stops_busy_threads():
    """What the threads got, and the kernel's own count beside it; a neighbour only lowers both."""
    with quota_of(100_000) as folder:
        (folder / "tasks").stat()
        had = _in_group(folder, threads=2)
        stat = dict(line.split() for line in (folder / "cpu.stat").read_text().splitlines())
    assert not had.had_all
    assert had.cpu_s <= 0.6 * had.threads * had.wall_s
    assert int(stat["nr_periods"]) > 0


def _in_group(folder, threads):
    import subprocess
    import sys

    program = """
import os, sys, msgspec
open(sys.argv[1] + "/cgroup.procs", "w").write(str(os.getpid()))
from whisper_bench.worker.busy import busy_threads
print(msgspec.json.encode(busy_threads(int(sys.argv[2]))).decode())
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder), str(threads)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return msgspec.json.decode(done.stdout, type=BusyThreads)


def test_busy_threads_count_their_own_cpu_time():
    had = busy_threads(2, 0.1)
    assert had.threads == 2
    assert had.wall_s >= 0.1
    assert 0 < had.cpu_s <= 1.01 * 2 * had.wall_s


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (NO_LIMIT, "no CPU limit in force (none)"),
        (HIDDEN, "no CPU limit in force can be seen (groups above are hidden)"),
        (
            msgspec.structs.replace(HIDDEN, busy=ALL_OF_TWO),
            "no CPU limit in force (2 busy thread(s) got 2.00 CPU for 2.0 s; groups above are hidden)",
        ),
        (
            CpuLimit(None, "unknown: /x", None, None, 8, 8, "/x"),
            "no CPU limit in force can be seen (/x)",
        ),
    ],
)
def test_the_words_for_no_limit_say_what_was_not_seen(limit, words):
    assert no_limit_words(limit) == words


def test_the_warning_on_a_machine_of_one_cpu_has_the_remedies():
    one = CpuLimit(None, "none", None, None, 1, 1, tree="whole")
    warning = no_limit_warning(one)
    assert warning.startswith(
        "WARNING: no CPU limit in force (none); results record cpu_limit null. "
    )
    assert "has only one CPU, but that does not count as a limit" in warning
    for remedy in ("--whisper-cpu-limit=1 as root", "systemd-run", "lxc config set", "docker run"):
        assert remedy in warning
    assert "one CPU" not in no_limit_warning(NO_LIMIT)


def test_a_limit_is_shown_with_its_source():
    assert [str(limit) for limit in (LIMIT, NO_LIMIT, HIDDEN)] == [
        "1 (cgroup v2 quota)", "none", "not known (groups above are hidden)",
    ]  # fmt: skip
