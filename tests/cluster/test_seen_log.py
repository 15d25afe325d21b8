"""A log that is read again and again: each line counts once, whatever the node does with it."""

from hypothesis import given
from hypothesis import strategies as st

from whisper_bench.cluster import seen_log
from whisper_bench.cluster.seen_log import News, SeenLog

LINES = st.lists(st.integers(0, 10**9), unique=True, min_size=1, max_size=40)
LOOKS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 12)), max_size=20)
"""How many lines came before each, and how many of those known are still given."""
SAME_LINES = st.lists(st.sampled_from("ab\n"), max_size=30)


def text_of(numbers):
    return "".join(f"round {number}\n" for number in numbers)


@given(LINES, LOOKS)
def test_each_line_is_new_once(numbers, looks):
    """A node gives some stretch of the log up to now: all of it, the last lines, or a new file."""
    seen, news, start, end, before = SeenLog(), "", 0, 0, 0
    for grown, kept in [*looks, (len(numbers), 0)]:
        known, end = end, min(len(numbers), end + grown)
        start = max(start, known - kept)  # nothing is lost between two looks
        new = seen.take(text_of(numbers[start:end]))
        assert new.may_lack_lines == (end > start == known and start != before)
        before = start if end > start else before
        news += new.text
    assert news == seen.text == text_of(numbers)


@given(st.lists(SAME_LINES, max_size=6))
def test_the_very_same_answer_has_nothing_new(answers):
    seen = SeenLog()
    for lines in answers:
        answer = "".join(f"{line}\n" for line in lines)
        before = len(seen.text)
        new = seen.take(answer)
        assert len(seen.text) == before + len(new.text)
        assert seen.take(answer).text == ""
        assert answer in seen.text or answer.endswith(new.text)


def test_a_rotated_log_is_marked_once():
    seen = SeenLog()
    assert seen.take("a\nb\n") == News("a\nb\n")
    assert seen.take("c\n") == News("c\n", may_lack_lines=True)
    assert seen.take("c\nd\n") == News("d\n")
    assert seen.take("c\nd\n") == News("")
    assert seen.text == "a\nb\nc\nd\n"


def test_an_empty_answer_loses_nothing():
    seen = SeenLog()
    seen.take("a\nb\n")
    assert seen.take("") == News("")
    assert seen.take("a\nb\nc\n") == News("c\n")


def test_an_older_answer_has_nothing_new():
    seen = SeenLog()
    seen.take("a\nb\nc\n")
    assert seen.take("a\nb\n") == News("")
    assert seen.take("a\nb\nc\nd\n") == News("d\n")


def test_a_blank_line_does_not_prove_that_lines_were_seen():
    seen = SeenLog()
    seen.take("a\n\n")
    assert seen.take("\nb\n").may_lack_lines


def test_repeated_lines_are_matched_by_their_longest_overlap():
    seen = SeenLog()
    seen.take("a\na\nb\na\na\n")
    assert seen.take("a\na\nb\na\na\nc\n").text == "c\n"
    assert seen.take("a\na\nc\nb\n").text == "b\n"
    assert seen.take("b\na\nb\nb\n").text == "a\nb\nb\n"


def test_only_the_end_of_a_very_long_log_is_kept_and_marked_once(monkeypatch):
    monkeypatch.setattr(seen_log, "MOST_SEEN", 10)
    seen = SeenLog()
    assert not seen.take("12345\n").cut
    assert seen.take("12345\n67890\n").cut
    assert seen.text == "345\n67890\n"
    assert not seen.take("12345\n67890\nabc\n").cut
    assert seen.text == "67890\nabc\n"
