"""A journal read back: whole lines only, and only those that a run writes."""

import msgspec
import pytest

from support.journals import IDENTITY
from support.samples import ready, round_line
from whisper_bench.errors import BenchError
from whisper_bench.measure.journal import Journal, RunLine
from whisper_bench.measure.journal_reader import resume


def test_every_possible_cut_loses_at_most_the_line_it_is_in(journal, tmp_path):
    whole = journal.path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(ends[0], len(whole) + 1):
        journal.path.write_bytes(whole[:cut])
        processes, rounds, _ = resume(journal.path, IDENTITY)
        assert (len(processes), len(rounds)) == (cut >= ends[1], cut >= ends[2])


def test_another_identity_is_refused_by_its_field(journal):
    other = RunLine("m4", {**IDENTITY.facts, "cpu_limit": "None"})
    with pytest.raises(BenchError, match=r"had cpu_limit '1\.0', this one has 'None'"):
        resume(journal.path, other)


def test_a_file_that_is_no_journal(tmp_path):
    path = tmp_path / "journal" / "m4_x.jsonl"
    path.parent.mkdir()
    path.write_text("")
    with pytest.raises(BenchError, match="no first line of a run"):
        resume(path, IDENTITY)
    path.write_text("{}\n")
    with pytest.raises(BenchError, match=r"m4_x\.jsonl, line 1: .*delete the file"):
        resume(path, IDENTITY)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([round_line(2, 4.5)], "a round of process 2 of base-t1-vi_30s, which is not there"),
        ([ready(1)], "process 1 of base-t1-vi_30s is there twice"),
        (
            [msgspec.structs.replace(round_line(1, 4.5), latency_s=1.0)],
            "with a latency of 1 s, shor",
        ),
        ([msgspec.structs.replace(round_line(1, 4.5), latency_s=-1.0)], r"latency_s is -1\.0: Exp"),
        ([round_line(1, 4.5, -1.0)], r"measured\.transcription\.cpu_s is -1\.0: Exp"),
    ],
)
def test_lines_that_no_run_writes_are_refused(journal, lines, message):
    for line in lines:
        journal.append(line)
    with pytest.raises(BenchError, match=rf"jsonl.*{message}.*; delete the file and measure again"):
        resume(journal.path, IDENTITY)


@pytest.mark.parametrize(
    "tail",
    [
        b'{"type":"round","cas',
        bytes(700),
        b'{"type":"rou' + bytes(90),
        b'{"type":"rou' + bytes(90) + b"}\n",
        bytes(30) + b"\n" + bytes(9),
    ],
)
def test_what_a_kill_or_a_power_cut_leaves_at_the_end_is_dropped(journal, tail):
    journal.close()
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + tail)
    assert [line.latency_s for line in resume(journal.path, IDENTITY)[1]] == [4.5]
    Journal.go_on(journal.path).close()
    assert journal.path.read_bytes() == whole


def test_zero_bytes_that_an_older_version_left_before_a_line_are_passed_over(journal):
    journal.close()
    with journal.path.open("ab") as file:
        file.write(bytes(20) + msgspec.json.encode(round_line(1, 4.75)) + b"\n")
    assert [line.latency_s for line in resume(journal.path, IDENTITY)[1]] == [4.5, 4.75]
