"""Which journals are left to go on from, and which a run is writing."""

import errno
from pathlib import Path

import pytest

from support.journals import IDENTITY
from support.samples import round_line
from whisper_bench.errors import BenchError
from whisper_bench.measure.journal import Journal, RunLine
from whisper_bench.measure.unfinished import Left, left_of


def test_names_that_begin_alike_are_told_apart(tmp_path):
    other = Journal.begin(tmp_path, RunLine("m4_2", {}))
    other.append(round_line(1, 4.5))
    other.close()
    assert left_of(tmp_path, "m4").unfinished == []
    assert len(left_of(tmp_path, "m4_2").unfinished) == 1


def test_journals_without_rounds_are_not_offered(tmp_path, journal):
    journal.close()
    Journal.begin(tmp_path, IDENTITY).close()
    assert left_of(tmp_path, "m4").unfinished == [journal.path]


def test_a_run_in_progress_is_not_offered(journal, tmp_path):
    assert left_of(tmp_path, "m4") == Left([], [journal.path])
    with pytest.raises(BenchError, match="another run is writing it"):
        Journal.go_on(journal.path)


def test_what_is_no_file_or_may_not_be_read_is_not_offered_as_a_run(journal, tmp_path, monkeypatch):
    journal.close()
    (journal.path.parent / "m4_folder.jsonl").mkdir()
    assert left_of(tmp_path, "m4") == Left([journal.path], [])

    def refused(*_arguments, **_settings):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    monkeypatch.setattr(Path, "read_bytes", refused)
    assert left_of(tmp_path, "m4") == Left([journal.path], [])  # going on tells why
    with pytest.raises(BenchError, match="Permission denied; make its folder writable, or run wi"):
        Journal.go_on(journal.path)


def test_a_resume_under_another_name_is_told_the_names_that_are_there(journal, tmp_path):
    from whisper_bench.session.resumed import open_journal

    def refusal():
        with pytest.raises(BenchError) as caught:
            open_journal(tmp_path, RunLine("xeon", {}), [], go_on=True, storage=[], say=print)
        return str(caught.value)

    assert "unfinished there: none" in refusal()  # another run is writing it
    journal.close()
    assert "unfinished there: m4; give one of these names with --benchmark-save" in refusal()
