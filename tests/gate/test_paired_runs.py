"""What a gate is decided on where a neighbour takes the CPU, and where the candidate itself waits."""

import math
import random

import pytest

from support.gates import Played, around, process
from whisper_bench.case.contention import MANY_CONTENDED, are_many
from whisper_bench.gate.paired_runs import PairedRuns
from whisper_bench.gate.report import Answer, Metric
from whisper_bench.gate.sequential import is_look


def disturbed(seed, cpu_s):
    """Return a side whose work is the same each time, and whose wall time is anything."""

    def measure(number):
        noise = random.Random(f"{seed} {number}")
        return process(noise.uniform(1.1, 1.9), cpu_s=cpu_s * noise.gauss(1, 0.003))

    return measure


def test_beside_a_neighbour_cpu_seconds_decide():
    report = Played(disturbed(1, 0.8), disturbed(2, 0.8)).gate()
    (case,) = report.cases
    assert (report.answer, case.metric) == (Answer.PASS, Metric.CPU)
    assert "CPU-seconds (4 of 4 rounds of the baseline contended) after 4 pairs" in report.reason
    assert case.baseline_s == pytest.approx(0.8, rel=0.01)


def test_more_work_is_seen_there():
    report = Played(disturbed(1, 0.8), disturbed(2, 0.96)).gate()
    assert (report.answer, report.cases[0].metric) == (Answer.FAIL, Metric.CPU)


def test_a_candidate_that_waits_there_does_not_pass():
    """Both get less CPU than they could, and only one of them always takes half as long again."""
    report = Played(around(1.0, cpu_share=0.9), around(1.5, cpu_share=0.6)).gate()
    (case,) = report.cases
    assert (report.answer, case.metric) == (Answer.NO_EVIDENCE, Metric.CPU)
    assert "the candidate waits, or other processes slow one side: +" in report.reason
    assert "but not slower: " in report.reason


def test_a_clock_too_coarse_for_the_work_decides_nothing():
    report = Played(around(1.0, cpu_share=0.0), around(1.0, cpu_share=0.0, seed=2)).gate()
    assert (report.answer, report.cases[0].metric) == (Answer.PASS, Metric.WALL)


def test_a_candidate_that_alone_gets_less_cpu_is_judged_on_wall_time():
    """It waits for something: the same CPU-seconds, and every answer comes later."""
    report = Played(around(1.0), around(1.3, cpu_share=1 / 1.3)).gate()
    assert (report.answer, report.cases[0].metric) == (Answer.FAIL, Metric.WALL)


def test_once_contended_a_gate_stays_on_cpu_seconds():
    def baseline(number):
        return around(1.0, spread=0.02, cpu_share=0.8 if number <= 1 else 1.0)(number)

    played = Played(baseline, around(1.1, spread=0.02))
    report = played.gate(most_pairs=12)
    assert {item.metric for item in report.cases} == {Metric.CPU}


@pytest.mark.parametrize("most_pairs", range(4, 33, 2))
def test_the_last_look_turns_to_cpu_seconds_as_every_other_does(most_pairs):
    """The last fifth of the pairs is contended, which no look before the last one can see."""
    contended = math.ceil(MANY_CONTENDED * most_pairs)

    def baseline(number):
        busy = number > most_pairs - contended
        return around(1.0, spread=0.3, cpu_share=0.8 if busy else 1.0)(number)

    report = Played(baseline, around(1.1, spread=0.3, seed=2)).gate(most_pairs=most_pairs)
    (case,) = report.cases
    assert case.look.pairs == most_pairs
    assert case.metric is Metric.CPU


@pytest.mark.parametrize("most_pairs", range(4, 33, 2))
def test_the_metric_turns_at_the_looks_and_nowhere_between(most_pairs):
    """The first pairs contended, and the rest quiet: `is_look` says when that is noticed."""
    looks = [pair for pair in range(1, most_pairs + 1) if is_look(pair, most_pairs)]
    for busy in range(1, most_pairs + 1):
        paired = PairedRuns(0.1, most_pairs)
        noticed = 0
        for pair in range(1, most_pairs + 1):
            paired.add("baseline", around(1.0, cpu_share=0.8 if pair <= busy else 1.0)(pair))
            paired.add("candidate", around(1.0)(pair))
            if not noticed and paired._metric(paired.labels[0]) is Metric.CPU:
                noticed = pair
        due = [pair for pair in looks if are_many(min(busy, pair), pair)]
        assert noticed == (due[0] if due else 0)
