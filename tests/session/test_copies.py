"""Several copies on the toy: what is saved of them, and what becomes of one that dies or stops."""

import json
import os
import signal
from pathlib import Path

import pytest

from support.quotas import quota_of
from support.runs import command_of, saved
from whisper_bench.machine.cpu_limit import cpu_limit_in_force

pytestmark = pytest.mark.skipif(
    (cpu_limit_in_force().usable_cpus or 1) < 2, reason="two copies need two CPUs"
)
SHORT = ("--whisper-rounds=3", "--whisper-processes=2", "--whisper-copies=1,2")
ENDLESS = ("--whisper-rounds=100000", "--whisper-processes=1", "--whisper-copies=2")


def test_copies_are_cases_with_samples_of_all(toy_bench, pytester):
    done = toy_bench("--benchmark-save=m4", *SHORT)
    assert done.ret == 0
    lone, two = saved(pytester.path)["benchmarks"]
    assert two["name"] == f"{lone['name'][:-1]}-x2]"
    assert (lone["params"]["copies"], two["params"]["copies"]) == (1, 2)
    assert (len(lone["stats"]["data"]), len(two["stats"]["data"])) == (3, 6)
    record = two["extra_info"]["whisper_bench"]
    assert (record["copies"], record["placement"], record["planned_rounds"]) == (2, "floating", 6)
    assert [one["copy"] for one in record["rounds"]] == [1, 2] * 3
    assert [one["rounds"] for one in record["processes"]] == [4, 2]
    assert sorted(Path("benchmark_results").glob("*_x2_*.json"))
    done.stdout.fnmatch_lines(["case * copies * slowdown *"])
    done.stdout.fnmatch_lines([f"{two['name'][16:-1]} * 2 *"])


def test_rounds_of_copies_are_not_apart(toy_bench, pytester):
    assert toy_bench("--benchmark-save=m4", *SHORT).ret == 0
    record = saved(pytester.path)["benchmarks"][1]["extra_info"]["whisper_bench"]
    for process in (1, 2):
        spans = [
            [(one["start_s"], one["start_s"] + one["wall_s"]) for one in record["rounds"]
             if (one["process"], one["copy"]) == (process, copy)]
            for copy in (1, 2)
        ]  # fmt: skip
        latest_start = max(of_copy[0][0] for of_copy in spans)
        earliest_end = min(of_copy[-1][1] for of_copy in spans)
        assert latest_start < earliest_end or len(spans[0]) == 1


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the workers in /proc")
@pytest.mark.parametrize(
    ("number", "words"),
    [(signal.SIGKILL, "ended by SIGKILL"), (signal.SIGSTOP, "is stopped (SIGSTOP)")],
)
def test_a_copy_that_dies_or_stops_fails_its_case_and_ends_the_others(running, number, words):
    run = running("--benchmark-save=m4", *ENDLESS)
    run.until(10)
    pids = workers(run)
    assert len(pids) == 2
    os.kill(pids[1], number)
    said = run.end()
    assert run.process.returncode == 1, said
    assert "-x2: copy 2 of 2: the worker process" in said
    assert words in said
    assert not any(map(command_of, pids))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the workers in /proc")
def test_after_a_kill_whole_sets_are_gone_on_from(running, toy_bench, pytester):
    run = running("--benchmark-save=m4", *ENDLESS)
    run.until(11)
    run.process.kill()
    run.end()
    journal = next(Path("benchmark_results/journal").glob("*.jsonl"))
    lines = [line for line in journal.read_bytes().splitlines() if line.endswith(b"}")]
    of_rounds = [line for line in lines if json.loads(line)["type"] == "round"]
    others = [line for line in lines if json.loads(line)["type"] != "round"]
    journal.write_bytes(b"\n".join([*others, *of_rounds[:7], b""]))  # the eighth was cut off
    done = toy_bench(
        "--benchmark-save=m4", "--whisper-rounds=5", "--whisper-processes=1",
        "--whisper-copies=2", "--whisper-resume",
    )  # fmt: skip
    assert done.ret == 0
    done.stdout.fnmatch_lines(["resuming *: 6 rounds are already measured"])
    record = saved(pytester.path)["benchmarks"][0]["extra_info"]["whisper_bench"]
    assert [one["copy"] for one in record["rounds"]] == [1, 2] * 5
    assert record["resumed_rounds"] == 6


