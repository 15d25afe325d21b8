"""A run as the ratio sees it: who measured, what must agree, and the means of its processes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

import msgspec

from whisper_bench.case.case import Case
from whisper_bench.case.decoding import Decoding
from whisper_bench.machine.identity import Machine
from whisper_bench.ranges import (
    Copies,
    Count,
    Cpus,
    Duration,
    Ordinal,
    PeakMemory,
    Sha256,
    Threads,
    Word,
)
from whisper_bench.stats.welch import LogMean, log_mean

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


RUNS_APART = ", "
"""Between the files of several runs that count as one."""


class RunFacts(Machine, frozen=True, forbid_unknown_fields=True):
    """Which machine measured a run, and when (`moment`); `where` is its file."""

    name: str
    where: str
    moment: Moment


class CaseIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must agree in two runs for their ratio to mean something.

    `cpu_limit` is in CPUs, None for no limit, "unknown" if it is unknown; `tokens` are
    those decoded in each round. `weights` has the sha256 of the files beside model.bin, None of
    runs from before these were recorded.
    """

    model_sha256: Sha256
    clip_sha256: Sha256
    compute_type: Word
    compute_type_in_use: Word
    decoding: Decoding
    threads: Threads
    cpu_limit: Cpus | Literal["unknown"] | None
    versions: dict[str, str]
    tokens: Count
    weights: dict[str, Sha256] | None = None
    copies: Copies = 1


SampleKind = Literal["runs", "processes", "rounds"]
"""What an interval is made of."""


class Samples(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure's geometric mean in seconds: of the means of runs, of processes, and of rounds.

    `runs` is None of a single run.
    """

    runs: LogMean | None
    processes: LogMean
    rounds: LogMean

    def of(self, kind: SampleKind) -> LogMean:
        """Return what an interval is made of.

        Raises:
            KeyError: the means of runs are asked for of a single one.

        """
        samples = {"runs": self.runs, "processes": self.processes, "rounds": self.rounds}[kind]
        if samples is None:
            raise KeyError(kind)
        return samples


class ProcessTime(NamedTuple):
    """Means over the rounds of one process, in seconds or CPU-seconds: a round, and a token."""

    round_s: float
    token_s: float


class RunTimes(NamedTuple):
    """What one run took: the tokens of each round, and the times of its processes."""

    tokens: int
    wall: tuple[ProcessTime, ...]
    cpu: tuple[ProcessTime, ...]


class RunWork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The work of a case's rounds, and what its parts take: seconds a window and a token.

    `times` has the processes of each run that is in it, `audio_s` is the length of the clip.
    """

    audio_s: Duration
    windows: Ordinal
    window: Samples
    token: Samples
    times: list[RunTimes]

    def latency(self, tokens: int, measured: Samples, kind: SampleKind) -> LogMean:
        """Return the latency, had each round decoded `tokens` tokens.

        Those that it decoded more or less count with the seconds a token of their own process.
        `measured` are the latencies as they were. Where rounds are the samples, each is moved by as
        much as the processes are on average.
        """
        return self._at(tokens, measured, kind, [run.wall for run in self.times])

    def cpu(self, tokens: int, measured: Samples, kind: SampleKind) -> LogMean:
        """Return the CPU-seconds, had each round decoded `tokens` tokens; as `latency`."""
        return self._at(tokens, measured, kind, [run.cpu for run in self.times])

    def of(self, windows: int, tokens: float) -> LogMean:
        """Return the latency of other work, from the processes; the rest counts as the window's."""
        return log_mean(
            [
                windows * (mean.round_s - run.tokens * mean.token_s) / self.windows
                + tokens * mean.token_s
                for run in self.times
                for mean in run.wall
            ]
        )

    def _at(
        self,
        tokens: int,
        measured: Samples,
        kind: SampleKind,
        times: Sequence[Sequence[ProcessTime]],
    ) -> LogMean:
        more = [tokens - run.tokens for run in self.times]
        if not any(more):
            return measured.of(kind)
        moved = [
            [process.round_s + tokens_more * process.token_s for process in run]
            for tokens_more, run in zip(more, times, strict=True)
        ]
        if kind == "runs":
            return log_mean([log_mean(run).value for run in moved])
        processes = log_mean([round_s for run in moved for round_s in run])
        if kind == "processes":
            return processes
        shift = processes.mean - measured.processes.mean
        return msgspec.structs.replace(measured.rounds, mean=measured.rounds.mean + shift)


class RunCase(Case, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One case of a run, summarised; `cpu` is None if the clock was too coarse to measure it.

    `setting` is what is expected to differ between machines: instruction set, GEMM backend,
    warm-up rounds, thread variables ...
    """

    identity: CaseIdentity
    setting: dict[str, str]
    latency: Samples
    cpu: Samples | None
    runs: Ordinal
    processes: Ordinal
    rounds: Ordinal
    contended_rounds: Count | None
    peak_rss_bytes: PeakMemory
    warnings: list[str]
    work: RunWork | None = None
    """None of a run from before its rounds were split, or of an engine that does not tell."""
    first_rounds: frozenset[tuple[float, float, float]] = frozenset()
    """Latency, wall and CPU seconds of each process's first round: no two runs share them."""


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run of one machine."""

    facts: RunFacts
    cases: list[RunCase]
