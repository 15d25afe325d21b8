"""A gate from its first pair to its answer, with sides that are played and not run."""

import msgspec
import pytest
from msgspec.structs import replace

from support.gates import MACHINE, Played, around, process, several
from whisper_bench.gate.process import NamedCase, SideFailedError
from whisper_bench.gate.report import Answer, Check, Metric
from whisper_bench.machine.counters import CpuCounters

SAME = (around(1.0), around(1.0, seed=2))
PAIR = ["baseline", "candidate"]
NAMES = {"baseline": "main", "candidate": "new"}
ABBA = [*PAIR, *PAIR[::-1]]
OTHER = ("base", 1, "other")


def failing(message="exit status 1", at=1, otherwise=SAME[1]):
    def measure(number):
        if number == at:
            raise SideFailedError(message)
        return otherwise(number)

    return measure


def twice(measure):
    """Let a side measure another case as well, with the same figures."""

    def both(number):
        (case,) = measure(number).cases
        clip = msgspec.structs.replace(case.record.clip, name=OTHER[2])
        return several(case, NamedCase(case.name, msgspec.structs.replace(case.record, clip=clip)))

    return both


def test_the_order_is_abba_and_the_first_look_that_decides_ends_it():
    played = Played(*SAME)
    report = played.gate()
    assert played.order == ABBA * 2
    assert report.answer is Answer.PASS
    assert [(item.side, item.pair) for item in report.turns] == list(
        zip(ABBA * 2, [1, 1, 2, 2, 3, 3, 4, 4], strict=True)
    )
    (case,) = report.cases
    assert case.look.pairs == 4
    assert case.metric is Metric.WALL
    assert report.reason.startswith("base-t1-vi_30s: not slower: ")


def test_a_slower_candidate_fails_at_the_first_look():
    played = Played(around(1.0), around(1.3))
    report = played.gate()
    assert report.answer is Answer.FAIL
    assert len(played.order) == 8
    assert report.reason.startswith("base-t1-vi_30s: slower: ")
    (case,) = report.cases
    assert case.candidate_s / case.baseline_s == pytest.approx(1.3, rel=0.01)


def test_at_the_limit_it_goes_on_to_the_most_pairs_and_has_no_evidence():
    played = Played(around(1.0, spread=0.01), around(1.1, spread=0.01))
    report = played.gate()
    assert report.answer is Answer.NO_EVIDENCE
    assert played.order == ABBA * 6
    assert "the limit is inside the interval" in report.reason
    assert report.cases[0].look.pairs == report.most_pairs == 12


def test_it_goes_on_until_the_interval_is_clear():
    played = Played(around(1.0, spread=0.03), around(1.0, spread=0.03, seed=3))
    report = played.gate()
    assert report.answer is Answer.PASS
    assert 4 < report.cases[0].look.pairs < 12
    assert len(played.order) == 2 * report.cases[0].look.pairs


def test_a_runner_that_differs_from_itself_is_not_fit():
    def jumping(high_s, low_s):
        return lambda number: process(high_s if number % 4 in {1, 0} else low_s)

    # clear of the limit, and so is the control
    report = Played(jumping(1.0, 1.4), jumping(4.2, 3.0)).gate()
    assert report.answer is Answer.NO_EVIDENCE
    assert report.cases[0].look.slowdown.low > 1.1
    assert "this runner is too noisy: a program against itself shows +40.0 %" in report.reason


@pytest.mark.parametrize("most", range(4, 13, 2))
def test_any_number_of_pairs_that_may_be_asked_for_ends_in_an_answer(most):
    played = Played(around(1.0, spread=0.01), around(1.1, spread=0.01))
    report = played.gate(most_pairs=most)
    assert report.answer is Answer.NO_EVIDENCE
    assert report.cases[0].look.pairs == most


@pytest.mark.parametrize("at", [1, 3])
def test_a_candidate_that_fails_is_a_fail_with_the_reason(at):
    played = Played(SAME[0], failing("exit status 4\n  ERROR: no such option", at))
    report = played.gate()
    assert report.answer is Answer.FAIL
    assert report.cases == []
    assert report.reason.startswith("runs: the candidate image:suite:new: exit status 4")
    assert "no such option" in report.reason
    assert report.candidate is None or at > 1


def test_a_baseline_that_fails_is_no_evidence():
    report = Played(failing("killed by SIGKILL"), SAME[1]).gate()
    assert report.answer is Answer.NO_EVIDENCE
    assert report.reason == "runs: the baseline image:suite:main: killed by SIGKILL"
    assert (report.baseline, report.candidate, report.turns) == (None, None, [])


def test_a_throttled_candidate_fails_however_fast_it_is():
    throttled = CpuCounters(50, 40, 2.0)
    report = Played(SAME[0], around(0.5, counters=throttled)).gate()
    assert report.answer is Answer.FAIL
    assert report.reason.startswith("throttling of the candidate: base-t1-vi_30s: QUOTA_THROTTLED")
    assert "160 of 200 periods throttled" in report.reason


