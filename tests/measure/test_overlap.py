"""Rounds of several copies: only those count that had every copy busy from beginning to end."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.samples import measured
from whisper_bench.machine.counters import CpuCounters
from whisper_bench.measure.overlap import MOST_GAP_S, Overlap, is_awake

LONG = st.floats(0.3, 3)
GAP = st.one_of(st.just(0.0), st.floats(0, 0.5))
ROUND = st.tuples(GAP, LONG, st.sampled_from([True, True, True, False]))
TIMELINES = st.integers(1, 4).flatmap(
    lambda copies: st.lists(
        st.tuples(st.floats(0, 2), st.lists(ROUND, min_size=1, max_size=12)),
        min_size=copies, max_size=copies,
    )
)  # fmt: skip


def timelines(drawn):
    """Return the rounds of each copy: number, start, end, whether it was busy."""
    copies = []
    for start_s, rounds in drawn:
        now_s, copy = start_s, []
        for gap_s, long_s, busy in rounds:
            now_s += gap_s
            copy.append((now_s, now_s + long_s, busy))
            now_s += long_s
        copies.append(copy)
    return copies


def heard(copies):
    """Feed rounds as they end, and return the sets that count."""
    overlap = Overlap(len(copies))
    ended = sorted(
        (end, copy, start, busy) for copy, rounds in enumerate(copies, 1)
        for start, end, busy in rounds
    )  # fmt: skip
    sets = []
    for end, copy, start, busy in ended:
        overlap.add(copy, (copy, start, end), start, end, busy=busy)
        while (counted := overlap.next_set()) is not None:
            sets.append(counted)
    return sets


def is_busy_throughout(rounds, start_s, end_s):
    """Walk over the rounds of one copy and look for a moment at which it rested."""
    known_s = None
    for start, end, busy in rounds:
        if known_s is None and start > start_s:
            return False
        rested = known_s is not None and start - known_s > MOST_GAP_S
        if rested and start > start_s and known_s < end_s:
            return False
        if not busy and start < end_s and end > start_s:
            return False
        known_s = end
        if known_s >= end_s:
            return True
    return False


@given(TIMELINES)
def test_no_counted_round_has_a_moment_without_all_copies(drawn):
    copies = timelines(drawn)
    for counted in heard(copies):
        assert [copy for copy, _, _ in counted] == list(range(1, len(copies) + 1))
        for _, start_s, end_s in counted:
            assert all(is_busy_throughout(rounds, start_s, end_s) for rounds in copies)


@given(TIMELINES)
def test_each_round_that_may_count_does_in_its_order(drawn):
    copies = timelines(drawn)
    sets = heard(copies)
    for copy, rounds in enumerate(copies, 1):
        allowed = [
            (copy, start, end) for start, end, _ in rounds
            if all(is_busy_throughout(others, start, end) for others in copies)
        ]  # fmt: skip
        counted = [one for of_set in sets for one in of_set if one[0] == copy]
        assert counted == allowed[: len(sets)]


def test_what_ran_before_a_late_starter_does_not_count():
    early = [(number * 1.0, number + 1.0, True) for number in range(8)]
    late = [(2.5 + number, 3.5 + number, True) for number in range(5)]
    (first, *_) = heard([early, late])
    assert first == [(1, 3.0, 4.0), (2, 2.5, 3.5)]


def test_nothing_beside_a_copy_that_was_stopped_counts():
    steady = [(number * 1.0, number + 1.0, True) for number in range(10)]
    stopped = [(0.0, 1.0, True), (1.0, 6.0, False), (6.0, 7.0, True), (7.0, 10.0, True)]
    starts = [start for of_set in heard([steady, stopped]) for _, start, _ in of_set]
    assert starts == [0.0, 0.0, 6.0, 6.0, 7.0, 7.0]


def test_a_rest_counts_against_a_long_round_that_is_not_over():
    # copy 2 rests from 0.9 to 1.5, while the second round of copy 1 runs from 1 to 3
    first = [(0.0, 1.0, True), (1.0, 3.0, True), (3.0, 4.0, True)]
    second = [(0.0, 0.9, True), (1.5, 2.5, True), (2.5, 3.5, True), (3.5, 4.5, True)]
    counted = [span for of_set in heard([first, second]) for span in of_set]
    assert (1, 1.0, 3.0) not in counted


def test_the_copy_that_ends_no_round_is_named_and_a_slow_one_is_not():
    overlap = Overlap(3)
    for number in range(200):
        for copy in (1, 3):
            overlap.add(copy, None, number, number + 1, busy=True)
        if number % 2:
            overlap.add(2, None, number - 1, number + 1, busy=True)
        assert overlap.left_behind is None
    for number in range(200, 242):
        overlap.add(1, None, number, number + 1, busy=True)
        overlap.add(3, None, number, number + 1, busy=True)
    assert overlap.left_behind == 2


def test_a_copy_that_ends_no_round_at_all_is_named():
    overlap = Overlap(2)
    assert overlap.left_behind is None
    for number in range(21):
        overlap.add(1, None, number, number + 1, busy=True)
    assert overlap.left_behind == 2


def test_rounds_in_vain_are_those_since_the_last_set():
    overlap = Overlap(1)
    for number in range(100):
        overlap.add(1, None, number, number + 1, busy=number % 10 != 9)
        while overlap.next_set():
            pass
        assert overlap.in_vain <= 2
    for number in range(100, 130):
        overlap.add(1, None, number, number + 1, busy=False)
    assert overlap.in_vain > 20


@pytest.mark.parametrize(
    ("wall_s", "cpu_s", "wait_s", "throttled_s", "awake"),
    [
        (4.0, 4.0, 0.0, 0.0, True),
        (4.0, 2.0, 1.9, 0.0, True),  # waits for a CPU: the node is full, and more than that
        (4.0, 2.0, 0.0, 1.9, True),
        (4.0, 2.0, 0.0, 0.0, False),
        (4.0, 3.0, None, 0.0, True),
        (4.0, 1.0, None, 0.0, False),
        (4.0, 1.0, None, 3.0, True),
        (0.01, 0.001, 0.0, 0.0, True),
    ],
)
def test_a_round_in_which_the_worker_slept_is_told(wall_s, cpu_s, wait_s, throttled_s, awake):
    counters = CpuCounters(40, 10, throttled_s)
    one = msgspec.structs.replace(measured(wall_s, cpu_s, counters=counters), wait_s=wait_s)
    assert is_awake(one) is awake
