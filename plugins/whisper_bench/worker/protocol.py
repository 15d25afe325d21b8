"""The messages between the run and its worker: one JSON document a line."""

import msgspec

from whisper_bench.case.backend import Backend
from whisper_bench.case.clip import Clip
from whisper_bench.case.decoding import Decoding
from whisper_bench.case.language import Language
from whisper_bench.machine.counters import CpuCounters
from whisper_bench.machine.cpu_limit import CpuLimit
from whisper_bench.ranges import Moment, Ordinal, PeakMemory, Seconds, Word
from whisper_bench.worker.engine import Transcription


class Assignment(msgspec.Struct, frozen=True):
    """All that a worker needs for its first round.

    `files` has the sha256 that each file of the weights must have when it is loaded. A worker
    without a decoding is asked for the language of the clip, and for no round.
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
    """The model is loaded and warm; the facts of this worker.

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
    peak_rss_bytes: PeakMemory | None = None


class Measured(msgspec.Struct, frozen=True, tag="measured", forbid_unknown_fields=True):
    """One round: the transcription, and what the kernel counted during it.

    `wait_s` is the time that runnable threads waited for a CPU, `counters` are those of the group
    with the quota; None if the system has no such counter. `start_s` is when it began, by the
    machine's clock that only rises.
    """

    transcription: Transcription
    wait_s: Seconds | None
    counters: CpuCounters | None
    peak_rss_bytes: PeakMemory
    start_s: Moment | None = None


class Heard(msgspec.Struct, frozen=True, tag="heard", forbid_unknown_fields=True):
    """The language of the clip, as the model detected it."""

    language: Language


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The worker cannot go on; `message` says why."""

    message: str


Reply = Ready | Measured | Heard | Failed

ROUND = b"round"
ROUNDS = b"rounds"
LANGUAGE = b"language"
"""The requests to a ready worker, each a line; ROUNDS is for one after another until it ends."""
