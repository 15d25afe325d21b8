"""Finished rounds, on the disk as soon as each has ended, so that a killed run loses none.

A journal is a file of JSON lines: its first is the identity of the run, each other one finished
round or one process that became ready. The last line may be cut short by a kill, or be zero bytes
after a power cut; it is dropped. Whoever holds the lock on it is the run that writes it.
"""

import os
from contextlib import suppress
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Self

import msgspec

from whisper_bench.case.case import Case
from whisper_bench.errors import BenchError
from whisper_bench.files.whole import read_bounded
from whisper_bench.files.write_errors import reason_of, remedy_in_place, remedy_of
from whisper_bench.measure.unfinished import ENDING, FOLDER, open_locked
from whisper_bench.ranges import Copies, Latency, Ordinal
from whisper_bench.worker.protocol import Measured, Ready


class RunLine(msgspec.Struct, frozen=True, tag="run", forbid_unknown_fields=True):
    """What must agree for a run to continue another one."""

    name: str
    facts: dict[str, str]


class ReadyLine(msgspec.Struct, frozen=True, tag="process", forbid_unknown_fields=True):
    """A process that was loaded and warm."""

    case: Case
    process: Ordinal
    ready: Ready


class RoundLine(msgspec.Struct, frozen=True, tag="round", forbid_unknown_fields=True):
    """A finished round: its latency is what pytest-benchmark timed, of a copy its own wall time."""

    case: Case
    process: Ordinal
    latency_s: Latency
    measured: Measured
    copy: Copies = 1


class WrongLine(msgspec.Struct, frozen=True, tag="wrong answer", forbid_unknown_fields=True):
    """A round's wrong answer: its case has failed, also in a run that continues this one."""

    case: Case
    message: str


Line = RunLine | ReadyLine | RoundLine | WrongLine


class Journal:
    """The journal of one run: appended to, read back by a resumed run, deleted once saved."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self.path = path
        self.holds_rounds = False
        self._file = file
        self._end = 0
        """Bytes of whole lines; the bytes after them are from an append that failed."""

    @classmethod
    def begin(cls, results: Path, identity: RunLine) -> Self:
        """Open a fresh journal in the results folder.

        Raises:
            BenchError: the folder cannot be written, found out before anything is measured.

        """
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        path = results / FOLDER / f"{identity.name}_{stamp}{ENDING}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            journal = cls(path, open_locked(path, os.O_CREAT | os.O_EXCL))
            try:
                journal._write(identity)
            except OSError:
                journal.discard()
                raise
        except OSError as error:
            raise BenchError(
                f"results folder {results}: cannot write {path.name} in it ({reason_of(error)}); "
                f"{remedy_of(error, '--whisper-results')}"
            ) from error
        return journal

    @classmethod
    def go_on(cls, path: Path) -> Self:
        """Open an unfinished journal to append to; a last line that was cut short is dropped.

        Raises:
            BenchError: another run is writing it, or has just ended it, or it cannot be written.

        """
        try:
            journal = cls(path, open_locked(path))
            try:
                journal._end = whole_bytes(read_bounded(path))
                journal._drop_the_rest()
            except OSError:
                journal.close()
                raise
        except FileNotFoundError:
            raise BenchError(
                f"--whisper-resume: {path}: the run that wrote it has just ended and saved it; run "
                "without --whisper-resume"
            ) from None
        except OSError as error:
            raise BenchError(
                f"--whisper-resume: {path}: {reason_of(error)}; {remedy_in_place(error)}, or run "
                "without --whisper-resume"
            ) from error
        journal.holds_rounds = True
        return journal

    def append(self, *lines: Line) -> None:
        """Write lines and force them to the disk, as one.

        Raises:
            BenchError: the disk is full or gone; the journal ends with the line before.

        """
        try:
            self._write(*lines)
        except OSError as error:
            with suppress(OSError):  # the next append tries again, and whoever reads drops it
                self._drop_the_rest()
            raise BenchError(
                f"journal {self.path}: {reason_of(error)}; {remedy_in_place(error)}, then continue "
                "from the rounds in it with --whisper-resume"
            ) from error
        self.holds_rounds |= any(isinstance(line, RoundLine) for line in lines)

    def close(self) -> None:
        """Keep the journal for --whisper-resume."""
        with suppress(OSError):  # every line is on the disk already
            self._file.close()

    def discard(self) -> None:
        """Delete the journal: what it holds has been saved.

        Raises:
            BenchError: it cannot be deleted.

        """
        try:
            self.path.unlink(missing_ok=True)  # while it is locked: nobody goes on from it
        except OSError as error:
            raise BenchError(
                f"journal {self.path}: {reason_of(error)}; its rounds are saved: delete it"
            ) from error
        finally:
            self.close()
        with suppress(OSError):  # other runs' journals are in it
            self.path.parent.rmdir()

    def _write(self, *lines: Line) -> None:
        content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        self._drop_the_rest()  # of an earlier append that failed, if it is still there
        _write_all(self._file, content)
        os.fsync(self._file.fileno())
        self._end += len(content)

    def _drop_the_rest(self) -> None:
        descriptor = self._file.fileno()
        if os.fstat(descriptor).st_size > self._end:  # never made longer: that would add zero bytes
            os.ftruncate(descriptor, self._end)


def _write_all(file: FileIO, content: bytes) -> None:
    """Write every byte: a disk that fills up takes a part without an error, then refuses."""
    while content:
        content = content[file.write(content) :]


def whole_bytes(content: bytes) -> int:
    """Count the bytes up to the end of the last whole line; JSON has no zero bytes within one."""
    end = content.rfind(b"\n") + 1
    while end:
        start = content.rfind(b"\n", 0, end - 1) + 1
        line = content[start : end - 1].lstrip(b"\0")
        if line and b"\0" not in line:
            break
        end = start
    return end
