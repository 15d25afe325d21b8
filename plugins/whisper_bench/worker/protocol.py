"""The messages between the run and its worker: one JSON document a line."""

import msgspec

from whisper_bench.case.backend import Backend
from whisper_bench.case.clip import Clip
from whisper_bench.case.decoding import Decoding
from whisper_bench.case.language import Language
from whisper_bench.machine.counters import CpuCounters
from whisper_bench.machine.cpu_limit import CpuLimit
from whisper_bench.ranges import Ordinal, PeakMemory, Seconds, Word
from whisper_bench.worker.engine import Transcription


class Assignment(msgspec.Struct, frozen=True):
    """All that a worker needs to know to be ready for its first round.

    `files` has the sha256 that each file of the weights must have when it is loaded. Without a
    decoding it is asked for the language of the clip, and for no round.
    """

    model: str
    folder: str
    files: dict[str, str]
    clip: Clip
    threads: int
    compute_type: str
    decoding: Decoding | None
    warmup_rounds: int


class Ready(msgspec.Struct, frozen=True, tag="ready", forbid_unknown_fields=True):
    """The model is loaded and warm; what the worker found out about itself.

    `files` has the sha256 of each file of the weights, as this process hashed and loaded it.
    """

    pid: Ordinal
    load_s: Seconds
    compute_type: Word
    cpu_limit: CpuLimit
    versions: dict[str, str]
    environment: dict[str, str]
    backend: Backend = Backend()
    files: dict[str, str] = {}


class Measured(msgspec.Struct, frozen=True, tag="measured", forbid_unknown_fields=True):
    """One round: the transcription, and what the kernel tells of the process over it.

    `wait_s` is the time that runnable threads waited for a CPU, `counters` what the group with
    the quota counted over the round; None where the system has no such counter.
    """

    transcription: Transcription
    wait_s: Seconds | None
    counters: CpuCounters | None
    peak_rss_bytes: PeakMemory


class Heard(msgspec.Struct, frozen=True, tag="heard", forbid_unknown_fields=True):
    """The language of the clip, as the model heard it."""

    language: Language


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The worker cannot go on, and says why."""

    message: str


Reply = Ready | Measured | Heard | Failed

ROUND = b"round"
LANGUAGE = b"language"
"""What a worker that is ready is asked for, a word a line."""
