"""The result file's form; result.schema.json beside it is the same as a JSON Schema."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from whisper_bench import json_schema
from whisper_bench.backend import Backend
from whisper_bench.case import Round
from whisper_bench.counters import CpuCounters
from whisper_bench.cpu_limit import CpuLimit
from whisper_bench.engine import Decoding
from whisper_bench.json_schema import shipped_schema
from whisper_bench.language import LanguageSource
from whisper_bench.record import ClipIdentity, ModelFacts, ProcessFacts
from whisper_bench.verdict import CaseVerdict

SCHEMA_VERSION: Literal[1] = 1
SCHEMA = ("whisper_bench.results", "result.schema.json")

Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]


class Latency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The distribution of the rounds' latencies, in seconds."""

    mean_s: float
    stddev_s: float
    min_s: float
    p50_s: float
    p90_s: float
    p95_s: float
    p99_s: float
    max_s: float


class Detail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reader needs to trust the figures; times in seconds, memory in bytes."""

    save_name: str
    shape_only: bool
    threads: int
    compute_type: str
    compute_type_in_use: str
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
    latency: Latency
    cpu_s_per_request: float
    real_time_factor: float
    counters: CpuCounters | None
    throttling: CaseVerdict
    contended_rounds: int | None
    unknown: dict[str, str]
    processes: list[ProcessFacts]
    rounds: list[Round]
    planned_rounds: int
    resumed_rounds: int
    warmup_rounds: int
    tokens: int
    transcript: str
    word_error_rate: float | None
    word_error_rate_bound: float | None
    warnings: list[str]
    language_source: LanguageSource | None = None


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model of one saved run; the first ten keys are those of the design, in its order.

    `cpu_limit` is in CPUs (None: no limit), `memory_mb` in MiB.
    """

    timestamp: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    architecture: Literal["ARM64", "x86_64"]
    cpu_model: Annotated[str, Meta(min_length=1)]
    model_size: Annotated[str, Meta(min_length=1)]
    iterations: Count
    avg_latency_ms: Positive
    total_time_s: Positive
    rps: Positive
    cpu_limit: Count | Positive | None
    memory_mb: Count
    schema_version: Literal[1]
    detail: Detail


def schema() -> dict[str, Any]:
    """Return the shipped JSON Schema of a result file."""
    return shipped_schema(*SCHEMA)


def validate(document: object, where: str) -> None:
    """Check a parsed result file against the JSON Schema.

    Raises:
        BenchError: it does not hold; the key and the value are named.

    """
    json_schema.validate(document, *SCHEMA, where)
