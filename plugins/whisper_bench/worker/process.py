"""The run's side of a worker: start it, ask for rounds, report how it ended."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar

import msgspec

from whisper_bench.case.backend import parse_backend
from whisper_bench.case.language import Language
from whisper_bench.errors import BenchError, WorkerDiedError
from whisper_bench.files.json_input import parsed
from whisper_bench.weights.private import remove_left_copies
from whisper_bench.worker.environment import worker_environment
from whisper_bench.worker.protocol import (
    LANGUAGE,
    ROUND,
    ROUNDS,
    Assignment,
    Failed,
    Heard,
    Measured,
    Ready,
    Reply,
)

_STDERR_LINES_SHOWN = 6
_GRACE_S = 10.0
_MOST_REPLY_BYTES = 2**24
"""Of an answer, nearly all of it the text: a day of speech has about 2 MiB."""
_STOPPED = frozenset("Tt")
"""States of a process in /proc/PID/stat (proc_pid_stat(5)): stopped by a signal, or traced."""
_STDERR_BYTES = 2**18
"""Read from what the worker and its libraries wrote: the kernels are named in the first 2 KiB, and
an error is in the last lines; with ONEDNN_VERBOSE there are many MiB between."""
_R = TypeVar("_R", Ready, Measured, Heard)


class Worker:
    """A new process with one loaded and warm model; `join` puts it into a control group.

    With `wait` false it is only told to load: `become_ready` waits until it has.

    Raises:
        WorkerDiedError: it ended before it answered, here or in `round`.
        BenchError: it answered with an error.

    """

    ready: Ready

    def __init__(
        self,
        assignment: Assignment,
        join: Callable[[int], None] | None = None,
        *,
        wait: bool = True,
    ) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
        self._rounds = 0
        self._busy, self._asked = True, False
        self._peak_rss_bytes = 0
        # -P: a folder of the current directory with a library's name is not imported
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "whisper_bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=worker_environment(assignment.threads, os.environ),
        )
        try:
            if join is not None:
                join(self._process.pid)  # it waits for its assignment: nothing is loaded yet
            self._start(assignment)
            if wait:
                self.become_ready()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    @property
    def is_stopped(self) -> bool:
        """Whether a signal has stopped it; False where the system does not say."""
        with suppress(OSError):
            stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8", errors="replace")
            return stat.rpartition(")")[2].split()[0] in _STOPPED  # its name may hold anything
        return False

    def become_ready(self) -> None:
        """Wait until the model is loaded and warm."""
        ready = self._reply(Ready)
        self._busy = False
        self.ready = msgspec.structs.replace(ready, backend=parse_backend(self._stderr(end=False)))

    def round(self) -> Measured:
        """Measure one transcription."""
        self._asked = True
        return self._counted(self._ask(ROUND, Measured))

    def release(self) -> None:
        """Let it measure one round after another, until it is closed."""
        self._busy = self._asked = True
        self._send(ROUNDS)

    def next_round(self) -> Measured:
        """Return the next round of a worker that was released."""
        return self._counted(self._reply(Measured))

    def kill(self) -> None:
        """Kill the process, and do not wait for it: `close` does."""
        self._process.kill()

    def language(self) -> Language:
        """Return the clip's language, from a worker that has no decoding."""
        return self._ask(LANGUAGE, Heard).language

    def close(self) -> None:
        """End the process and wait for it; a busy one is killed, an idle one ends with stdin."""
        if self._busy:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                _close_quietly(pipe)
        self._wait_or_kill()
        remove_left_copies()
        self._errors.close()

    def _wait_or_kill(self) -> None:
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _counted(self, measured: Measured) -> Measured:
        self._rounds += 1
        self._peak_rss_bytes = measured.peak_rss_bytes
        return measured

    def _start(self, assignment: Assignment) -> None:
        try:
            encoded = msgspec.json.encode(assignment)
        except UnicodeEncodeError as error:
            raise BenchError(
                f"weights in {assignment.folder}, clip {assignment.clip.path}: a path is not "
                "UTF-8; move it to a folder whose name is"
            ) from error
        self._send(encoded)

    def _ask(self, request: bytes, kind: type[_R]) -> _R:
        self._busy = True
        self._send(request)
        reply = self._reply(kind)
        self._busy = False
        return reply

    def _send(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._death() from None

    def _reply(self, kind: type[_R]) -> _R:
        assert self._process.stdout is not None
        line = self._process.stdout.readline(_MOST_REPLY_BYTES)
        if len(line) == _MOST_REPLY_BYTES:
            raise BenchError(
                f"the worker process answered with more than {_MOST_REPLY_BYTES // 2**20} MiB; "
                "measure a shorter clip"
            )
        if not line.endswith(b"\n"):
            raise self._death()
        remedy = "it is not a worker of this version; install pytest-whisper-bench again"
        form: Any = Reply  # a union, which mypy takes for no type
        reply: Reply = parsed(line, form, "the worker's answer", remedy)
        if isinstance(reply, Failed):
            self._busy = False
            raise BenchError(*reply.message.split("\n"))
        assert isinstance(reply, kind)
        return reply

    def _death(self) -> WorkerDiedError:
        status = self._process.wait(_GRACE_S)
        when = f"in round {self._rounds + 1}" if self._asked else "before its first round"
        how = _signal_name(-status) if status < 0 else f"with exit status {status}"
        text = f"the worker process {self._process.pid} ended {how} {when}"
        if status == -signal.SIGKILL:
            peak = f"{self._peak_rss_bytes / 2**20:.0f} MiB" if self._peak_rss_bytes else "unknown"
            text += (
                "; out of memory is the usual cause: give it more (docker run --memory=2g), or "
                f"measure a smaller model; its last known peak was {peak}"
            )
        return WorkerDiedError(text, *self._last_lines())

    def _last_lines(self) -> list[str]:
        lines = [line for line in self._stderr(end=True).splitlines() if "[info]" not in line]
        return ["its last lines on stderr:", *lines[-_STDERR_LINES_SHOWN:]] if lines else []

    def _stderr(self, *, end: bool) -> str:
        """Return what it wrote on stderr: only the end, or the beginning, if that is long."""
        # pread: a seek would move the worker's own position in the file, which both have open
        descriptor = self._errors.fileno()
        last = max(0, os.fstat(descriptor).st_size - _STDERR_BYTES)
        return os.pread(descriptor, _STDERR_BYTES, last if end else 0).decode(errors="replace")


def _signal_name(number: int) -> str:
    return (
        f"by {signal.Signals(number).name}"
        if number in set(signal.Signals)
        else f"by signal {number}"
    )


def _close_quietly(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        # the worker has ended: nobody reads what was left in the buffer
        return
