"""A disk that is full or fails: the journal is the whole lines before."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, strategies

from support.disks import small_disk_at
from support.journals import IDENTITY
from support.samples import ready, round_line
from whisper_bench.errors import BenchError
from whisper_bench.measure.journal import Journal
from whisper_bench.measure.journal_reader import resume


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


def test_a_journal_that_could_not_be_begun_is_not_left(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("whisper_bench.measure.journal.os.fsync", full)
    with pytest.raises(BenchError, match="No space left on device"):
        Journal.begin(tmp_path, IDENTITY)
    assert list(tmp_path.iterdir()) == []


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
            assert [item.latency_s for item in resume(journal.path, IDENTITY)[1]] == expected
        journal.close()


def test_a_journal_that_somebody_shortened_is_not_filled_up_with_zero_bytes(journal):
    os.truncate(journal.path, 0)
    journal.append(round_line(1, 4.75))
    assert b"\0" not in journal.path.read_bytes()


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
    with small_disk_at(tmp_path / "disk", "32k") as folder:
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
