"""All that is known of one measured case; it is saved as pytest-benchmark's extra_info."""

from collections.abc import Sequence

import msgspec

from whisper_bench.backend import Backend
from whisper_bench.case import Round, case_label
from whisper_bench.contention import MANY_CONTENDED
from whisper_bench.counters import CpuCounters
from whisper_bench.cpu_limit import CpuLimit
from whisper_bench.engine import Decoding
from whisper_bench.errors import BenchError
from whisper_bench.language import OPTION, LanguageSource
from whisper_bench.normalise import normalised
from whisper_bench.text import plain

EXTRA_INFO_KEY = "whisper_bench"
RECORD_VERSION = 1
_SHORTEST_S, _LONGEST_S = 1e-6, 1e6
"""Latencies beyond are no transcription's: a microsecond, eleven days."""
_AGREE = 1e-9
ALL_WRONG = 1.0
"""Word error rate from which nothing of a transcript need be right."""


class ModelFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The identity of the weights: where they came from and what they are."""

    source: str
    revision: str | None
    sha256: str
    pinned: bool
    shape_only: bool


class ClipIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The identity of the recording, and how many 30 s windows the encoder computes for it."""

    name: str
    sha256: str
    duration_s: float
    windows: int


class ProcessFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fresh process: its load time, peak resident memory, and what it measured.

    `counters` are the kernel's over the measured rounds only.
    """

    process: int
    rounds: int
    mean_latency_s: float
    mean_cpu_s: float
    load_s: float
    peak_rss_bytes: int
    counters: CpuCounters | None


class CaseRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case: what was measured with what, and how far it can be trusted."""

    record_version: int
    model: str
    threads: int
    clip: ClipIdentity
    weights: ModelFacts
    compute_type: str
    compute_type_in_use: str
    decoding: Decoding
    backend: Backend
    cpu_limit: CpuLimit
    versions: dict[str, str]
    environment: dict[str, str]
    processes: list[ProcessFacts]
    rounds: list[Round]
    planned_rounds: int
    resumed_rounds: int
    warmup_rounds: int
    transcript: str
    tokens: int
    word_error_rate: float | None
    word_error_rate_bound: float | None
    language_source: LanguageSource | None = None
    """How the decoding's language came to be known; None in a run saved before it was recorded."""

    @property
    def label(self) -> str:
        """Name the case for people."""
        return case_label(self.model, self.threads, self.clip.name)


def contended_rounds(record: CaseRecord) -> int | None:
    """Count the contended rounds; None where of no round it could be told."""
    told = [each.contended for each in record.rounds if each.contended is not None]
    return sum(told) if told else None


def trust_warnings(record: CaseRecord) -> list[str]:
    """List what a reader should know of how a case was measured; most serious first."""
    rounds, contended = len(record.rounds), contended_rounds(record)
    found = []
    if record.weights.shape_only:
        found.append("shape-only weights: cost of the model named, not its skill")
    if not record.weights.pinned:
        found.append(f"unpinned weights, sha256 {record.weights.sha256}")
    if contended is None:
        found.append("contention unknown: what tells it is not there (docs/measuring.md)")
    elif contended >= MANY_CONTENDED * rounds:
        found.append(
            f"{contended} of {rounds} rounds contended: the machine was busy, compare CPU-seconds"
        )
    found += _answer_warnings(record)
    if record.cpu_limit.cpus is None:
        found.append(f"no CPU limit in force ({record.cpu_limit.source})")
    if rounds < record.planned_rounds:
        found.append(f"{rounds} of {record.planned_rounds} rounds: the run was interrupted")
    if len(record.processes) == 1:
        found.append("one process: the spread between processes is not known")
    return found


def _answer_warnings(record: CaseRecord) -> list[str]:
    """List what makes a transcript doubtful that no bound has refused."""
    clip, language, known = (
        plain(record.clip.name),
        record.decoding.language,
        record.language_source,
    )
    found = []
    if known is not None and known.is_doubtful:
        found.append(
            f"{clip}: language {language} is doubtful ({known}): give the one that is spoken with "
            f"{OPTION}"
        )
    if not normalised(record.transcript):
        found.append(
            f"{clip}: decoded to nothing ({record.tokens} tokens, no words): is it speech, in "
            f"{language}?"
        )
    elif record.word_error_rate is not None and record.word_error_rate >= ALL_WRONG:
        found.append(
            f"{clip}: word error rate {record.word_error_rate:.2f}, as many errors as words: is it "
            f"the clip's text, and {language} its language?"
        )
    return found


def check_record(record: CaseRecord, where: str) -> None:
    """Hold a record that was read to what a measurement gives.

    Raises:
        BenchError: it has no rounds or processes, a time that cannot be, or means that do not
            follow from its rounds.

    """
    times = [each.latency_s for each in record.rounds]
    times += [process.mean_latency_s for process in record.processes]
    if not record.rounds or not record.processes:
        raise BenchError(f"{where}: {record.label} has no rounds on record; measure again")
    for time_s in times:
        if not _SHORTEST_S <= time_s <= _LONGEST_S:
            raise BenchError(
                f"{where}: {record.label}: a latency of {time_s:g} s, which no measurement gives; "
                "the file was edited, measure again"
            )
    by_process: dict[int, list[float]] = {}
    for each in record.rounds:
        by_process.setdefault(each.process, []).append(each.latency_s)
    for process in record.processes:
        latencies_s = by_process.get(process.process, [0.0])
        mean_s = sum(latencies_s) / len(latencies_s)
        if abs(mean_s - process.mean_latency_s) > _AGREE * process.mean_latency_s:
            raise BenchError(
                f"{where}: {record.label}: process {process.process} has a mean of "
                f"{process.mean_latency_s:g} s on record, and rounds whose mean is {mean_s:g} s; "
                "the file was edited, measure again"
            )


def refuse_twins(records: Sequence[CaseRecord], where: str) -> None:
    """Refuse a case that is there twice, since neither could be chosen.

    Raises:
        BenchError: it names the case.

    """
    labels = [record.label for record in records]
    for label in labels:
        if labels.count(label) > 1:
            raise BenchError(f"{where}: the case {label} is in it twice; keep one")
