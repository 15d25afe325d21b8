import contextlib
import errno
import fcntl
import os
import subprocess
import tempfile
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, strategies

from support.samples import CASE, ready, round_line
from whisper_bench.errors import BenchError
from whisper_bench.measure.journal import Journal, RunLine
from whisper_bench.measure.journal_reader import resume
from whisper_bench.measure.unfinished import Left, left_of

IDENTITY = RunLine("m4", {"compute_type": "int8", "cpu_limit": "1.0"})


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
    processes, rounds, _ = resume(journal.path, IDENTITY)
    assert [line.process for line in processes] == [1]
    assert [(line.case, line.latency_s) for line in rounds] == [(CASE, 4.5)]


def test_every_possible_cut_loses_at_most_the_line_it_is_in(journal, tmp_path):
    whole = journal.path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(ends[0], len(whole) + 1):
        journal.path.write_bytes(whole[:cut])
        processes, rounds, _ = resume(journal.path, IDENTITY)
        assert (len(processes), len(rounds)) == (cut >= ends[1], cut >= ends[2])


def test_going_on_drops_the_cut_line_and_appends(journal):
    journal.close()
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + b'{"type":"round","cas')
    resumed = Journal.go_on(journal.path)
    resumed.append(ready(2))
    resumed.append(round_line(2, 4.6))
    resumed.close()
    assert [line.latency_s for line in resume(journal.path, IDENTITY)[1]] == [4.5, 4.6]


def test_another_identity_is_refused_by_its_field(journal):
    other = RunLine("m4", {**IDENTITY.facts, "cpu_limit": "None"})
    with pytest.raises(BenchError, match=r"had cpu_limit '1\.0', this one has 'None'"):
        resume(journal.path, other)


def test_names_that_begin_alike_are_told_apart(tmp_path):
    other = Journal.begin(tmp_path, RunLine("m4_2", {}))
    other.append(round_line(1, 4.5))
    other.close()
    assert left_of(tmp_path, "m4").unfinished == []
    assert len(left_of(tmp_path, "m4_2").unfinished) == 1


def test_discarded_once_saved(journal, tmp_path):
    journal.discard()
    assert list(tmp_path.iterdir()) == []


def test_discarding_one_keeps_the_others(journal, tmp_path):
    other = Journal.begin(tmp_path, RunLine("xeon", {}))
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

    monkeypatch.setattr("whisper_bench.measure.journal.os.fsync", full)
    with pytest.raises(BenchError, match="No space left on device; free the disk"):
        journal.append(round_line(1, 4.75))
    assert [line.latency_s for line in resume(journal.path, IDENTITY)[1]] == [4.5]


def test_a_journal_is_one_runs_at_a_time(journal):
    with pytest.raises(BenchError, match="another run is writing it"):
        Journal.go_on(journal.path)


