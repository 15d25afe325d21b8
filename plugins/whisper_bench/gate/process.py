"""One process of a side: started, waited for, ended whatever happens, its results taken."""

import os
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from whisper_bench.case.record import CaseRecord
from whisper_bench.errors import BenchError
from whisper_bench.files.write_errors import remedy_of
from whisper_bench.gate.last_words import LAST_CHARACTERS, how_ended, last_words
from whisper_bench.gate.side import Conditions, Launch, Side, launch
from whisper_bench.interrupt import Interruption
from whisper_bench.machine.identity import Machine
from whisper_bench.parcel.parcel import unpack
from whisper_bench.saved.file import SavedRun, machine_of, parse_saved, records_of

_POLL_S = 0.1
_GRACE_S = 10.0
_ENGINE_S = 60.0
_MOST_OUTPUT_BYTES = 2**26
"""Of what a process prints: four times the frames of the largest run; an honest one has a MiB."""


class NamedCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case as one process measured it, and its benchmark's name."""

    name: str
    record: CaseRecord


class ProcessRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one fresh process of a side measured."""

    machine: Machine
    cases: list[NamedCase]


class SideFailedError(BenchError):
    """A process that gave no results, or none that can be trusted."""

    exit_status = 1


class Runner:
    """Runs processes of either side, one at a time; what one gave no other may give again."""

    def __init__(
        self, conditions: Conditions, interruption: Interruption, *, timeout_s: float
    ) -> None:
        self._conditions = conditions
        self._interruption = interruption
        self._timeout_s = timeout_s
        self._given: list[ProcessRun] = []

    def __call__(self, side: Side) -> ProcessRun:
        """Measure a side once.

        Raises:
            SideFailedError: it gave no whole results, or took longer than it may.
            KeyboardInterrupt: a signal came; the process is ended.

        """
        try:
            # a container's user may leave what this one cannot remove
            with tempfile.TemporaryDirectory(
                prefix="whisper-bench-gate-", ignore_cleanup_errors=True
            ) as scratch:
                start = launch(side, self._conditions, Path(scratch))
                status, text = self._output(start)
        except OSError as error:
            raise BenchError(
                f"temporary files cannot be written ({error}); {remedy_of(error, 'TMPDIR')}"
            ) from error
        run = run_of(text, status, str(side), start.save_name)
        if run in self._given:
            raise SideFailedError(
                "it printed the very samples of an earlier process: it does not measure, and "
                "prints an old run"
            )
        self._given.append(run)
        return run

    def _output(self, start: Launch) -> tuple[int, str]:
        # a file and not a pipe: nobody has to read while it measures
        with tempfile.TemporaryFile() as output:
            try:
                process = subprocess.Popen(
                    start.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise SideFailedError(
                    f"{start.argv[0]} cannot be started: {error.strerror or error}"
                ) from error
            try:
                self._wait(process, output)
            finally:
                _end(process, start)
            _refuse_endless(output)  # it may have printed the most of it in its last moment
            output.seek(0)
            return process.returncode, output.read(_MOST_OUTPUT_BYTES).decode(errors="replace")

    def _wait(self, process: "subprocess.Popen[bytes]", output: IO[bytes]) -> None:
        until_s = time.monotonic() + self._timeout_s
        while process.poll() is None:
            _refuse_endless(output)
            if time.monotonic() > until_s:
                raise SideFailedError(
                    f"it had not ended after {self._timeout_s:g} s and was killed; raise --timeout"
                )
            self._interruption.sleep(_POLL_S)


def _refuse_endless(output: IO[bytes]) -> None:
    size = os.fstat(output.fileno()).st_size
    if size > _MOST_OUTPUT_BYTES:
        end = os.pread(output.fileno(), LAST_CHARACTERS, size - LAST_CHARACTERS)
        raise SideFailedError(
            f"it printed more than {_MOST_OUTPUT_BYTES // 2**20} MiB and was ended; let it print "
            "less",
            *last_words(end.decode(errors="replace")),
        )


def run_of(text: str, status: int, where: str, save_name: str) -> ProcessRun:
    """Return what a process measured, from what it printed and its exit status.

    Its run must be saved under the name that it was given.

    Raises:
        SideFailedError: it failed, or its results are not whole or not as the schema has them.

    """
    if status:
        raise SideFailedError(how_ended(status), *last_words(text))
    parcels, faults = unpack(text, save_name)
    if faults or len(parcels) != 1:
        why = "; ".join(faults) or f"{len(parcels)} saved runs in what it printed, and one is due"
        raise SideFailedError(
            f"it ended green without whole results ({why}); it must pass the options it is given "
            "on to pytest",
            *last_words(text),
        )
    try:
        return process_run(parse_saved(parcels[0].saved.encode(), where), where)
    except BenchError as error:
        raise SideFailedError(f"its results are not as they must be: {error}") from error


def process_run(saved: SavedRun, where: str) -> ProcessRun:
    """Return our cases of a saved run, each with its benchmark's name.

    Raises:
        BenchError: there is no case of ours, or one is not as it was measured.

    """
    ours = [each.name for each in saved.benchmarks if each.extra_info.whisper_bench is not None]
    return ProcessRun(
        machine_of(saved, where),
        [
            NamedCase(name.partition("[")[0], record)
            for name, record in zip(ours, records_of(saved, where), strict=True)
        ],
    )


def _end(process: "subprocess.Popen[bytes]", start: Launch) -> None:
    """End what still runs, with its workers, then the container that it may have left."""
    running = process.poll() is None
    for number in (signal.SIGTERM, signal.SIGKILL) if running else (signal.SIGKILL,):
        # a command of sudo's is another user's, and a process that has just ended is nobody's
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
    # by its name, and after the client, which could start it yet
    if process.returncode != 0 and start.cleanup is not None:
        with suppress(OSError, subprocess.TimeoutExpired):
            nowhere = subprocess.DEVNULL
            subprocess.run(
                start.cleanup, stdin=nowhere, stdout=nowhere, stderr=nowhere, check=False,
                timeout=_ENGINE_S,
            )  # fmt: skip
