"""What a reader should know of how a case was measured."""

import msgspec
import pytest

from support.ratios import record
from support.samples import LIMIT, NO_LIMIT
from whisper_bench.case.record import trust_warnings
from whisper_bench.case.record_check import check_record
from whisper_bench.errors import BenchError


@pytest.mark.parametrize(
    ("copies", "threads", "limit", "placement", "crowded"),
    [
        (8, 2, NO_LIMIT, "floating", True),
        (4, 2, NO_LIMIT, "floating", False),
        (8, 2, LIMIT, "floating", False),
        (8, 2, NO_LIMIT, "pinned", False),
        (1, 16, NO_LIMIT, "floating", False),
    ],
)
def test_more_threads_than_cpus_are_told_where_no_limit_parts_them(
    copies, threads, limit, placement, crowded
):
    made = msgspec.structs.replace(
        record(1.0, 2.0), copies=copies, threads=threads, cpu_limit=limit, placement=placement
    )
    said = [text for text in trust_warnings(made) if "they take turns" in text]
    assert said == (["8 copies of 2 threads on 8 CPUs: they take turns"] if crowded else [])


@pytest.mark.parametrize(
    ("copies", "starts", "words"),
    [
        ([1, 2, 1, 1], [0.0] * 4, "has not as many rounds of each of its copies"),
        ([1, 2, 1, 3], [0.0] * 4, "has not as many rounds of each of its copies"),
        ([1, 2, 1, 2], [0.0, None, 0.0, 0.0], "a round of 2 copies has no start on record"),
        ([1, 2, 1, 2], [0.0] * 4, None),
    ],
)
def test_rounds_of_copies_are_whole_sets_on_one_clock(copies, starts, words):
    made = record(1.0, 2.0, 3.0, 4.0)
    rounds = [
        msgspec.structs.replace(one, copy=copy, start_s=start)
        for one, copy, start in zip(made.rounds, copies, starts, strict=True)
    ]
    made = msgspec.structs.replace(made, copies=2, rounds=rounds)
    if words is None:
        check_record(made, "m4.json")
        return
    with pytest.raises(BenchError, match=words):
        check_record(made, "m4.json")
