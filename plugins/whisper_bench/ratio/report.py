"""The report of a ratio: the cases with their intervals, validity and both sides."""

from enum import StrEnum

import msgspec

from whisper_bench.case.case import Case
from whisper_bench.ranges import Copies, Count, Ordinal, PeakMemory, Positive
from whisper_bench.ratio.comparable import Mismatch
from whisper_bench.ratio.run import CaseIdentity, RunFacts, SampleKind
from whisper_bench.stats.interval import Confidence, Estimate
from whisper_bench.stats.welch import LogMean

FEWEST = 2
"""Samples a side below which there is no interval, and so no ratio."""


class Validity(StrEnum):
    """How far a ratio can be trusted.

    WITHIN_RUN: one process on a side, so the interval is computed from rounds; it is far too
    narrow (docs/ratio.md has what a simulation shows). INVALID: there is none.
    """

    VALID = "VALID"
    WITHIN_RUN = "WITHIN_RUN"
    INVALID = "INVALID"


class SideWork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One side at the reference's work, and what its parts take: seconds a window and a token.

    `windows` are those of a round.

    `latency` and `cpu` are those of the rounds, had each decoded as many tokens as the reference's.
    """

    windows: Ordinal
    latency: LogMean
    cpu: LogMean | None
    window: LogMean
    token: LogMean


class CaseSide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run's side of a case.

    `latency_s` and `cpu_s` are geometric means of the processes' means, so that the ratio is their
    quotient where the work is unknown; `latency` and `cpu` are their logarithms with their spread.
    `work` is None where a side of the case has no split on record. `peak_rss_bytes` is the most
    that a process of this side held resident, for a sizing of its machine. `copies` of the worker
    ran at once.
    """

    latency_s: Positive
    cpu_s: Positive | None
    latency: LogMean
    cpu: LogMean | None
    tokens: Count
    runs: Ordinal
    processes: Ordinal
    rounds: Ordinal
    contended_rounds: Count | None
    peak_rss_bytes: PeakMemory
    setting: dict[str, str]
    warnings: list[str]
    work: SideWork | None = None
    copies: Copies = 1

    @property
    def compared(self) -> LogMean:
        """The latency that the ratio is made of: at equal work, where the work is known."""
        return self.work.latency if self.work else self.latency

    @property
    def compared_cpu(self) -> LogMean | None:
        """The CPU-seconds that their ratio is made of."""
        return self.work.cpu if self.work else self.cpu


class CaseRatio(Case, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ratio of one case with its interval, both None if it is INVALID.

    Where both sides' work is known the ratio is at equal work: the target's rounds are brought to
    the tokens of the reference's. `plain` is the ratio of the latencies as measured, `encoder` that
    of the seconds a window and `decoder` a token; these two are None where the work is unknown.

    `samples` says what the interval is made of. `identity` is the reference's. `cpu` is the ratio
    of CPU-seconds, which a busy neighbour disturbs least.
    """

    ratio: Positive | None
    low: Positive | None
    high: Positive | None
    confidence: Confidence
    validity: Validity
    samples: SampleKind
    reason: str | None
    cpu: Estimate | None
    reference: CaseSide
    target: CaseSide
    identity: CaseIdentity
    plain: Estimate | None = None
    encoder: Estimate | None = None
    decoder: Estimate | None = None

    @property
    def is_at_equal_work(self) -> bool:
        """Whether both sides count the same windows and tokens."""
        return self.reference.work is not None and self.target.work is not None

    @property
    def estimate(self) -> Estimate | None:
        """The ratio with its interval; None if it is INVALID."""
        if self.ratio is None or self.low is None or self.high is None:
            return None
        return Estimate(self.ratio, self.low, self.high, self.confidence)


class Difference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An expected difference between two machines or their settings."""

    field: str
    reference: str
    target: str


class RatioReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ratio of two runs; `headline` is the geometric mean of the cases', None if one has none.

    `validity` is that of the worst case, and so the headline's.

    A ratio of 2.5 means that one CPU of the reference does the work of 2.5 of the target's.
    """

    reference: RunFacts
    target: RunFacts
    cases: list[CaseRatio]
    headline: Estimate | None
    validity: Validity
    differences: list[Difference]
    allowed_mismatches: list[Mismatch]

    @property
    def invalid(self) -> list[CaseRatio]:
        """The cases that have no ratio."""
        return [case for case in self.cases if case.validity is Validity.INVALID]
