"""One run's journal: begun, written, gone on from, and deleted once all is saved."""

import errno
import fcntl
import threading
from pathlib import Path

import pytest

from support.journals import IDENTITY
from support.runs import PATIENCE_S
from support.samples import CASE, ready, round_line
from whisper_bench.errors import BenchError
from whisper_bench.measure import unfinished
from whisper_bench.measure.journal import Journal, RunLine
from whisper_bench.measure.journal_reader import resume
from whisper_bench.measure.unfinished import Left, left_of


def test_what_was_finished_is_read_back(journal, tmp_path):
    assert left_of(tmp_path, "m4") == Left([], [journal.path])
    journal.close()
    assert left_of(tmp_path, "m4") == Left([journal.path], [])
    processes, rounds, _ = resume(journal.path, IDENTITY)
    assert [line.process for line in processes] == [1]
    assert [(line.case, line.latency_s) for line in rounds] == [(CASE, 4.5)]


def test_going_on_drops_the_cut_line_and_appends(journal):
    journal.close()
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + b'{"type":"round","cas')
    resumed = Journal.go_on(journal.path)
    resumed.append(ready(2))
    resumed.append(round_line(2, 4.6))
    resumed.close()
    assert [line.latency_s for line in resume(journal.path, IDENTITY)[1]] == [4.5, 4.6]


def test_discarded_once_saved(journal, tmp_path):
    journal.discard()
    assert list(tmp_path.iterdir()) == []


def test_discarding_one_keeps_the_others(journal, tmp_path):
    other = Journal.begin(tmp_path, RunLine("xeon", {}))
    other.append(round_line(1, 4.5))
    other.close()
    journal.discard()
    assert left_of(tmp_path, "xeon").unfinished == [other.path]


def test_an_unwritable_folder_is_found_out_at_once(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(BenchError, match=r"results folder .*--whisper-results"):
        Journal.begin(tmp_path / "results", IDENTITY)


def test_a_journal_is_one_runs_at_a_time(journal):
    with pytest.raises(BenchError, match="another run is writing it"):
        Journal.go_on(journal.path)


def test_whoever_only_looks_at_the_lock_keeps_nobody_from_going_on(journal, monkeypatch):
    monkeypatch.setattr(unfinished, "_LOCK_WAIT_S", PATIENCE_S)
    journal.close()
    with journal.path.open("rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        threading.Timer(0.1, lambda: fcntl.flock(looking, fcntl.LOCK_UN)).start()
        Journal.go_on(journal.path).close()


def test_a_journal_that_has_just_been_deleted_is_told(journal):
    journal.discard()
    with pytest.raises(BenchError, match="has just ended and saved it; run without --whisper-res"):
        Journal.go_on(journal.path)
    assert not journal.path.exists()


def test_a_journal_that_cannot_be_deleted_says_that_it_is_saved(journal, monkeypatch):
    def refused(*_arguments, **_settings):
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refused)
        with pytest.raises(BenchError, match="Read-only file system; its rounds are saved: del"):
            journal.discard()
