"""One process of a side: it is started, waited for, always ended, and its results are read."""

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
"""Of a process's output: four times the frames of the largest run; a normal one has 1 MiB."""


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
    """Runs processes of either side, one at a time; refuses results that an earlier one gave."""

    def __init__(
        self, conditions: Conditions, interruption: Interruption, *, timeout_s: float
    ) -> None:
        self._conditions = conditions
        self._interruption = interruption
        self._timeout_s = timeout_s
        self._earlier: list[ProcessRun] = []

    def __call__(self, side: Side) -> ProcessRun:
        """Measure a side once.

        Raises:
            SideFailedError: it gave no complete results, or took too long.
            KeyboardInterrupt: a signal came; the process is ended.

        """
        try:
            # a container's user may leave files that this user cannot remove
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
        if run in self._earlier:
            raise SideFailedError(
                "it printed the same samples as an earlier process; it must measure each time, "
                "and not print an old run"
            )
        self._earlier.append(run)
        return run

    def _output(self, start: Launch) -> tuple[int, str]:
        # a file, not a pipe: nothing has to read while it measures
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
            _refuse_too_much(output)  # most of it may come at the very end
            output.seek(0)
            return process.returncode, output.read(_MOST_OUTPUT_BYTES).decode(errors="replace")

    def _wait(self, process: "subprocess.Popen[bytes]", output: IO[bytes]) -> None:
        until_s = time.monotonic() + self._timeout_s
        while process.poll() is None:
            _refuse_too_much(output)
            if time.monotonic() > until_s:
                raise SideFailedError(
                    f"it had not ended after {self._timeout_s:g} s and was killed; raise --timeout"
                )
            self._interruption.sleep(_POLL_S)


def _refuse_too_much(output: IO[bytes]) -> None:
    size = os.fstat(output.fileno()).st_size
    if size > _MOST_OUTPUT_BYTES:
        end = os.pread(output.fileno(), LAST_CHARACTERS, size - LAST_CHARACTERS)
        raise SideFailedError(
            f"it printed more than {_MOST_OUTPUT_BYTES // 2**20} MiB and was killed; make it print "
            "less",
            *last_words(end.decode(errors="replace")),
        )


def run_of(text: str, status: int, where: str, save_name: str) -> ProcessRun:
    """Return what a process measured, from what it printed and its exit status.

    Its run must be saved under the name that it was given.

    Raises:
        SideFailedError: it failed, or its results are incomplete or do not match the schema.

    """
    if status:
        raise SideFailedError(how_ended(status), *last_words(text))
    parcels, faults = unpack(text, save_name)
    if faults or len(parcels) != 1:
        why = "; ".join(faults) or f"{len(parcels)} saved runs in its output instead of one"
        raise SideFailedError(
            f"it exited with status 0 but without complete results ({why}); it must pass its "
            "options on to pytest",
            *last_words(text),
        )
    try:
        return process_run(parse_saved(parcels[0].saved.encode(), where), where)
    except BenchError as error:
        raise SideFailedError(f"its results are invalid: {error}") from error


def process_run(saved: SavedRun, where: str) -> ProcessRun:
    """Return our cases of a saved run, each with its benchmark's name.

    Raises:
        BenchError: it has no case of ours, or an invalid one.

    """
    ours = [
        benchmark.name
        for benchmark in saved.benchmarks
        if benchmark.extra_info.whisper_bench is not None
    ]
    return ProcessRun(
        machine_of(saved, where),
        [
            NamedCase(name.partition("[")[0], record)
            for name, record in zip(ours, records_of(saved, where), strict=True)
        ],
    )


def _end(process: "subprocess.Popen[bytes]", start: Launch) -> None:
    """End a process that still runs, with its workers, then a container that it may have left."""
    running = process.poll() is None
    for number in (signal.SIGTERM, signal.SIGKILL) if running else (signal.SIGKILL,):
        # under sudo the process is another user's; one that has just ended is gone
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
    # by its name, and after the client, which could still start it
    if process.returncode != 0 and start.cleanup is not None:
        with suppress(OSError, subprocess.TimeoutExpired):
            devnull = subprocess.DEVNULL
            subprocess.run(
                start.cleanup, stdin=devnull, stdout=devnull, stderr=devnull, check=False,
                timeout=_ENGINE_S,
            )  # fmt: skip
