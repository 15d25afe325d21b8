"""The result file's form; result.schema.json beside it is the same as a JSON Schema."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from whisper_bench.case.backend import Backend
from whisper_bench.case.case import Round
from whisper_bench.case.decoding import Decoding
from whisper_bench.case.language import LanguageSource
from whisper_bench.case.record import ClipIdentity, ModelFacts, ProcessFacts
from whisper_bench.machine.counters import CpuCounters
from whisper_bench.machine.cpu_limit import CpuLimit
from whisper_bench.machine.identity import Architecture, Machine
from whisper_bench.ranges import (
    Count,
    CpuCount,
    Cpus,
    Latency,
    Name,
    NotNegative,
    Ordinal,
    Positive,
    Seconds,
    Threads,
    Word,
)
from whisper_bench.throttling.verdict import CaseVerdict

SCHEMA_VERSION: Literal[1] = 1


class LatencySummary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The distribution of the rounds' latencies, in seconds."""

    mean_s: Latency
    stddev_s: Seconds
    min_s: Latency
    p50_s: Latency
    p90_s: Latency
    p95_s: Latency
    p99_s: Latency
    max_s: Latency


class Detail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reader needs to trust the figures; times in seconds, memory in bytes."""

    save_name: Name
    shape_only: bool
    threads: Threads
    compute_type: Word
    compute_type_in_use: Word
    decoding: Decoding
    clip: ClipIdentity
    weights: ModelFacts
    versions: dict[str, str]
    backend: Backend
    environment: dict[str, str]
    cpu_limit: CpuLimit
    node: str
    system: str
    kernel: str
    latency: LatencySummary
    cpu_s_per_request: Seconds
    real_time_factor: Positive
    counters: CpuCounters | None
    throttling: CaseVerdict
    contended_rounds: Count | None
    unknown: dict[str, str]
    processes: list[ProcessFacts]
    rounds: list[Round]
    planned_rounds: Ordinal
    resumed_rounds: Count
    warmup_rounds: Count
    tokens: Count
    transcript: str
    word_error_rate: NotNegative | None
    word_error_rate_bound: NotNegative | None
    warnings: list[str]
    language_source: LanguageSource | None = None


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model of one saved run; the first ten keys are those of the design, in its order.

    `cpu_limit` is in CPUs (None: no limit), `memory_mb` in MiB.
    """

    timestamp: Annotated[str, Meta(pattern=r"^2[01]\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    architecture: Architecture
    cpu_model: Word
    model_size: Name
    iterations: Ordinal
    avg_latency_ms: Positive
    total_time_s: Positive
    rps: Positive
    cpu_limit: CpuCount | Cpus | None
    memory_mb: Ordinal
    schema_version: Literal[1]
    detail: Detail

    @property
    def machine(self) -> Machine:
        """The machine that measured, whose chip is among the design's keys."""
        return Machine(
            architecture=self.architecture,
            cpu_model=self.cpu_model,
            node=self.detail.node,
            system=self.detail.system,
            kernel=self.detail.kernel,
            python=self.detail.versions.get("python", "not told"),
        )
