"""Another transcript that is let through: the slowdown is at equal work."""

import msgspec
import pytest

from support.gates import Played, around
from support.ratios import m4, record, run
from support.samples import split_record
from whisper_bench.gate.absolute import _at_equal_work
from whisper_bench.gate.report import Answer, Metric
from whisper_bench.ratio.merge import merge_runs

TOKEN_S = 0.005
ALLOWED = ["transcript", "tokens"]


def decoding(tokens, *, seed, is_split=True, more_s=0.0):
    """Return a side whose rounds take half a second and 5 ms a token."""
    processes = around(0.5 + tokens * TOKEN_S + more_s, seed=seed)

    def measure(number):
        run = processes(number)
        (case,) = run.cases
        changed = msgspec.structs.replace(case.record, transcript=f"{tokens} words", tokens=tokens)
        if is_split:
            changed = split_record(changed, tokens, TOKEN_S)
        return msgspec.structs.replace(run, cases=[msgspec.structs.replace(case, record=changed)])

    return measure


def gate(candidate, **changes):
    return Played(decoding(100, seed=1), candidate).gate(allow_mismatch=ALLOWED, **changes)


def test_other_tokens_fail_by_the_transcript():
    report = Played(decoding(100, seed=1), decoding(150, seed=2)).gate()
    assert report.answer is Answer.FAIL
    assert "transcript" in report.reason or "tokens" in report.reason


def test_more_tokens_let_through_are_no_slowdown():
    report = gate(decoding(150, seed=2))
    (case,) = report.cases
    assert report.answer is Answer.PASS, report.reason
    assert case.candidate_s == pytest.approx(case.baseline_s, rel=0.01)


def test_a_slower_build_fails_at_equal_work_as_well():
    report = gate(decoding(150, seed=2, more_s=0.3))
    assert report.answer is Answer.FAIL, report.reason
    assert report.cases[0].candidate_s == pytest.approx(1.3, rel=0.01)


def test_without_a_split_the_slowdown_is_as_measured():
    report = gate(decoding(150, seed=2, is_split=False))
    assert report.answer is Answer.FAIL
    assert report.cases[0].candidate_s == pytest.approx(1.25, rel=0.01)


@pytest.mark.parametrize("metric", Metric)
def test_a_run_is_held_to_saved_ones_at_their_tokens(metric):
    def made(tokens, number):
        latency_s = 0.5 + tokens * TOKEN_S + 1e-9 * number
        return run(
            split_record(record(*(4 * [latency_s])), tokens, TOKEN_S), where=f"{number}.json"
        )

    saved = merge_runs([made(100, number) for number in range(3)]).cases[0]
    candidate = made(150, 9).cases[0]
    assert _at_equal_work(candidate, saved, metric).value == pytest.approx(1.0)
    assert _at_equal_work(saved, saved, metric).value == pytest.approx(1.0)
    unsplit = m4().cases[0]
    assert _at_equal_work(unsplit, saved, metric) == unsplit.latency.processes
