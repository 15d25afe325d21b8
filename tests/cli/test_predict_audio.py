"""`whisper-bench predict RUN --audio`: clips of any length, from saved runs to exit status."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from support.documents import save, saved_document
from support.ratios import work_record
from whisper_bench.cli import main

HERE = (0.50, 0.010), (0.51, 0.0101), (0.49, 0.0099)
THERE = (1.0, 0.030), (1.02, 0.0305), (0.98, 0.0295)


def saved_work(folder, name, *processes):
    """Save a run of the 30 s clip whose rounds are split; its chip is that of every such file."""
    record = work_record(*processes, tokens=200)
    document = saved_document(1.0, moment=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S+00:00}")
    (benchmark,) = document["benchmarks"]
    benchmark["extra_info"]["whisper_bench"] = msgspec.to_builtins(record)
    benchmark["stats"]["data"] = [measured.latency_s for measured in record.rounds]
    save(folder, name, json.dumps(document).encode())


@pytest.fixture
def kept(home, capsys):
    """Two saved runs and their ratio."""
    saved_work(home / ".benchmarks", "Linux-A/0001_m4.json", *HERE)
    saved_work(home / ".benchmarks", "Linux-A/0002_xeon.json", *THERE)
    assert main(["ratio", "m4", "xeon"]) == 0
    return capsys.readouterr().out


def test_the_ratio_shows_tokens_and_parts(kept):
    head, row = (line for line in kept.splitlines() if "200 and 200" in line or "encoder" in line)
    assert head.startswith("at equal work")
    assert "3.000 (" in row  # a token
    assert "2.000 (" in row  # a window


def test_each_length_has_a_row(kept, capsys):
    assert main(["predict", "m4", "--audio", "5s,2m"]) == 0
    out = capsys.readouterr().out
    assert "5 s, base-t1          1      33 " in out
    assert "120 s, base-t1        4     800 " in out
    assert main(["predict", "m4", "--audio", "10s", "--tokens-per-second", "3", "--json"]) == 0
    (clip,) = json.loads(capsys.readouterr().out)["audio"]
    assert (clip["audio_s"], clip["tokens"], clip["clip"]) == (10, 30, "vi_30s")
    assert clip["latency_s"]["low"] < clip["latency_s"]["value"] < clip["latency_s"]["high"]


@pytest.mark.parametrize(
    ("options", "named", "remedy"),
    [
        (["--audio", "soon"], "--audio soon:", "5s"),
        (["--audio", "5s,"], "--audio 5s,:", "5s"),
        (["--audio", "5s,0s"], "--audio 5s,0s:", "above 0"),
        (["--audio", "5h"], "--audio 5h:", "4 hours"),
        (["--tokens-per-second", "6"], "--tokens-per-second:", "--audio"),
        (["--audio=5s", "--tokens-per-second=0"], "--tokens-per-second 0:", "above 0"),
    ],
)
def test_misuse_exits_2_with_option_value_and_remedy(kept, capsys, options, named, remedy):
    assert main(["predict", "m4", *options]) == 2
    said = capsys.readouterr().err
    assert remedy in said.partition(named)[2]
