"""A run that is killed or interrupted, on the toy model: nothing measured is lost."""

import json
import signal

import pytest

from support.runs import ENDLESS, TWENTY, results, rounds_in, saved
from whisper_bench.results.files import load_results

DIES_AFTER = """
import os, signal
from whisper_bench.measure.journal import Journal, RoundLine
append, rounds = Journal.append, []
def counted(journal, line):
    append(journal, line)
    rounds.extend([line] if isinstance(line, RoundLine) else [])
    if len(rounds) == {count}: os.kill(os.getpid(), signal.SIGKILL)
Journal.append = counted
"""
WORKER_DIES_IN_ITS_SECOND_ROUND = """
import os, signal
from whisper_bench.worker.process import Worker
ask, asked = Worker.round, []
def killed(worker):
    asked.append(worker)
    if len(asked) == 2: os.kill(worker._process.pid, signal.SIGKILL)
    return ask(worker)
Worker.round = killed
"""


@pytest.fixture
def killed(bench, pytester):
    """Run until kill -9 after `count` rounds, and return those rounds."""

    def run(count, *arguments):
        pytester.makeconftest(DIES_AFTER.format(count=count))
        assert bench(*arguments).ret == -signal.SIGKILL
        pytester.makeconftest("")
        return rounds_in(pytester.path)

    return run


def test_kill_9_loses_no_finished_round_and_resume_goes_on(running, toy_bench, pytester):
    run = running(*TWENTY)
    run.until(7)
    run.process.send_signal(signal.SIGKILL)
    run.end()
    kept = [line["latency_s"] for line in run.rounds()]
    assert len(kept) >= 7
    assert not list(pytester.path.glob(".benchmarks/*/*.json"))
    run.until_workers_ended()
    outcome = toy_bench(*TWENTY, "--whisper-resume")
    outcome.assert_outcomes(passed=1)
    outcome.stdout.fnmatch_lines([f"resuming m4_*.jsonl: {len(kept)} rounds are already measured"])
    samples = saved(pytester.path)["benchmarks"][0]["stats"]["data"]
    assert samples[: len(kept)] == kept
    assert len(samples) == 20
    (path,) = results(pytester.path)
    result = load_results(path)
    assert (result.iterations, result.detail.record.resumed_rounds) == (20, len(kept))
    assert sum(process.rounds for process in result.detail.record.processes) == 20
    assert not run.lines()  # the journal is gone once all is saved


def test_rounds_that_are_all_there_are_saved_without_measuring_again(killed, bench, pytester):
    kept = [line["latency_s"] for line in killed(3, *TWENTY)]
    bench("--benchmark-save=m4", "--whisper-rounds=2", "--whisper-resume").assert_outcomes(passed=1)
    assert saved(pytester.path)["benchmarks"][0]["stats"]["data"] == kept
    assert not rounds_in(pytester.path)


def test_a_journal_whose_transcripts_differ_is_not_gone_on_from(killed, bench, pytester):
    text = killed(2, *TWENTY)[1]["measured"]["transcription"]["text"]
    (journal,) = pytester.path.glob("benchmark_results/journal/*.jsonl")
    first, actual, rest = journal.read_text().partition(json.dumps(text, ensure_ascii=False))
    journal.write_text(first + '"another text"' + rest)
    assert actual
    outcome = bench(*TWENTY, "--whisper-resume")
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(
        ["base-t1-noise, process *: the transcript differs from that of *"]
    )


def test_resume_refuses_another_setting_and_says_which(killed, bench, pytester):
    killed(1, *TWENTY)
    outcome = bench(*TWENTY, "--whisper-resume", "--whisper-compute-type=float32")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*had compute_type 'int8', this one has 'float32'*"])
    message = bench("--benchmark-save=m4", "--whisper-rounds=1")
    message.stdout.fnmatch_lines(
        ["an unfinished run of 'm4' is kept in *--whisper-resume continues it*"]
    )
    assert rounds_in(pytester.path)