def test_a_journal_that_could_not_be_begun_is_not_left(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("whisper_bench.measure.journal.os.fsync", full)
    with pytest.raises(BenchError, match="No space left on device"):
        Journal.begin(tmp_path, IDENTITY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("lines", "told"),
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
def test_lines_that_no_run_writes_are_refused(journal, lines, told):
    for line in lines:
        journal.append(line)
    with pytest.raises(BenchError, match=rf"jsonl.*{told}.*; delete the file and measure again"):
        resume(journal.path, IDENTITY)


class Disk:
    """Stands for `os` in the journal: a disk whose calls fail where a test says so."""

    def __init__(self):
        self.failing, self.takes = set(), None

    def __getattr__(self, name):
        return getattr(os, name)

    def write(self, file, content):
        """Take some bytes, then refuse."""
        if self.takes is None:
            return file.write(content)
        if self.takes == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken, self.takes = content[: self.takes], 0
        return file.write(taken)

    def fsync(self, descriptor):
        if "fsync" in self.failing:
            raise OSError(errno.EIO, "Input/output error")
        os.fsync(descriptor)

    def ftruncate(self, descriptor, size):
        if "ftruncate" in self.failing:
            raise OSError(errno.EIO, "Input/output error")
        os.ftruncate(descriptor, size)


class OnDisk:
    """A journal's file, written through the disk above."""

    def __init__(self, file, disk):
        self.file, self.disk = file, disk

    def write(self, content):
        return self.disk.write(self.file, content)

    def __getattr__(self, name):
        return getattr(self.file, name)


STEPS = strategies.one_of(
    strategies.just(("append",)),
    strategies.tuples(strategies.just("partly"), strategies.integers(0, 400)),
    strategies.just(("fsync",)),
    strategies.just(("resume",)),
    strategies.tuples(strategies.just("kill"), strategies.integers(0, 400)),
    strategies.tuples(strategies.just("power cut"), strategies.integers(1, 40)),
    strategies.tuples(strategies.just("no truncate"), strategies.integers(0, 400)),
)


@given(strategies.lists(STEPS, max_size=12))
def test_whatever_fails_the_journal_is_the_lines_before(steps):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        disk, expected = Disk(), []
        patch.setattr("whisper_bench.measure.journal.os", disk)
        journal = Journal.begin(Path(folder), IDENTITY)
        journal.append(ready(1))
        for number, (step, *much) in enumerate(steps):
            line = round_line(1, 1.0 + number)
            journal._file = OnDisk(journal._file, disk)
            disk.failing = {"fsync": {"fsync"}, "no truncate": {"ftruncate"}}.get(step, set())
            disk.takes = much[0] if step in {"partly", "no truncate"} else None
            if step in {"append", "partly", "fsync", "no truncate"}:
                try:
                    journal.append(line)
                    expected.append(line.latency_s)
                except BenchError:
                    assert step != "append"
            else:
                journal.close()
                tail = msgspec.json.encode(line)[: much[0]] if step == "kill" else b""
                with journal.path.open("ab") as file:
                    file.write(tail or bytes(much[0] if step == "power cut" else 0))
                journal = Journal.go_on(journal.path)
            disk.failing, disk.takes = set(), None
            assert [each.latency_s for each in resume(journal.path, IDENTITY)[1]] == expected
        journal.close()


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


def test_a_journal_that_somebody_shortened_is_not_filled_up_with_zero_bytes(journal):
    os.truncate(journal.path, 0)
    journal.append(round_line(1, 4.75))
    assert b"\0" not in journal.path.read_bytes()


def test_a_run_in_progress_is_not_offered(journal, tmp_path):
    assert left_of(tmp_path, "m4") == Left([], [journal.path])
    with pytest.raises(BenchError, match="another run is writing it"):
        Journal.go_on(journal.path)


def test_whoever_only_looks_at_the_lock_keeps_nobody_from_going_on(journal):
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


def test_a_journal_that_cannot_be_deleted_says_that_it_is_saved(journal, monkeypatch):
    def refused(*_arguments, **_settings):
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refused)
        with pytest.raises(BenchError, match="Read-only file system; what it holds is saved: del"):
            journal.discard()


def test_a_failing_disk_is_not_told_as_a_full_one(journal, monkeypatch):
    disk = Disk()
    disk.failing = {"fsync", "ftruncate"}
    monkeypatch.setattr("whisper_bench.measure.journal.os", disk)
    with pytest.raises(BenchError, match="Input/output error; check its disk"):
        journal.append(round_line(1, 4.75))


def fill(path):
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_real_full_disk_fills_no_journal_with_zero_bytes(tmp_path):
    """A journal with a cut line on a disk that has no room for the next one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("a small file system needs root to mount it")
    command = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(folder)]
    if subprocess.run(command, check=False).returncode:
        pytest.skip("this machine mounts no tmpfs")
    try:
        journal = Journal.begin(folder, IDENTITY)
        journal.append(ready(1))
        journal.append(round_line(1, 4.5))
        journal.close()
        room = 4096 - journal.path.stat().st_size % 4096
        with journal.path.open("ab") as file:
            file.write(b'{"type":"round",' + b" " * 100)
        fill(folder / "ballast")
        resumed = Journal.go_on(journal.path)
        text = "m" * room
        with pytest.raises(BenchError, match="No space left on device; free the disk"):
            resumed.append(round_line(1, 4.6, text=text))
        (folder / "ballast").unlink()
        resumed.append(round_line(1, 4.7))
        resumed.close()
        assert b"\0" not in journal.path.read_bytes()
        assert [line.latency_s for line in resume(journal.path, IDENTITY)[1]] == [4.5, 4.7]
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_resume_under_another_name_is_told_the_names_that_are_there(journal, tmp_path):
    from whisper_bench.session.resumed import open_journal

    def refusal():
        with pytest.raises(BenchError) as caught:
            open_journal(tmp_path, RunLine("xeon", {}), [], go_on=True, storage=[], say=print)
        return str(caught.value)

    assert "unfinished there: none" in refusal()  # another run is writing it
    journal.close()
    assert "unfinished there: m4; give one of these names with --benchmark-save" in refusal()
