"""Kubernetes quantities."""

import pytest

from whisper_bench.pod.quantity import amount


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1500m", 1.5),
        (".5", 0.5),
        ("1.", 1),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1E", 10**18),
        ("1k", 1000),
        ("1Ki", 1024),
        ("2Gi", 2**31),
        ("1Ei", 2**60),
        ("-1M", -(10**6)),
        ("125000u", 0.125),
        ("500000000n", 0.5),
    ],
)
def test_the_value_of_a_quantity(text, value):
    assert amount(text) == value


@pytest.mark.parametrize("text", ["", "1KiB", "1GB", "Mi", "1 Gi", "1K", "0x1", "1e999", "None"])
def test_other_text_is_not_a_quantity(text):
    assert amount(text) is None
