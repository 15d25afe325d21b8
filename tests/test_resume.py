"""A run that is killed, interrupted or out of disk, on the toy model: nothing measured is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from test_plugin import results, saved
from whisper_bench.results.files import load_results


class Running:
    """A run in the background, watched through its journal."""

    def __init__(self, pytester, arguments):
        self.folder = pytester.path
        self.log = (self.folder / "log.txt").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=self.folder, stdout=self.log, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def lines(self):
        found = []
        for path in (self.folder / "benchmark_results" / "journal").glob("*.jsonl"):
            whole = path.read_bytes().rpartition(b"\n")[0]
            found += [json.loads(line) for line in whole.splitlines()]
        return found

    def rounds(self):
        return [line for line in self.lines() if line["type"] == "round"]

    def until(self, count):
        deadline_s = time.monotonic() + 60
        while len(self.rounds()) < count:
            assert time.monotonic() < deadline_s, self.end()
            assert self.process.poll() is None, self.end()
            time.sleep(0.01)

    def worker_pids(self):
        return [line["ready"]["pid"] for line in self.lines() if line["type"] == "process"]

    def end(self):
        self.process.wait(60)
        self.log.close()
        return (self.folder / "log.txt").read_text()


@pytest.fixture
def running(pytester, toy_arguments, bench):
    started = []

    def start(*arguments):
        started.append(Running(pytester, [*toy_arguments, *arguments]))
        return started[-1]

    yield start
    for run in started:
        if run.process.poll() is None:
            run.process.kill()
        run.end()


TWENTY = ("--benchmark-save=m4", "--whisper-rounds=20", "--whisper-processes=4")


def test_kill_9_loses_no_finished_round_and_resume_goes_on(running, bench, pytester):
    run = running(*TWENTY)
    run.until(7)
    run.process.send_signal(signal.SIGKILL)
    run.end()
    kept = [line["latency_s"] for line in run.rounds()]
    assert len(kept) >= 7
    assert not list(pytester.path.glob(".benchmarks/*/*.json"))
    for pid in run.worker_pids():
        assert (
            not Path(f"/proc/{pid}/cmdline").exists()
            or not Path(f"/proc/{pid}/cmdline").read_bytes()
        )
    outcome = bench(*TWENTY, "--whisper-resume")
    outcome.assert_outcomes(passed=1)
    outcome.stdout.fnmatch_lines([f"resuming m4_*.jsonl: {len(kept)} rounds are there already"])
    samples = saved(pytester.path)["benchmarks"][0]["stats"]["data"]
    assert samples[: len(kept)] == kept
    assert len(samples) == 20
    (path,) = results(pytester.path)
    result = load_results(path)
    assert (result.iterations, result.detail.resumed_rounds) == (20, len(kept))
    assert sum(process.rounds for process in result.detail.processes) == 20
    assert not run.lines()  # the journal is gone once all is saved


def test_rounds_that_are_all_there_are_saved_without_measuring_again(running, bench, pytester):
    run = running(*TWENTY)
    run.until(3)
    run.process.send_signal(signal.SIGKILL)
    run.end()
    kept = [line["latency_s"] for line in run.rounds()]
    bench("--benchmark-save=m4", "--whisper-rounds=2", "--whisper-resume").assert_outcomes(passed=1)
    assert saved(pytester.path)["benchmarks"][0]["stats"]["data"] == kept
    assert not run.lines()


def test_a_journal_whose_transcripts_differ_is_not_gone_on_from(running, bench):
    run = running(*TWENTY)
    run.until(2)
    run.process.send_signal(signal.SIGKILL)
    run.end()
    (journal,) = (run.folder / "benchmark_results" / "journal").glob("*.jsonl")
    text = run.rounds()[1]["measured"]["transcription"]["text"]
    first, found, rest = journal.read_text().partition(json.dumps(text, ensure_ascii=False))
    journal.write_text(first + '"another text"' + rest)
    assert found
    outcome = bench(*TWENTY, "--whisper-resume")
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(
        ["base-t1-noise, process *: the transcript differs from that of *"]
    )


def test_resume_refuses_another_setting_and_says_which(running, bench):
    run = running(*TWENTY)
    run.until(1)
    run.process.send_signal(signal.SIGKILL)
    run.end()
    outcome = bench(*TWENTY, "--whisper-resume", "--whisper-compute-type=float32")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*had compute_type 'int8', this one has 'float32'*"])
    told = bench("--benchmark-save=m4", "--whisper-rounds=1")
    told.stdout.fnmatch_lines(
        ["an unfinished run of 'm4' is kept in *--whisper-resume would go on*"]
    )
    assert run.rounds()


def test_ctrl_c_keeps_what_was_measured(running, pytester):
    run = running(*TWENTY)
    run.until(6)
    run.process.send_signal(signal.SIGINT)
    log = run.end()
    assert run.process.returncode == pytest.ExitCode.INTERRUPTED
    assert "INTERNALERROR" not in log
    samples = saved(pytester.path)["benchmarks"][0]["stats"]["data"]
    assert 6 <= len(samples) < 20
    assert samples == [line["latency_s"] for line in run.rounds()]
    (path,) = results(pytester.path)
    warnings = load_results(path).detail.warnings
    assert f"{len(samples)} of 20 rounds: the run was interrupted" in warnings
    assert "--whisper-resume goes on from it" in log


def test_ctrl_c_before_the_first_round(running, pytester):
    run = running(*TWENTY, "--whisper-warmup-rounds=50")
    while not list((pytester.path / "benchmark_results").glob("journal/*.jsonl")):
        time.sleep(0.01)
    time.sleep(0.5)
    run.process.send_signal(signal.SIGINT)
    log = run.end()
    assert run.process.returncode == pytest.ExitCode.INTERRUPTED
    assert "INTERNALERROR" not in log
    assert "Error" not in log
    assert results(pytester.path) == []


def test_a_killed_worker_fails_its_case_and_the_rest_goes_on(running, pytester):
    run = running(*TWENTY, "--whisper-threads=1,2")
    run.until(2)
    os.kill(run.worker_pids()[0], signal.SIGKILL)
    log = run.end()
    assert run.process.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 1 passed" in log
    assert "base-t1-noise: the worker process" in log
    assert "ended by SIGKILL in round" in log
    assert "out of memory is the usual cause" in log
    assert [each["params"]["threads"] for each in saved(pytester.path)["benchmarks"]] == [2]
    (path,) = results(pytester.path)
    assert "_t2_" in path.name
    assert "--whisper-resume goes on from it" in log


@pytest.fixture
def disk(pytester):
    """Return a function that mounts a real file system of the given size."""
    folder = pytester.path / "disk"
    folder.mkdir()

    def mount(size, *, again=False):
        if os.geteuid() != 0:
            pytest.skip("a small file system needs root to mount it")
        options = f"{'remount,' if again else ''}size={size}"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if subprocess.run(command, check=False).returncode != 0:
            pytest.skip("this machine mounts no tmpfs")
        return folder

    yield mount
    subprocess.run(["umount", str(folder)], check=False)


def test_a_storage_that_fills_up_keeps_every_round_for_the_resume(bench, disk, pytester):
    folder = disk("4k")
    pytester.makeconftest(  # another session saves meanwhile
        f"""
        def pytest_runtest_teardown(item):
            for path in __import__("pathlib").Path({str(folder)!r}).iterdir():
                (path / "0007_other.json").write_text("{{}}")
        """
    )
    arguments = (
        "--benchmark-save=m4",
        "--whisper-rounds=3",
        f"--benchmark-storage=file://{folder}",
    )
    outcome = bench(*arguments)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        ["FAILED: the run could not be saved: *No space left*--whisper-resume*"]
    )
    assert [path.name for path in folder.glob("**/*.json")] == ["0007_other.json"]
    disk("1m", again=True)
    resumed = bench(*arguments, "--whisper-resume")
    resumed.stdout.fnmatch_lines(["resuming *: 3 rounds are there already"])
    assert len(list(folder.glob("*/*_m4.json"))) == 1


def test_a_journal_that_fills_up_fails_its_case_and_can_be_resumed(bench, disk, pytester):
    folder = disk("16k")
    arguments = ("--benchmark-save=m4", "--whisper-rounds=20", f"--whisper-results={folder}")
    outcome = bench(*arguments)
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(["*journal *: No space left on device; free the disk*"])
    disk("1m", again=True)
    resumed = bench(*arguments, "--whisper-resume")
    resumed.assert_outcomes(passed=1)
    (path,) = folder.glob("*.json")
    result = load_results(path)
    assert result.iterations == 20
    assert 0 < result.detail.resumed_rounds < 20
    assert len(saved(pytester.path)["benchmarks"][0]["stats"]["data"]) == 20


def test_results_that_cannot_be_written_turn_the_run_red(bench, disk, pytester):
    folder = disk("64k")
    pytester.makeconftest(
        f"""
        def pytest_runtest_teardown(item):
            with open({str(folder / "ballast")!r}, "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(bytes(4096))
                except OSError:
                    pass
        """
    )
    arguments = ("--benchmark-save=m4", "--whisper-rounds=2", f"--whisper-results={folder}")
    outcome = bench(*arguments)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        [
            "kept *journal/m4_*: --whisper-resume goes on from it",
            "FAILED: cannot write *No space left*",
        ]
    )
    assert len(saved(pytester.path)["benchmarks"]) == 1
    assert list(folder.glob("*.json")) == []


def test_resuming_some_cases_keeps_the_rounds_of_the_others(running, bench, pytester):
    run = running(*TWENTY, "--whisper-rounds=3", "--whisper-threads=1,2")
    run.until(5)
    run.process.send_signal(signal.SIGKILL)
    run.end()
    second = [line for line in run.rounds() if line["case"]["threads"] == 2]
    assert second
    bench("--benchmark-save=m4", "--whisper-rounds=3", "--whisper-resume").assert_outcomes(passed=1)
    assert [line for line in run.rounds() if line["case"]["threads"] == 2] == second
    both = (
        "--benchmark-save=m4",
        "--whisper-rounds=3",
        "--whisper-threads=1,2",
        "--whisper-resume",
    )
    bench(*both).assert_outcomes(passed=2)
    assert not run.lines()


def test_a_resume_under_another_instruction_set_is_refused(running, bench, pytester, monkeypatch):
    run = running(*TWENTY)
    run.until(2)
    run.process.send_signal(signal.SIGKILL)
    run.end()
    monkeypatch.setenv("CT2_FORCE_CPU_ISA", "GENERIC")
    outcome = bench(*TWENTY, "--whisper-resume")
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(["*they are not one case: measure again with the same*"])
    assert run.rounds()


def test_a_run_without_a_name_can_be_saved_afterwards(bench, pytester):
    bench("--whisper-rounds=2").assert_outcomes(passed=1)
    outcome = bench("--whisper-rounds=2", "--benchmark-save=m4", "--whisper-resume")
    outcome.stdout.fnmatch_lines(["resuming unsaved_*: 2 rounds are there already"])
    assert load_results(results(pytester.path)[0]).iterations == 2


def test_a_journal_that_is_being_written_is_not_taken_over(running, bench):
    run = running(*TWENTY)
    run.until(2)
    outcome = bench(*TWENTY, "--whisper-resume")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*another run is writing it; wait for its end*"])


def test_a_refused_start_leaves_no_journal(bench, pytester):
    outcome = bench("--benchmark-json=absent/out.json")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert not (pytester.path / "benchmark_results").exists()
