"""One case, measured: fresh processes in turn, every round checked and journalled."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from whisper_bench.case.case import Case, Placement, Round, rounds_by_process
from whisper_bench.case.clip import Clip
from whisper_bench.case.contention import is_contended
from whisper_bench.case.decoding import Decoding
from whisper_bench.case.language import LanguageSource
from whisper_bench.case.transcript import TranscriptCheck
from whisper_bench.errors import BenchError, WrongAnswerError
from whisper_bench.machine.node import Node
from whisper_bench.machine.quota import is_held
from whisper_bench.measure.copies import Copies, Join, Lone
from whisper_bench.measure.journal import Journal, ReadyLine, RoundLine, WrongLine
from whisper_bench.weights.contents import refuse_replaced
from whisper_bench.weights.resolve import Weights
from whisper_bench.worker.protocol import Assignment, Measured, Ready


class Plan(msgspec.Struct, frozen=True):
    """What a case asks for; `cpu_limit` is the limit demanded, in CPUs.

    `rounds` are those of each copy.
    """

    case: Case
    clip: Clip
    weights: Weights
    compute_type: str
    decoding: Decoding
    rounds: int
    processes: int
    warmup_rounds: int
    cpu_limit: float | None = None
    language_source: LanguageSource | None = None
    placement: Placement = "floating"
    node_facts: Node | None = None

    @property
    def all_rounds(self) -> int:
        """The rounds of all copies."""
        return self.rounds * self.case.copies

    def assignment(self) -> Assignment:
        """Return what a worker needs to know of it."""
        return Assignment(
            model=self.case.model,
            folder=self.weights.folder,
            files=self.weights.files,
            clip=self.clip,
            threads=self.case.threads,
            compute_type=self.compute_type,
            decoding=self.decoding,
            warmup_rounds=self.warmup_rounds,
        )


class FinishedRounds(msgspec.Struct):
    """What has been measured of a case so far, in this run and in the one that it continues."""

    processes: list[ReadyLine]
    rounds: list[RoundLine]
    resumed_rounds: int = 0


class Measurement:
    """The rounds of one case that are still to be measured; `finished` grows with each.

    For each round call `before_round` (untimed), `round` (timed) and `after_round` with the time.
    Of several copies a round is one of each; `joins` has for each what puts it under its limit.
    """

    def __init__(
        self,
        plan: Plan,
        finished: FinishedRounds,
        *,
        journal: Journal,
        check: TranscriptCheck,
        joins: Sequence[Join | None] = (None,),
        on_progress: Callable[["Measurement"], None],
    ) -> None:
        self.plan = plan
        self.finished = finished
        self._journal = journal
        self._check = check
        self._joins = joins
        self._on_progress = on_progress
        self._workers: Lone | Copies | None = None
        self._measured: list[Measured] = []
        self._sizes = _left(rounds_by_process(plan.rounds, plan.processes), self.done)
        self._in_process = 0
        for line in finished.rounds:
            self._check_transcript(line)

    @property
    def done(self) -> int:
        """The number of rounds of each copy that were measured."""
        return len(self.finished.rounds) // self.plan.case.copies

    @property
    def remaining(self) -> int:
        """The number of rounds still to be measured."""
        return max(0, self.plan.rounds - self.done)

    def before_round(self) -> None:
        """Have a worker loaded and warm: a fresh one where the last has had its share."""
        if self._workers is not None and self._in_process < self._sizes[0]:
            return
        if self._workers is not None:
            self._sizes.pop(0)
        self.close()
        kind = Lone if self.plan.case.copies == 1 else Copies
        self._workers = kind(self.plan.assignment(), self._joins)
        self._in_process = 0
        process = 1 + max((line.process for line in self.finished.processes), default=0)
        lines = [ReadyLine(self.plan.case, process, ready) for ready in self._workers.ready]
        for line in lines:
            _refuse_another_identity(self.plan, self.finished.processes or lines, line)
        slowest = max(lines, key=lambda line: line.ready.load_s)
        self.finished.processes.append(slowest)
        self._journal.append(slowest)
        self._on_progress(self)

    def round(self) -> None:
        """Measure a transcription of each copy; of one, what is timed around it is its latency."""
        assert self._workers is not None
        self._measured = self._workers.round()

    def after_round(self, latency_s: float) -> None:
        """Check, journal and count the round that has just been timed."""
        lines = list(self._lines(latency_s))
        try:
            for line in lines:
                self._check_transcript(line)
        except WrongAnswerError as error:
            self._journal.append(WrongLine(self.plan.case, str(error)))
            raise
        self.finished.rounds += lines
        self._in_process += 1
        self._journal.append(*lines)
        self._on_progress(self)

    def _lines(self, latency_s: float) -> Iterable[RoundLine]:
        """Yield the round of each copy; only a lone one was timed from outside."""
        case, process = self.plan.case, self.finished.processes[-1].process
        if case.copies > 1:
            for copy, measured in enumerate(self._measured, start=1):
                wall_s = measured.transcription.wall_s
                yield RoundLine(case, process, wall_s, measured, copy=copy)
            return
        (measured,) = self._measured
        wall_s = measured.transcription.wall_s
        if latency_s < wall_s:
            raise BenchError(
                f"pytest-benchmark timed {latency_s:.6f} s, but the worker took {wall_s:.6f} s: "
                "its timer does not count wall time; run without --benchmark-timer"
            )
        yield RoundLine(case, process, latency_s, measured)

    def close(self) -> None:
        """End the workers, if there are any."""
        if self._workers is not None:
            self._workers.close()
            self._workers = None

    def _check_transcript(self, line: RoundLine) -> None:
        heard = line.measured.transcription
        copy = f", copy {line.copy}" if line.case.copies > 1 else ""
        where = f"{line.case.label}, process {line.process}{copy}"
        self._check.check(line.case.model, self.plan.clip, heard.text, heard.tokens, where)


def rounds_of(finished: FinishedRounds) -> list[Round]:
    """Return the rounds with their contention judged by each process's own limit."""
    ready = {line.process: line.ready for line in finished.processes}
    return [_round(line, ready[line.process].cpu_limit.usable_cpus) for line in finished.rounds]