def test_a_run_that_was_not_saved_is_not_called_by_the_save_name(bench):
    bench("--whisper-rounds=1", "--whisper-processes=1")
    outcome = bench("--whisper-rounds=1", "--whisper-processes=1", "--benchmark-save=m4")
    outcome.stdout.fnmatch_lines(
        ["a run that was not saved is kept in *unsaved_*: --whisper-resume continues it"]
    )
    assert "of 'm4'" not in outcome.stdout.str()


def test_ctrl_c_keeps_what_was_measured(running, pytester):
    run = running(*ENDLESS)
    run.until(6)
    run.process.send_signal(signal.SIGINT)
    log = run.end()
    assert run.process.returncode == pytest.ExitCode.INTERRUPTED
    assert "INTERNALERROR" not in log
    samples = saved(pytester.path)["benchmarks"][0]["stats"]["data"]
    assert 6 <= len(samples) < 1000
    assert samples == [line["latency_s"] for line in run.rounds()]
    (path,) = results(pytester.path)
    warnings = load_results(path).detail.warnings
    assert f"{len(samples)} of 1000 rounds: the run was interrupted" in warnings
    assert "--whisper-resume continues from it" in log


def test_ctrl_c_before_the_first_round(running, pytester):
    run = running(*TWENTY, "--whisper-warmup-rounds=1000")
    run.until_a_worker_runs()
    run.process.send_signal(signal.SIGINT)
    log = run.end()
    assert run.process.returncode == pytest.ExitCode.INTERRUPTED
    assert "INTERNALERROR" not in log
    assert "Error" not in log
    assert results(pytester.path) == []


def test_a_killed_worker_fails_its_case_and_the_rest_goes_on(bench, pytester):
    pytester.makeconftest(WORKER_DIES_IN_ITS_SECOND_ROUND)
    outcome = bench(*TWENTY, "--whisper-threads=1,2")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.assert_outcomes(failed=1, passed=1)
    outcome.stdout.fnmatch_lines([
        "base-t1-noise: the worker process * by SIGKILL in round 2; out of memory is the usual*",
        "*--whisper-resume continues from it",
    ])  # fmt: skip
    assert [item["params"]["threads"] for item in saved(pytester.path)["benchmarks"]] == [2]
    (path,) = results(pytester.path)
    assert "_t2_" in path.name


def test_resuming_some_cases_keeps_the_rounds_of_the_others(killed, bench, pytester):
    three = ("--benchmark-save=m4", "--whisper-rounds=3", "--whisper-processes=3")
    rounds = killed(5, *three, "--whisper-threads=1,2")
    second = [line for line in rounds if line["case"]["threads"] == 2]
    assert len(second) == 2
    bench(*three, "--whisper-resume").assert_outcomes(passed=1)
    left = rounds_in(pytester.path)
    assert [line for line in left if line["case"]["threads"] == 2] == second
    bench(*three, "--whisper-threads=1,2", "--whisper-resume").assert_outcomes(passed=2)
    assert not rounds_in(pytester.path)


def test_a_resume_under_another_instruction_set_is_refused(killed, bench, pytester, monkeypatch):
    killed(2, *TWENTY)
    monkeypatch.setenv("CT2_FORCE_CPU_ISA", "GENERIC")
    outcome = bench(*TWENTY, "--whisper-resume")
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(["*measure again with the same in every process*"])
    assert rounds_in(pytester.path)


def test_a_run_without_a_name_can_be_saved_afterwards(bench, pytester):
    bench("--whisper-rounds=2").assert_outcomes(passed=1)
    outcome = bench("--whisper-rounds=2", "--benchmark-save=m4", "--whisper-resume")
    outcome.stdout.fnmatch_lines(["resuming unsaved_*: 2 rounds are already measured"])
    assert load_results(results(pytester.path)[0]).iterations == 2


def test_a_journal_that_is_being_written_is_not_taken_over(running, bench):
    run = running(*ENDLESS)
    run.until(2)
    outcome = bench(*ENDLESS, "--whisper-resume")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*another run is writing it; before you resume*"])
