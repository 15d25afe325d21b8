"""What a reader should know of how a case was measured."""

import msgspec
import pytest

from support.ratios import record
from support.samples import LIMIT, NO_LIMIT
from whisper_bench.case.record import trust_warnings


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