def _round(line: RoundLine, usable_cpus: float | None) -> Round:
    heard = line.measured.transcription
    return Round(
        process=line.process,
        latency_s=line.latency_s,
        wall_s=heard.wall_s,
        cpu_s=heard.cpu_s,
        wait_s=line.measured.wait_s,
        contended=is_contended(
            wall_s=heard.wall_s,
            cpu_s=heard.cpu_s,
            wait_s=line.measured.wait_s,
            threads=line.case.threads,
            usable_cpus=usable_cpus,
        ),
        tokens=heard.tokens,
        split=heard.split,
        copy=line.copy,
        start_s=line.measured.start_s,
    )


def _left(sizes: list[int], done: int) -> list[int]:
    """Take `done` rounds from the front of the processes' shares."""
    left = list(sizes)
    while left and done >= left[0]:
        done -= left.pop(0)
    if left:
        left[0] -= done
    return left


def _refuse_another_identity(plan: Plan, before: Sequence[ReadyLine], now: ReadyLine) -> None:
    in_force = now.ready.cpu_limit
    if plan.cpu_limit is not None and not is_held(plan.cpu_limit, in_force.cpus):
        raise BenchError(
            f"{now.case.label}: --whisper-cpu-limit={plan.cpu_limit:g} was asked for, but the "
            f"worker is under {in_force}; a control group above it has a smaller limit"
        )
    refuse_replaced(Path(plan.weights.folder), plan.weights.files, now.ready.files)
    first, process = before[0].ready, before[0].process
    for field, then, current in _identity(first, now.ready):
        if then != current:
            raise BenchError(
                f"{now.case.label}: {field} was {then} in process {process} and is {current} "
                f"in process {now.process}; measure again with the same in every process"
            )


def _identity(then: Ready, now: Ready) -> Iterator[tuple[str, object, object]]:
    """Yield what must be the same in every process of a case, by its name for people."""
    yield "the CPU limit", then.cpu_limit.cpus, now.cpu_limit.cpus
    yield "the CPU quota", then.cpu_limit.quota_cpus, now.cpu_limit.quota_cpus
    here, there = (limit.unseen is not None for limit in (then.cpu_limit, now.cpu_limit))
    yield "whether control groups are hidden", here, there
    yield "the CPU affinity", then.cpu_limit.affinity_cpus, now.cpu_limit.affinity_cpus
    for field in ("compute_type", "backend", "environment", "versions"):
        yield f"the {field.replace('_', ' ')}", getattr(then, field), getattr(now, field)
