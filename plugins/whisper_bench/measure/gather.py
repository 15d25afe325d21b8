"""From the finished rounds of a case to the record that is saved with it."""

from whisper_bench.case.record import (
    RECORD_VERSION,
    CaseRecord,
    ClipIdentity,
    ModelFacts,
    ProcessFacts,
)
from whisper_bench.case.transcript import word_error_rate, word_error_rate_bound
from whisper_bench.machine.counters import total_counters
from whisper_bench.measure.journal import ReadyLine, RoundLine
from whisper_bench.measure.measurement import FinishedRounds, Plan, rounds_of
from whisper_bench.weights.pins import MODEL


def gathered(plan: Plan, finished: FinishedRounds) -> CaseRecord:
    """Return the record of a case of which at least one round was measured."""
    first = finished.processes[0].ready
    heard = finished.rounds[0].measured.transcription
    return CaseRecord(
        record_version=RECORD_VERSION,
        model=plan.case.model,
        threads=plan.case.threads,
        clip=ClipIdentity(
            plan.clip.name, plan.clip.sha256, plan.clip.duration_s, plan.clip.windows
        ),
        weights=ModelFacts(
            source=plan.weights.source,
            revision=plan.weights.revision,
            sha256=first.files[MODEL],
            pinned=plan.weights.pinned and first.files == plan.weights.files,
            shape_only=plan.weights.shape_only,
            files=first.files,
        ),
        compute_type=plan.compute_type,
        compute_type_in_use=first.compute_type,
        decoding=plan.decoding,
        backend=first.backend,
        cpu_limit=first.cpu_limit,
        versions=first.versions,
        environment=first.environment,
        processes=_processes(finished),
        rounds=rounds_of(finished),
        planned_rounds=plan.all_rounds,
        resumed_rounds=finished.resumed_rounds,
        warmup_rounds=plan.warmup_rounds,
        transcript=heard.text,
        tokens=heard.tokens,
        word_error_rate=word_error_rate(plan.clip, heard.text),
        word_error_rate_bound=word_error_rate_bound(plan.case.model, plan.clip),
        language_source=plan.language_source,
        copies=plan.case.copies,
        placement=plan.placement,
        node_facts=plan.node_facts,
    )


def _processes(finished: FinishedRounds) -> list[ProcessFacts]:
    measured = {
        line.process: [timed for timed in finished.rounds if timed.process == line.process]
        for line in finished.processes
    }
    return [
        _process(line, measured[line.process])
        for line in finished.processes
        if measured[line.process]
    ]


def _process(line: ReadyLine, rounds: list[RoundLine]) -> ProcessFacts:
    return ProcessFacts(
        process=line.process,
        rounds=len(rounds),
        mean_latency_s=sum(line.latency_s for line in rounds) / len(rounds),
        mean_cpu_s=sum(line.measured.transcription.cpu_s for line in rounds) / len(rounds),
        load_s=line.ready.load_s,
        peak_rss_bytes=max(line.measured.peak_rss_bytes for line in rounds),
        counters=total_counters([line.measured.counters for line in rounds]),
    )