def test_a_throttled_baseline_is_no_evidence():
    report = Played(around(1.0, counters=CpuCounters(50, 40, 2.0)), SAME[1]).gate()
    assert report.answer is Answer.NO_EVIDENCE
    assert report.reason.startswith("throttling of the baseline: ")


def test_too_few_periods_keep_it_open_until_there_are_enough():
    few = CpuCounters(13, 0, 0.0)
    played = Played(around(1.0, counters=few), around(1.0, counters=few, seed=2))
    report = played.gate()
    assert report.answer is Answer.PASS
    assert report.cases[0].look.pairs == 8


def test_too_few_periods_to_the_end_are_no_evidence():
    few = CpuCounters(1, 0, 0.0)
    report = Played(around(1.0, counters=few), around(1.0, counters=few, seed=2)).gate()
    assert report.answer is Answer.NO_EVIDENCE
    assert "fewer than 100 periods" in report.reason


def test_one_slower_case_of_several_fails_them_all():
    def candidate(number):
        return several(*SAME[1](number).cases, *around(1.3, case=OTHER)(number).cases)

    report = Played(twice(SAME[0]), candidate).gate()
    assert report.answer is Answer.FAIL
    assert [item.answer for item in report.cases] == [Answer.PASS, Answer.FAIL]
    assert report.reason.startswith("base-t1-other: slower: ")


def test_a_case_that_is_open_does_not_keep_one_that_is_slower_from_ending_it():
    def candidate(number):
        near = around(1.1, spread=0.01)(number)
        return several(*near.cases, *around(1.3, case=OTHER)(number).cases)

    report = Played(twice(SAME[0]), candidate).gate()
    assert [item.answer for item in report.cases] == [Answer.NO_EVIDENCE, Answer.FAIL]
    assert (report.answer, len(report.turns)) == (Answer.FAIL, 8)


def test_several_cases_share_the_error_rate():
    (alone,) = Played(*SAME).gate().cases
    both = Played(*map(twice, SAME)).gate().cases
    rates = [1 - item.look.slowdown.confidence for item in (alone, *both)]
    assert 0 < rates[1] == rates[2] < 0.51 * rates[0]
    widths = [item.look.slowdown.high - item.look.slowdown.low for item in (alone, *both)]
    assert widths[0] < widths[1] == pytest.approx(widths[2])


@pytest.mark.parametrize(
    ("side", "answer"), [("candidate", Answer.FAIL), ("baseline", Answer.NO_EVIDENCE)]
)
def test_a_later_process_that_differs_from_the_first_ends_it(side, answer):
    def changing(number):
        return process(1.0, transcript="một hai bốn" if number < 3 else "một hai")

    sides = dict(zip(PAIR, SAME, strict=True)) | {side: changing}
    played = Played(**sides)
    report = played.gate()
    assert report.answer is answer
    assert report.reason.startswith(f"steady: image:suite:{NAMES[side]}: a later process differs")
    assert played.order.count(side) == 3


@pytest.mark.parametrize(
    ("candidate", "name"),
    [
        (around(1.0, name="test_renamed"), "cases"),
        (around(1.0, transcript="khác"), "transcript"),
        (around(1.0, tokens=9), "tokens"),
        (around(1.0, machine=replace(MACHINE, cpu_model="Another")), "machine"),
        (around(1.0, machine=replace(MACHINE, architecture="ARM64")), "machine"),
        (around(1.0, word_error_rate=0.8), "word error rate"),
    ],
)
def test_a_check_that_fails_ends_it_after_the_first_pair(candidate, name):
    played = Played(SAME[0], candidate)
    report = played.gate()
    assert played.order == PAIR
    assert (report.answer, report.cases) == (Answer.FAIL, [])
    assert report.reason.startswith(f"{name}: ")


def test_memory_over_the_limit_fails():
    large = around(1.0, peak_rss_bytes=500 * 2**20)
    report = Played(SAME[0], large).gate(memory_limit_bytes=448 * 2**20)
    assert report.answer is Answer.FAIL
    assert "peak of 500 MiB, limit 448 MiB" in report.reason


def test_a_check_that_failed_before_ends_it_before_anything_is_measured():
    played = Played(*SAME)
    checks = [Check("ratio", Answer.PASS, "fresh"), Check("deployment", Answer.FAIL, "out of step")]
    report = played.gate(checks)
    assert (report.answer, report.reason) == (Answer.FAIL, "deployment: out of step")
    assert (played.order, report.checks) == ([], checks)


def test_what_is_said_has_every_process_and_every_look():
    played = Played(*SAME)
    played.gate()
    assert ["after 4 pairs" in line for line in played.said] == 8 * [False] + [True]
