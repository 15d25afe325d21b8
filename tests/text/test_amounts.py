"""Counts and durations as text."""

import pytest

from whisper_bench.text.amounts import clock_time, count_text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (125, "2:05"), (7322, "2:02:02")]
)
def test_clock_time_has_hours_only_where_there_are_some(seconds, text):
    assert clock_time(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 Pods"), (1, "1 Pod"), (2, "2 Pods")])
def test_count_text_is_plural_unless_one(count, text):
    assert count_text(count, "Pod") == text
