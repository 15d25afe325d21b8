"""Several workers at once: released together, busy until the last of them has what counts."""

from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from whisper_bench.errors import BenchError, WorkerDiedError
from whisper_bench.machine.memory import available_bytes
from whisper_bench.measure.overlap import MOST_LATE, Overlap, is_awake
from whisper_bench.worker.process import Worker
from whisper_bench.worker.protocol import Assignment, Measured, Ready

Join = Callable[[int], None]
_LOOK_S = 1.0
_MOST_IN_VAIN = 20
"""Rounds of each copy without one that counts."""
_GIB = 2**30


class _Said(NamedTuple):
    copy: int
    measured: Measured | BenchError


class Lone:
    """One worker, asked for one round at a time."""

    def __init__(self, assignment: Assignment, joins: Sequence[Join | None]) -> None:
        self._worker = Worker(assignment, joins[0])
        self.ready = [self._worker.ready]

    def round(self) -> list[Measured]:
        """Measure one transcription."""
        return [self._worker.round()]

    def close(self) -> None:
        """End the worker."""
        self._worker.close()


class Copies:
    """As many workers as there are `joins`; each goes from one round to the next on its own.

    They are loaded and warm before the first of them measures, and released together.

    Raises:
        WorkerDiedError: one ended before all were ready.
        BenchError: the memory is too small for all of them, or one answered with an error.

    """

    def __init__(self, assignment: Assignment, joins: Sequence[Join | None]) -> None:
        self._workers: list[Worker] = []
        self._readers: list[Thread] = []
        self._said: SimpleQueue[_Said] = SimpleQueue()
        self._overlap: Overlap[Measured] = Overlap(len(joins))
        try:
            self._workers.append(Worker(assignment, joins[0]))
            refuse_too_little_memory(self._workers[0].ready, assignment.model, len(joins))
            for join in joins[1:]:
                self._workers.append(Worker(assignment, join, wait=False))
            for copy, worker in enumerate(self._workers[1:], start=2):
                with _named(copy, len(joins)):
                    worker.become_ready()
            self._release()
        except BaseException:
            self.close()
            raise

    @property
    def ready(self) -> list[Ready]:
        """What each copy said when it was ready."""
        return [worker.ready for worker in self._workers]

    def round(self) -> list[Measured]:
        """Return a round of each copy, all of which lie where every copy was busy.

        Raises:
            WorkerDiedError: a copy has ended.
            BenchError: a copy was stopped, or is not busy beside the others.

        """
        while (counted := self._overlap.next_set()) is None:
            try:
                self._hear(self._said.get(timeout=_LOOK_S))
            except Empty:
                self._refuse_stopped()
        return counted

    def close(self) -> None:
        """End all copies."""
        for worker in self._workers:
            worker.kill()
        for reader in self._readers:  # each sees the end of its worker's pipe
            reader.join()
        for worker in self._workers:
            worker.close()

    def _release(self) -> None:
        for copy, worker in enumerate(self._workers, start=1):
            self._readers.append(Thread(target=self._read, args=(copy, worker), daemon=True))
        for worker in self._workers:
            worker.release()
        for reader in self._readers:
            reader.start()

    def _read(self, copy: int, worker: Worker) -> None:
        try:
            while True:
                self._said.put(_Said(copy, worker.next_round()))
        except BenchError as error:
            self._said.put(_Said(copy, error))

    def _hear(self, said: _Said) -> None:
        measured, copies = said.measured, len(self._workers)
        if isinstance(measured, BenchError):
            with _named(said.copy, copies):
                raise measured
        start_s = measured.start_s
        assert start_s is not None
        end_s = start_s + measured.transcription.wall_s
        self._overlap.add(said.copy, measured, start_s, end_s, busy=is_awake(measured))
        if late := self._overlap.left_behind:
            self._refuse_stopped()
            raise BenchError(
                f"copy {late} of {copies} has ended no round for {MOST_LATE} times its longest, "
                "and the others have: they do not run beside each other; give each a CPU of its "
                "own, and measure again"
            )
        if self._overlap.in_vain > _MOST_IN_VAIN:
            raise BenchError(
                f"{copies} copies: no round of {_MOST_IN_VAIN} had all copies busy from its "
                "beginning to its end; something stops them again and again: measure again on a "
                "machine where nothing does"
            )

    def _refuse_stopped(self) -> None:
        """Find out about a copy that says nothing since it was stopped, and will not go on."""
        for copy, worker in enumerate(self._workers, start=1):
            if worker.is_stopped:
                raise BenchError(
                    f"copy {copy} of {len(self._workers)}: the worker process {worker.pid} is "
                    "stopped (SIGSTOP), and the others no longer measure a full node; let it go "
                    "on, and measure again"
                )


class _named:  # noqa: N801 - read as a verb: with _named(copy, copies)
    """Put which copy it was in front of its error."""

    def __init__(self, copy: int, copies: int) -> None:
        self._name = f"copy {copy} of {copies}"

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, BenchError):
            first, *others = error.args
            kind = WorkerDiedError if isinstance(error, WorkerDiedError) else BenchError
            raise kind(f"{self._name}: {first}", *others) from error


def refuse_too_little_memory(ready: Ready, model: str, copies: int) -> None:
    """Refuse copies that the kernel would have to kill, before they are loaded."""
    available, peak = available_bytes(Path("/")), ready.peak_rss_bytes
    if available is None or peak is None or (copies - 1) * peak <= available:
        return
    fit = 1 + available // peak
    raise BenchError(
        f"{copies} copies of {model} take {copies * peak / _GIB:.1f} GiB ({peak / _GIB:.2f} each), "
        f"and there is memory for {fit}: {available / _GIB:.1f} GiB are left beside the first; "
        f"give --whisper-copies={fit} or fewer, a smaller model, or more memory"
    )
