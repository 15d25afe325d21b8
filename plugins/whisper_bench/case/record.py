"""All that is known of one measured case; it is saved as pytest-benchmark's extra_info."""

import msgspec

from whisper_bench.case.backend import Backend
from whisper_bench.case.case import Case, Placement, Round
from whisper_bench.case.contention import MANY_CONTENDED
from whisper_bench.case.decoding import Decoding
from whisper_bench.case.language import OPTION, LanguageSource
from whisper_bench.case.normalise import has_words
from whisper_bench.machine.counters import CpuCounters, total_counters
from whisper_bench.machine.cpu_limit import CpuLimit, no_limit_words
from whisper_bench.machine.node import Node
from whisper_bench.ranges import (
    Copies,
    Count,
    Duration,
    Latency,
    Name,
    NotNegative,
    Ordinal,
    PeakMemory,
    Seconds,
    Sha256,
    Threads,
    Word,
)
from whisper_bench.text.plain import plain
from whisper_bench.weights.pins import unpinned_files

EXTRA_INFO_KEY = "whisper_bench"
RECORD_VERSION = 1
ALL_WRONG = 1.0
"""Word error rate from which nothing of a transcript need be right."""


class ModelFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The identity of the weights: where they came from and what they are.

    `sha256` is model.bin's. `files` has the sha256 of each file that was read, by its name, as the
    measuring process hashed it; None in files from before, where `pinned` is model.bin's alone.
    """

    source: Word
    revision: Word | None
    sha256: Sha256
    pinned: bool
    shape_only: bool
    files: dict[str, Sha256] | None = None


class ClipIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The identity of the recording, and how many 30 s windows the encoder computes for it."""

    name: Name
    sha256: Sha256
    duration_s: Duration
    windows: Ordinal


class ProcessFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fresh process: its load time, peak resident memory, and what it measured.

    `counters` are the kernel's over the measured rounds only. Of several copies these are the means
    and sums of all that ran at once, and the largest load time and memory of one.
    """

    process: Ordinal
    rounds: Ordinal
    mean_latency_s: Latency
    mean_cpu_s: Seconds
    load_s: Seconds
    peak_rss_bytes: PeakMemory
    counters: CpuCounters | None


class CaseRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case: what was measured with what, and how far it can be trusted."""

    record_version: int
    model: Name
    threads: Threads
    clip: ClipIdentity
    weights: ModelFacts
    compute_type: Word
    compute_type_in_use: Word
    decoding: Decoding
    backend: Backend
    cpu_limit: CpuLimit
    versions: dict[str, str]
    environment: dict[str, str]
    processes: list[ProcessFacts]
    rounds: list[Round]
    planned_rounds: Ordinal
    resumed_rounds: Count
    warmup_rounds: Count
    transcript: str
    tokens: Count
    word_error_rate: NotNegative | None
    word_error_rate_bound: NotNegative | None
    language_source: LanguageSource | None = None
    """How the decoding's language came to be known; None in a run saved before it was recorded."""
    copies: Copies = 1
    placement: Placement | None = None
    """None in a run saved before it was recorded: floating."""
    node_facts: Node | None = None
    """None in a run saved before it was recorded."""

    @property
    def case(self) -> Case:
        """The cell of the matrix that was measured."""
        return Case(self.model, self.threads, self.clip.name, self.copies)

    @property
    def label(self) -> str:
        """Name the case for people."""
        return self.case.label


def contended_rounds(record: CaseRecord) -> int | None:
    """Count the contended rounds; None if it is unknown for every round."""
    known = [measured.contended for measured in record.rounds if measured.contended is not None]
    return sum(known) if known else None


def counters_of(record: CaseRecord) -> CpuCounters | None:
    """Return the kernel's counters over all measured rounds; None where a process has none."""
    return total_counters([process.counters for process in record.processes])


def untold_rounds(record: CaseRecord) -> int:
    """Count the rounds where other processes may have kept threads from reaching the quota.

    That is so if contention is unknown, and if more threads than the quota has CPUs ran
    or waited for a CPU for more than the quota allows: they would use it up on a quiet machine.
    """
    return sum(
        measured.contended is None or (not measured.contended and _wanted_more(measured, record))
        for measured in record.rounds
    )


def _wanted_more(measured: Round, record: CaseRecord) -> bool:
    quota_cpus = record.cpu_limit.quota_cpus
    if quota_cpus is None or measured.wait_s is None or record.threads <= quota_cpus:
        return False
    return measured.cpu_s + measured.wait_s > quota_cpus * measured.wall_s


def trust_warnings(record: CaseRecord) -> list[str]:
    """List what a reader should know of how a case was measured; most serious first."""
    rounds, contended = len(record.rounds), contended_rounds(record)
    warnings = []
    if record.weights.shape_only:
        warnings.append("shape-only weights: the model's true cost, but not its transcripts")
    if not record.weights.pinned:
        warnings.append(f"unpinned weights, {_unpinned(record)}")
    if contended is None:
        warnings.append("contention unknown: the kernel's counter is missing (docs/measuring.md)")
    elif contended >= MANY_CONTENDED * rounds:
        warnings.append(
            f"{contended} of {rounds} rounds contended: the machine was busy, compare CPU-seconds"
        )
    warnings += _answer_warnings(record)
    if record.cpu_limit.cpus is None:
        warnings.append(no_limit_words(record.cpu_limit))
    warnings += _crowding(record)
    if rounds < record.planned_rounds:
        warnings.append(f"{rounds} of {record.planned_rounds} rounds: the run was interrupted")
    if len(record.processes) == 1:
        warnings.append("one process: the spread between processes is unknown")
    return warnings


def _crowding(record: CaseRecord) -> list[str]:
    """Warn where copies without limits have more threads than there are CPUs."""
    cpus = record.cpu_limit.usable_cpus
    has_own = record.cpu_limit.quota_cpus is not None or record.placement == "pinned"
    if record.copies == 1 or has_own or cpus is None or record.copies * record.threads <= cpus:
        return []
    return [f"{record.copies} copies of {record.threads} threads on {cpus:g} CPUs: they take turns"]


def _unpinned(record: CaseRecord) -> str:
    """Tell model.bin's sha256, and which files are not the pinned ones."""
    sha256, files = record.weights.sha256, record.weights.files
    names = "" if files is None else ", ".join(unpinned_files(record.model, files))
    return f"sha256 {sha256}, not pinned: {names}" if names else f"sha256 {sha256}"


def _answer_warnings(record: CaseRecord) -> list[str]:
    """List what makes a transcript doubtful that no bound has refused."""
    clip, language, known = (
        plain(record.clip.name),
        record.decoding.language,
        record.language_source,
    )
    warnings = []
    if known is not None and known.is_doubtful:
        warnings.append(
            f"{clip}: language {language} is doubtful ({known}): set the spoken one with {OPTION}"
        )
    if not has_words(record.transcript):
        warnings.append(
            f"{clip}: the transcript has no words ({record.tokens} tokens): check that it is "
            f"speech in {language}"
        )
    elif record.word_error_rate is not None and record.word_error_rate >= ALL_WRONG:
        warnings.append(
            f"{clip}: word error rate {record.word_error_rate:.2f}, as many errors as words: "
            f"check the clip's text and its language ({language})"
        )
    return warnings
