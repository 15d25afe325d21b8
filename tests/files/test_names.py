"""Names from outside that become part of a file's name."""

import pytest

from whisper_bench.errors import BenchError
from whisper_bench.files.names import MOST_BYTES, checked_name


@pytest.mark.parametrize(
    "name",
    [
        "m4", "base", "small-shape-only", "vi_30s", "1764230400_uncommitted-changes", "a..b", "x.y",
        "Bản ghi âm số 1", "录音", "नमस्ते", "می\u200cروم", "👩\u200d💻", "12:30", "\u3000a", "é" * 90,
    ],
)  # fmt: skip
def test_a_valid_name_is_returned_unchanged(name):
    assert checked_name(name, "clip") == name


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("..", "dot"),
        (".hidden", "dot"),
        ("../../../escaped/base", "it has /"),
        ("/etc/cron.d/x", "it has /"),
        ("C:\\x", "it has /"),
        ("a\0b", "cannot be printed"),
        ("a\nb", "cannot be printed"),
        ("a\x1b[2Jb", "cannot be printed"),
        ("a\x9bb", "cannot be printed"),
        ("a\u202eb", "cannot be printed"),
        ("a\u200bb", "cannot be printed"),
        ("a\u2028b", "cannot be printed"),
        ("a\udc80b", "cannot be printed"),
        ("é" * 91, "182 bytes"),
        ("a" * 10**6, "1000000 bytes"),
    ],
)
def test_a_name_that_leaves_its_folder_or_cannot_be_shown_is_refused(name, trouble):
    with pytest.raises(BenchError, match="give another name") as error:
        checked_name(name, "model")
    message = str(error.value)
    assert message.startswith("model '")
    assert trouble in message
    assert message.isprintable()
    assert len(message) < 300


def test_the_longest_name_leaves_room_for_what_stands_around_it():
    around = len("0001_") + len("_20261124T083000.123456.jsonl") + len(".12345678.")
    assert MOST_BYTES + around <= 255
