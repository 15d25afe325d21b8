"""The work of a case: its two constants, with their intervals, or the reason why they are unknown."""

import math
import statistics

import msgspec
import pytest
from scipy import stats

from support.ratios import record, work_record
from whisper_bench.case.record_check import check_record
from whisper_bench.case.work import NO_SPLIT, NO_TOKENS, no_work, work_of
from whisper_bench.errors import BenchError

PROCESSES = (0.9, 0.015), (1.0, 0.016), (0.95, 0.014)


def test_constants_are_geometric_means_of_the_processes():
    work = work_of(work_record(*PROCESSES, tokens=200))
    assert (work.windows, work.tokens) == (1, 200)
    assert work.window.wall_s == pytest.approx(statistics.geometric_mean([0.9, 1.0, 0.95]))
    assert work.token.wall_s == pytest.approx(statistics.geometric_mean([0.015, 0.016, 0.014]))
    assert work.token.cpu_s == pytest.approx(0.9 * 0.015)
    assert work.rest_s == pytest.approx(0.01)


def test_intervals_are_scipys_t_on_the_logarithms_of_the_processes_means():
    work = work_of(work_record(*PROCESSES))
    logs = [math.log(window_s) for window_s, _ in PROCESSES]
    theirs = stats.t.interval(0.95, len(logs) - 1, statistics.fmean(logs), stats.sem(logs))
    assert (work.window.interval.low, work.window.interval.high) == pytest.approx(
        tuple(map(math.exp, theirs)), rel=1e-9
    )


def test_one_process_has_constants_without_an_interval():
    work = work_of(work_record((0.9, 0.015)))
    assert work.window.wall_s == pytest.approx(0.9)
    assert work.window.interval is work.token.interval is None


def test_without_a_split_or_tokens_the_work_is_unknown_and_says_why():
    assert work_of(record(1.0, 1.1)) is None
    assert no_work(record(1.0, 1.1)) == NO_SPLIT
    split = work_record(*PROCESSES)
    first = msgspec.structs.replace(split.rounds[0], split=None)
    assert work_of(msgspec.structs.replace(split, rounds=[first, *split.rounds[1:]])) is None
    silent = msgspec.structs.replace(split, tokens=0)
    assert work_of(silent) is None
    assert no_work(silent) == NO_TOKENS


def test_a_phase_too_short_for_the_clock_leaves_the_work_unknown():
    made = work_record(*PROCESSES)
    split = msgspec.structs.replace(made.rounds[0].split, encode_s=0.0)
    first = msgspec.structs.replace(made.rounds[0], split=split)
    assert work_of(msgspec.structs.replace(made, rounds=[first, *made.rounds[1:]])) is None


def with_first_split(record, **changes):
    first = record.rounds[0]
    changed = msgspec.structs.replace(first, split=msgspec.structs.replace(first.split, **changes))
    return msgspec.structs.replace(record, rounds=[changed, *record.rounds[1:]])


@pytest.mark.parametrize(
    ("changes", "trouble"),
    [
        ({"windows": 2}, "a round of 1 windows is in a case of 2 windows"),
        ({"decode_s": 9.0}, "s has .* of encoder, 9 of decoder"),
        ({"decode_cpu_s": 9.0}, "CPU-seconds has .* of encoder, 9 of decoder"),
    ],
)
def test_phases_that_are_not_parts_of_their_round_are_refused(changes, trouble):
    made = work_record(*PROCESSES)
    check_record(made, "a.json")
    with pytest.raises(BenchError, match=f"a.json: base-t1-vi_30s: .*{trouble}"):
        check_record(with_first_split(made, **changes), "a.json")
