"""A gate's result: one answer, the checks and figures behind it, and every sample."""

from enum import StrEnum
from typing import Literal

import msgspec

from whisper_bench.gate.sequential import Look
from whisper_bench.machine.identity import Chip
from whisper_bench.ranges import Count, Latency, Ordinal, Seconds
from whisper_bench.ratio.run import Moment

SCHEMA_VERSION: Literal[1] = 1
KIND: Literal["whisper-bench gate"] = "whisper-bench gate"


class Answer(StrEnum):
    """The gate's decision about the candidate."""

    PASS = "PASS"  # noqa: S105 - an answer and no password
    FAIL = "FAIL"
    NO_EVIDENCE = "NO EVIDENCE"


class Metric(StrEnum):
    """The time that the slowdown compares."""

    WALL = "wall time"
    CPU = "CPU-seconds"


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One check that needs no timing: its name, its answer, and why.

    `answer` is PASS if the check holds.
    """

    name: str
    answer: Answer
    message: str


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one process measured of a case; seconds per round."""

    case: str
    latency_s: list[Latency]
    cpu_s: list[Seconds]
    contended_rounds: Count | None


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One process in the order in which they ran; `pair` counts from 1."""

    pair: Ordinal
    side: Literal["baseline", "candidate"]
    samples: list[Sample]


class CaseAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case: the answer, the reason in one line, and the look behind it.

    `baseline_s` and `candidate_s` are trimmed means of the processes, of the metric decided on.
    """

    case: str
    answer: Answer
    reason: str
    metric: Metric
    baseline_s: Seconds
    candidate_s: Seconds
    look: Look


class SideFacts(Chip, frozen=True, forbid_unknown_fields=True):
    """What ran on a side, and on which machine."""

    what: str
    node: str
    instruction_set: str
    versions: dict[str, str]


class GateReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One gate. `limit` is the slowdown allowed (0.1: 10 %), `reason` why it passed or not."""

    kind: Literal["whisper-bench gate"] = KIND
    schema_version: Literal[1] = SCHEMA_VERSION
    tool_version: str
    began: Moment
    elapsed_s: float
    answer: Answer
    reason: str
    limit: float
    error_rate: float
    most_pairs: int
    baseline: SideFacts | None
    candidate: SideFacts | None
    checks: list[Check]
    cases: list[CaseAnswer]
    notes: list[str]
    turns: list[Turn]

    @property
    def measured(self) -> bool:
        """Whether all was measured and every check holds, so that the figures alone decide."""
        return bool(self.cases) and all(check.answer is Answer.PASS for check in self.checks)