def workers(run):
    children = Path(f"/proc/{run.process.pid}/task").glob("*/children")
    pids = [int(pid) for listed in children for pid in listed.read_text().split()]
    return sorted(pid for pid in pids if b"whisper_bench.worker" in command_of(pid))


def test_more_copies_than_cpus_are_refused_before_anything_is_measured(toy_bench):
    done = toy_bench("--whisper-copies=9000")
    assert done.ret != 0
    done = toy_bench("--whisper-copies=1,8000")
    done.stderr.fnmatch_lines(["*--whisper-copies=8000: they need 8000 CPUs, and * can be used*"])


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cannot pin a process here")
def test_pinned_copies_have_a_cpu_each(toy_bench, pytester):
    done = toy_bench("--benchmark-save=m4", *SHORT, "--whisper-placement=pinned")
    assert done.ret == 0
    done.stdout.fnmatch_lines(["each worker is pinned to a CPU of its own: *"])
    for case in saved(pytester.path)["benchmarks"]:
        record = case["extra_info"]["whisper_bench"]
        assert record["placement"] == "pinned"
        assert record["cpu_limit"]["affinity_cpus"] == 1
        assert record["cpu_limit"]["cpus"] == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cannot pin a process here")
def test_pinned_runs_are_compared_with_one_another(toy_bench):
    pinned = (*SHORT, "--whisper-placement=pinned")
    assert toy_bench("--benchmark-save=m4", *pinned).ret == 0
    done = toy_bench("--benchmark-save=xeon", *pinned, "--whisper-reference=m4")
    assert done.ret == 0, done.stderr.str()
    done.stdout.fnmatch_lines(["wrote *ratio_config.json"])
    done = toy_bench(*SHORT, "--whisper-reference=m4")
    done.stderr.fnmatch_lines(["*cpu_limit: 1.0 against none*"])


def test_pinned_with_more_threads_than_its_cpu_is_refused(toy_bench):
    done = toy_bench("--whisper-placement=pinned", "--whisper-threads=1,2")
    done.stderr.fnmatch_lines(["*--whisper-placement=pinned: a worker has one CPU*2 threads*"])


def test_pinned_with_another_limit_than_one_cpu_is_refused(toy_bench):
    done = toy_bench("--whisper-placement=pinned", "--whisper-cpu-limit=1.5")
    done.stderr.fnmatch_lines(["*--whisper-placement=pinned: a worker has one CPU of its own*"])


def test_all_copies_are_one_for_each_cpu(bench):
    cpus = int(cpu_limit_in_force().usable_cpus)
    done = bench("--collect-only", "-q", "--whisper-copies=1,all")
    assert done.ret == 0
    done.stdout.fnmatch_lines([f"*-x{cpus}]*"])


@pytest.mark.parametrize("value", ["0", "some", "1,,2", "-1", "1.5"])
def test_a_number_of_copies_that_is_none_is_misuse(bench, value):
    done = bench(f"--whisper-copies={value}")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*--whisper-copies (whisper_copies): *"])


@pytest.mark.skipif(os.geteuid() != 0, reason="making control groups needs root")
def test_each_copy_has_a_quota_of_its_own(toy_bench, pytester):
    with quota_of(100_000):  # skipped with the reason where no group can be made
        pass
    done = toy_bench("--benchmark-save=m4", *SHORT, "--whisper-cpu-limit=1")
    assert done.ret == 0, done.stderr.str()
    done.stdout.fnmatch_lines(
        ["each of up to 2 workers at once runs under a quota of its own of 1*"]
    )
    for case in saved(pytester.path)["benchmarks"]:
        record = case["extra_info"]["whisper_bench"]
        assert record["cpu_limit"]["quota_cpus"] == 1
