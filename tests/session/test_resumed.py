"""A run that is killed or interrupted, on the toy model: nothing measured is lost."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from support.runs import TWENTY, results, saved
from whisper_bench.results.files import load_results


@pytest.mark.alone
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


def test_a_run_that_was_not_saved_is_not_called_by_the_save_name(bench):
    bench("--whisper-rounds=1", "--whisper-processes=1")
    outcome = bench("--whisper-rounds=1", "--whisper-processes=1", "--benchmark-save=m4")
    outcome.stdout.fnmatch_lines(
        ["a run that was not saved is kept in *unsaved_*: --whisper-resume would go on from it"]
    )
    assert "of 'm4'" not in outcome.stdout.str()


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
