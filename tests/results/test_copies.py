"""The table of several copies: what a full node makes of one worker's latency."""

import msgspec
import pytest

from support.ratios import record
from whisper_bench.results.copies import companies, copies_lines

LONE = (4.0, 4.1, 3.9, 4.0)


def together(copies, *latencies_s):
    """Return a record of copies: each latency is of a set, the last copy is a tenth slower."""
    made = record(*latencies_s)
    rounds = [
        msgspec.structs.replace(
            one, copy=copy, start_s=float(number), latency_s=slower * one.latency_s,
            wall_s=slower * one.latency_s, cpu_s=slower * one.latency_s,
        )
        for number, one in enumerate(made.rounds)
        for copy in range(1, copies + 1)
        for slower in [1.1 if copy == copies else 1.0]
    ]  # fmt: skip
    factor = 1 + 0.1 / copies
    processes = [
        msgspec.structs.replace(
            process, rounds=process.rounds * copies,
            mean_latency_s=process.mean_latency_s * factor,
            mean_cpu_s=process.mean_latency_s * factor,
        )
        for process in made.processes
    ]  # fmt: skip
    return msgspec.structs.replace(
        made, rounds=rounds, processes=processes, copies=copies, planned_rounds=len(rounds)
    )


def test_slowdown_is_over_one_copy_and_knows_the_processes():
    lone, four = record(*LONE), together(4, 6.0, 6.2, 5.8, 6.0)
    ((alone, of_four),) = companies([four, lone])
    assert (alone.copies, alone.slowdown) == (1, None)
    assert of_four.latency_s == pytest.approx(6.0 * 1.025)
    assert of_four.slowest_s == pytest.approx(6.0 * 1.1)
    assert of_four.requests_s == pytest.approx(3 / 6.0 + 1 / 6.6)
    assert of_four.slowdown.value == pytest.approx(1.5 * 1.025, rel=1e-3)
    assert of_four.slowdown.low < of_four.slowdown.value < of_four.slowdown.high


def test_no_table_without_copies():
    assert copies_lines([record(*LONE)]) == []


def test_more_copies_that_do_no_more_are_told():
    lines = copies_lines([
        record(*LONE), together(2, 4.2, 4.2, 4.2, 4.2), together(4, 8.4, 8.4, 8.4, 8.4)
    ])  # fmt: skip
    assert lines[-1] == (
        "base-t1-vi_30s-x2: more than 2 copies do no more: 0.455 requests/s, and 0.465 of 4"
    )


def test_copies_without_a_lone_one_have_no_slowdown_and_say_so():
    lines = copies_lines([together(4, 6.0, 6.2, 5.8, 6.0)])
    assert "n/a" in lines[2]
    assert "--whisper-copies=1,4" in lines[-1]


def test_one_process_gives_no_interval_and_says_so():
    one, two = (record(4.0, 4.1), together(2, 4.2, 4.2))
    one, two = (msgspec.structs.replace(made, processes=made.processes[:1]) for made in (one, two))
    lines = copies_lines([one, two])
    assert any("no slowdown with an interval from one process" in line for line in lines)


def test_a_clock_too_coarse_gives_no_slowdown_in_cpu_seconds():
    lone = record(*LONE)
    coarse = [msgspec.structs.replace(process, mean_cpu_s=0.0) for process in lone.processes]
    lone = msgspec.structs.replace(lone, processes=coarse)
    ((_, of_two),) = companies([lone, together(2, 4.2, 4.2, 4.2, 4.2)])
    assert of_two.cpu_slowdown is None
    assert of_two.slowdown is not None
