"""The stress test on the toy model and real control groups; what the real model says is in docs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from whisper_bench.errors import BenchError
from whisper_bench.machine.quota import QuotaGroup
from whisper_bench.results.files import load_results


@pytest.fixture(scope="module")
def groups():
    """Skip with the reason where no control group can be made."""
    try:
        QuotaGroup(1).close()
    except BenchError as error:
        pytest.skip(f"no control group can be made here: {error}")


BUSY_LOOP = """
import time
end_s = time.monotonic() + 600
while time.monotonic() < end_s: pass
"""


@pytest.fixture
def neighbours():
    """Two busy loops for each CPU, so that a thread gets a third of one; they end with the test."""
    loops = [
        subprocess.Popen([sys.executable, "-c", BUSY_LOOP])
        for _ in range(2 * len(os.sched_getaffinity(0)))
    ]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()


@pytest.mark.usefixtures("groups", "neighbours")
@pytest.mark.alone
def test_beside_busy_loops_nothing_passes(toy_bench, pytester):
    """Threads that never get their quota's CPU are not throttled, and would be when it is quiet."""
    outcome = toy_bench(
        "--stress", "--whisper-threads=2", "--whisper-cpu-limit=1", "--benchmark-save=busy",
        "--whisper-rounds=40", "--whisper-processes=1",
    )  # fmt: skip
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    (saved,) = pytester.path.glob(".benchmarks/*/*.json")
    report = json.loads(saved.read_text())["whisper_bench"]["throttling"]
    (case,) = report["cases"]
    assert case["throttled_share"] < 0.25
    assert "UNKNOWN" in case["findings"]
    outcome.stdout.fnmatch_lines(
        ["*base-t2-noise: in up to * of 40 rounds other processes may have*"]
    )
    assert "measure again on a quiet machine" in outcome.stdout.str()
    assert outcome.outlines[-1].startswith("stress test FAILED, throttling or no evidence: ")


@pytest.mark.usefixtures("groups")
def test_a_quarter_of_a_cpu_throttles_even_one_thread(toy_bench, pytester):
    outcome = toy_bench(
        "--stress", "--whisper-threads=1", "--whisper-cpu-limit=0.25", "--benchmark-save=xeon",
        "--whisper-rounds=40", "--whisper-processes=1",
    )  # fmt: skip
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.assert_outcomes(passed=1)
    outcome.stdout.fnmatch_lines(
        ["the workers run under a quota of 0.25 CPU, in the control group *"]
    )
    assert "no CPU limit in force" not in outcome.stdout.str()
    outcome.stdout.fnmatch_lines(
        ["*x fewer*periods throttled*verdict", "base-t1-noise *QUOTA_THROTTLED"]
    )
    last = outcome.outlines[-1]
    assert last.startswith(
        "stress test FAILED, throttling or no evidence: base-t1-noise QUOTA_THROTTLED"
    )
    (path,) = (pytester.path / "benchmark_results").glob("*.json")
    result = load_results(path)
    assert result.cpu_limit == 0.25
    assert (
        result.detail.record.cpu_limit.source == "cgroup v1 quota"
        or "v2" in result.detail.record.cpu_limit.source
    )
    assert result.detail.throttling.verdict == "QUOTA_THROTTLED"
    assert result.detail.throttling.counters.periods >= 100
    assert not Path(result.detail.record.cpu_limit.quota_group).exists()
    (saved,) = pytester.path.glob(".benchmarks/*/*.json")
    report = json.loads(saved.read_text())["whisper_bench"]["throttling"]
    assert report["cases"][0]["verdict"] == "QUOTA_THROTTLED"
    judged = subprocess.run(
        [str(Path(sys.executable).parent / "whisper-bench"), "throttling", "xeon", "--json"],
        cwd=pytester.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert judged.returncode == 1
    assert json.loads(judged.stdout) == report


@pytest.mark.usefixtures("groups")
def test_too_few_periods_are_no_pass_unless_only_a_warning_is_wanted(toy_bench, pytester):
    arguments = ("--stress", "--whisper-cpu-limit=1", "--whisper-rounds=2", "--whisper-threads=1")
    outcome = toy_bench(*arguments)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["*fewer than 100 periods, measure more rounds*"])
    assert "base-t1-noise UNKNOWN" in outcome.outlines[-1]
    warned = toy_bench(*arguments, "--whisper-on-throttling=warn")
    assert warned.ret == 0
    assert warned.outlines[-1].startswith("stress test WARNING")


def test_a_sweep_that_is_not_whole_never_ends_in_passed(bench, pytester):
    pytester.makeconftest(
        """
        import pytest
        def pytest_collection_modifyitems(items):
            items[-1].add_marker(pytest.mark.skip(reason="not today"))
        """
    )
    outcome = bench("--stress", "--whisper-threads=1,2", "--whisper-rounds=1")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    assert outcome.outlines[-1].startswith("stress test INCOMPLETE: base-t1-noise ")
    assert outcome.outlines[-1].endswith("not measured completely: base-t2-noise")


def test_the_sweep_is_1_2_and_4_threads_unless_others_are_named(bench):
    collected = bench("--stress", "--collect-only", "-q")
    collected.stdout.fnmatch_lines(
        ["*[[]base-t1-noise]", "*[[]base-t2-noise]", "*[[]base-t4-noise]"]
    )
    named = bench("--stress", "--collect-only", "-q", "--whisper-threads=3")
    assert "base-t4" not in named.stdout.str()


def test_a_limit_smaller_than_demanded_is_refused(bench, pytester):
    pytester.makeconftest("import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})")
    outcome = bench("--whisper-cpu-limit=1.5")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(
        ["*the CPU limit in force is 1 (affinity), and only 1 CPU(s) can be used*"]
    )


def test_without_a_limit_a_plain_run_says_what_it_found(bench):
    outcome = bench("--whisper-rounds=2", "--whisper-threads=1,2")
    assert outcome.ret == 0
    assert "stress test" not in outcome.stdout.str()


@pytest.mark.usefixtures("groups")
def test_a_third_of_a_cpu_is_what_the_kernel_holds_of_it(bench, pytester):
    outcome = bench(
        "--whisper-cpu-limit=0.3333333", "--whisper-rounds=1", "--whisper-processes=1",
        "--benchmark-save=third",
    )  # fmt: skip
    assert outcome.ret == 0
    outcome.stdout.fnmatch_lines(
        [
            "--whisper-cpu-limit=0.3333333: *so 0.33333 CPU is set and recorded",
            "the workers run under a quota of 0.33333 CPU*",
        ]
    )
    (path,) = (pytester.path / "benchmark_results").glob("*.json")
    assert load_results(path).cpu_limit == 0.33333


def test_a_limit_that_the_kernel_does_not_take_is_misuse(bench):
    outcome = bench("--whisper-cpu-limit=0.001")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*--whisper-cpu-limit*0.001*0.01*"])
