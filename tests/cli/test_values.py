"""Values of options: each is read where it is declared, or refused with what to give."""

import pytest

from whisper_bench.cli.main import _parser
from whisper_bench.cli.parser import Parser
from whisper_bench.cli.values import (
    audio_mix,
    cpus,
    days,
    label,
    lengths,
    memory_bytes,
    number_within,
    seconds,
    share,
    some_seconds,
    speech,
    toleration,
    whole_within,
)
from whisper_bench.errors import BenchError

to_nine = whole_within(1, 9)
below_one = number_within(0.01, 1, below=True)
above_zero = number_within(0, 100, above=True)


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (below_one, "0.01", 0.01),
        (below_one, "0.99", 0.99),
        (above_zero, "1e-9", 1e-9),
        (above_zero, "100", 100.0),
        (to_nine, "9", 9),
        (days, "0", 0.0),
        (seconds, "5s", 5.0),
        (seconds, "750ms", 0.75),
        (seconds, "2m", 120.0),
        (seconds, "1.5", 1.5),
        (seconds, "3 min", 180.0),
        (seconds, "6h", 21600.0),
        (some_seconds, "1ms", 0.001),
        (share, "10%", 0.1),
        (share, "0.1", 0.1),
        (share, "100%", 1.0),
        (cpus, "none", None),
        (cpus, "0.5", 0.5),
        (memory_bytes, "448Mi", 448 * 2**20),
        (audio_mix, "2m", {120.0: 1.0}),
        (audio_mix, "30s:0.5,20s:0.25,30s:0.25", {30.0: 0.75, 20.0: 0.25}),
        (speech, "6.6", (6.6, 0.0)),
        (speech, "6.6±2", (6.6, 2.0)),
        (speech, "6.6+-2", (6.6, 2.0)),
        (lengths, "5s,2m", [5.0, 120.0]),
        (label, "c/d=e=f", ("c/d", "e=f")),
        (toleration, "a", {"key": "a", "operator": "Exists"}),
        (toleration, "a=b", {"key": "a", "operator": "Equal", "value": "b"}),
        (toleration, "a:NoExecute", {"key": "a", "operator": "Exists", "effect": "NoExecute"}),
        (
            toleration,
            "a=:NoSchedule",
            {"key": "a", "operator": "Equal", "value": "", "effect": "NoSchedule"},
        ),
    ],
)
def test_a_value_is_read(read, text, value):
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "remedy"),
    [
        (below_one, "1", "give a number from 0.01 to below 1"),
        (below_one, "0", "give a number from 0.01 to below 1"),
        (above_zero, "0", "give a number above 0 to 100"),
        (above_zero, "inf", "give a number above 0 to 100"),
        (above_zero, "nan", "give a number above 0 to 100"),
        (to_nine, "1.5", "give a whole number, 1 to 9"),
        (to_nine, "10", "give a whole number, 1 to 9"),
        (to_nine, "+1", "give a whole number, 1 to 9"),
        (days, "-1", "give a number of days, 0 or more"),
        (seconds, "-5s", "give a time, such as 5s"),
        (some_seconds, "0", "give a time above 0"),
        (share, "1", "give a share above 0 and up to 100 %"),
        (share, "5%%", "give a share above 0 and up to 100 %"),
        (cpus, "0.001", "give a number of CPUs, 0.01 or more, or none"),
        (memory_bytes, "0", "give a quantity of memory, such as 448Mi"),
        (speech, "0", "6.6 or 6.6+-2"),
        (speech, "6.6+-x", "6.6 or 6.6+-2"),
        (speech, "nan", "6.6 or 6.6+-2"),
        (lengths, "5s,5h", "up to 4 hours"),
        (audio_mix, "30s:1,soon", "'soon' is not a length with a share above 0"),
        (label, "=a", "write KEY=VALUE"),
        (toleration, "a:Never", "where EFFECT is one of NoSchedule"),
    ],
)
def test_a_wrong_value_is_refused_with_option_value_and_remedy(read, text, remedy):
    parser = Parser()
    parser.add_argument("--option", type=read)
    with pytest.raises(BenchError) as caught:
        parser.parse_args([f"--option={text}"])
    assert str(caught.value).startswith(f"--option {text}: ")
    assert remedy in str(caught.value)


def test_the_defaults_are_what_the_help_shows():
    size = _parser().parse_args(["size", "xeon", "--target-rps", "2"])
    assert size.audio == {30.0: 1.0}
    assert (size.concurrency, size.spare_pods, size.seed) == (1, 1, 0)
    gate = _parser().parse_args(["gate", "image:a", "image:b"])
    assert (gate.max_slowdown, gate.timeout, gate.cpus) == (0.1, 1800.0, 1.0)
    assert (gate.rounds, gate.max_pairs, gate.memory_limit) == (None, None, None)
