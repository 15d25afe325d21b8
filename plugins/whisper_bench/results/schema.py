"""The result file's form; result.schema.json beside it is the same as a JSON Schema."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from whisper_bench.case.record import CaseRecord
from whisper_bench.case.work import CaseWork
from whisper_bench.machine.identity import Architecture, Machine
from whisper_bench.ranges import (
    CpuCount,
    Cpus,
    Latency,
    Name,
    Ordinal,
    Positive,
    Seconds,
    Word,
)
from whisper_bench.throttling.verdict import CaseVerdict

SCHEMA_VERSION: Literal[2] = 2


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
    """What a reader needs to trust the figures; times in seconds, memory in bytes.

    `record` is the case as pytest-benchmark's file has it; `unknown` says of each figure that is
    null why it is.
    """

    save_name: Name
    node: str
    system: str
    kernel: str
    python: str
    latency: LatencySummary
    cpu_s_per_request: Seconds
    real_time_factor: Positive
    throttling: CaseVerdict
    unknown: dict[str, str]
    warnings: list[str]
    record: CaseRecord
    work: CaseWork | None = None
    """None as well in files from before it was recorded."""


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
    schema_version: Literal[2]
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
            python=self.detail.python,
        )
