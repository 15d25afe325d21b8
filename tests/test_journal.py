import pytest

from samples import CASE, ready, round_line
from whisper_bench.errors import BenchError
from whisper_bench.journal import Identity, Journal, resume
from whisper_bench.unfinished import Left, left_of

IDENTITY = Identity("m4", {"compute_type": "int8", "cpu_limit": "1.0"})


@pytest.fixture
def journal(tmp_path):
    made = Journal.begin(tmp_path, IDENTITY)
    made.append(ready(1))
    made.append(round_line(1, 4.5))
    yield made
    made.close()


def test_what_was_finished_is_read_back(journal, tmp_path):
    assert left_of(tmp_path, "m4") == Left([], [journal.path])
    journal.close()
    assert left_of(tmp_path, "m4") == Left([journal.path], [])
    processes, rounds = resume(journal.path, IDENTITY)
    assert [line.process for line in processes] == [1]
    assert [(line.case, line.latency_s) for line in rounds] == [(CASE, 4.5)]


def test_every_possible_cut_loses_at_most_the_line_it_is_in(journal, tmp_path):
    whole = journal.path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(ends[0], len(whole) + 1):
        journal.path.write_bytes(whole[:cut])
        processes, rounds = resume(journal.path, IDENTITY)
        assert (len(processes), len(rounds)) == (cut >= ends[1], cut >= ends[2])


def test_going_on_drops_the_cut_line_and_appends(journal):
    journal.close()
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + b'{"type":"round","cas')
    resumed = Journal.go_on(journal.path)
    resumed.append(round_line(2, 4.6))
    resumed.close()
    assert [line.latency_s for line in resume(journal.path, IDENTITY)[1]] == [4.5, 4.6]


def test_another_identity_is_refused_by_its_field(journal):
    other = Identity("m4", {**IDENTITY.facts, "cpu_limit": "None"})
    with pytest.raises(BenchError, match=r"had cpu_limit '1\.0', this one has 'None'"):
        resume(journal.path, other)


def test_names_that_begin_alike_are_told_apart(tmp_path):
    other = Journal.begin(tmp_path, Identity("m4_2", {}))
    other.append(round_line(1, 4.5))
    other.close()
    assert left_of(tmp_path, "m4").unfinished == []
    assert len(left_of(tmp_path, "m4_2").unfinished) == 1


def test_discarded_once_saved(journal, tmp_path):
    journal.discard()
    assert list(tmp_path.iterdir()) == []


def test_discarding_one_keeps_the_others(journal, tmp_path):
    other = Journal.begin(tmp_path, Identity("xeon", {}))
    other.append(round_line(1, 4.5))
    other.close()
    journal.discard()
    assert left_of(tmp_path, "xeon").unfinished == [other.path]


def test_a_file_that_is_no_journal(tmp_path):
    path = tmp_path / "journal" / "m4_x.jsonl"
    path.parent.mkdir()
    path.write_text("")
    with pytest.raises(BenchError, match="no first line of a run"):
        resume(path, IDENTITY)
    path.write_text("{}\n")
    with pytest.raises(BenchError, match=r"m4_x\.jsonl, line 1: .*delete the file"):
        resume(path, IDENTITY)


def test_an_unwritable_folder_is_found_out_at_once(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(BenchError, match=r"results folder .*--whisper-results"):
        Journal.begin(tmp_path / "results", IDENTITY)


def test_journals_without_rounds_are_not_offered(tmp_path, journal):
    journal.close()
    Journal.begin(tmp_path, IDENTITY).close()
    assert left_of(tmp_path, "m4").unfinished == [journal.path]


def test_a_write_that_takes_a_part_is_carried_on(journal, monkeypatch):
    class Narrow:
        """A disk that takes three bytes at a time."""

        def __init__(self, file):
            self.file = file

        def write(self, content):
            return self.file.write(content[:3])

        def __getattr__(self, name):
            return getattr(self.file, name)

    monkeypatch.setattr(journal, "_file", Narrow(journal._file))
    journal.append(round_line(1, 4.75))
    assert [line.latency_s for line in resume(journal.path, IDENTITY)[1]] == [4.5, 4.75]


def test_a_disk_that_refuses_leaves_whole_lines(journal, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("whisper_bench.journal.os.fsync", full)
    with pytest.raises(BenchError, match="No space left on device; free the disk"):
        journal.append(round_line(1, 4.75))
    assert [line.latency_s for line in resume(journal.path, IDENTITY)[1]] == [4.5]


def test_a_journal_is_one_runs_at_a_time(journal):
    with pytest.raises(BenchError, match="another run is writing it"):
        Journal.go_on(journal.path)


def test_a_journal_that_could_not_be_begun_is_not_left(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("whisper_bench.journal.os.fsync", full)
    with pytest.raises(BenchError, match="No space left on device"):
        Journal.begin(tmp_path, IDENTITY)
    assert list(tmp_path.iterdir()) == []
