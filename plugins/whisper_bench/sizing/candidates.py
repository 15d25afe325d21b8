"""The measured cases of a run as candidates: what each needs, so that the best can be chosen."""

import math
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from whisper_bench.case.record import CaseRecord
from whisper_bench.case.work import round_times
from whisper_bench.errors import BenchError
from whisper_bench.ratio.report import CaseRatio
from whisper_bench.ratio.run import RunFacts
from whisper_bench.sizing.bounds import HARD_FACTOR
from whisper_bench.sizing.decision import Decision, decide
from whisper_bench.sizing.demand import Demand
from whisper_bench.sizing.pod import PodSize, pod_size
from whisper_bench.sizing.service import Service, ServiceWork
from whisper_bench.sizing.sizing_report import Candidate
from whisper_bench.stats.interval import Estimate
from whisper_bench.throttling.verdict import FAILING, CaseVerdict


class HardClips(msgspec.Struct, frozen=True):
    """A share of requests whose decoding falls back, and how many times as long those take."""

    share: float = 0.0
    factor: float = HARD_FACTOR


class MeasuredCase(msgspec.Struct, frozen=True):
    """A case of the run, its throttling verdict, and the size of its Pod."""

    record: CaseRecord
    verdict: CaseVerdict
    ratio: CaseRatio | None
    service: Service
    pod: PodSize
    copies: int
    """The workers that ran at once on the machine that the service times are of."""


def known_ratio(case: CaseRatio) -> Estimate:
    """Return the ratio of a case with its interval.

    Raises:
        BenchError: it has none.

    """
    if case.estimate is None:
        raise BenchError(
            f"{case.label}: the ratio is {case.validity} and cannot be used for a sizing; make "
            "it again with whisper-bench ratio M4 XEON"
        )
    return case.estimate


def decisions_of(
    cases: Sequence[MeasuredCase], run: str, demand: Demand
) -> dict[str, Decision | None]:
    """Return what each case needs; None if it was throttled or could not be judged."""
    decisions = {
        case.record.label: None
        if FAILING & set(case.verdict.findings)
        else decide(case.service, replace(demand, policy=demand.policy.on_nodes(case.pod.cpu)))
        for case in cases
    }
    if not any(decisions.values()):
        verdicts = "; ".join(f"{case.verdict.label} {case.verdict.verdict}" for case in cases)
        raise BenchError(
            f"{run}: no case can be used for a sizing ({verdicts}); see whisper-bench throttling "
            f"{run}, and measure again"
        )
    return decisions


def cost_of(case: MeasuredCase, decision: Decision) -> tuple[float, float, int]:
    """Sort by total CPUs (by service time if no number is enough), then by threads."""
    if decision.replicas is None:
        return math.inf, case.service.of_clip_s, case.pod.threads
    return decision.replicas * case.pod.cpu, 0.0, case.pod.threads


def measured_case(
    record: CaseRecord,
    verdict: CaseVerdict,
    ratio: CaseRatio | None,
    production: RunFacts,
    *,
    concurrency: int,
    hard: HardClips,
    slowdown: float = 1.0,
) -> MeasuredCase:
    """Return a case as a candidate; with a ratio its times and memory are the target's.

    `slowdown` is what a full node is assumed to make of the times of a worker alone.
    """
    if ratio is None:
        peak_bytes = max(process.peak_rss_bytes for process in record.processes)
        cpu_s = sum(round_.cpu_s for round_ in record.rounds)
        busy_cpus = cpu_s / sum(round_.latency_s for round_ in record.rounds)
    else:
        side = ratio.target
        peak_bytes, busy_cpus = side.peak_rss_bytes, (side.cpu_s or side.latency_s) / side.latency_s
    copies = record.copies if ratio is None else ratio.target.copies
    full_node = slowdown if copies == 1 else 1.0
    return MeasuredCase(
        record=record,
        verdict=verdict,
        ratio=ratio,
        service=Service(
            samples_s=[round_.latency_s for round_ in record.rounds],
            windows=record.clip.windows,
            factor=full_node * (1.0 if ratio is None else known_ratio(ratio).high),
            hard_share=hard.share,
            hard_factor=hard.factor,
            work=service_work(record, ratio),
        ),
        pod=pod_size(
            threads=record.threads,
            cpu_limit=record.cpu_limit.cpus,
            present_cpus=record.cpu_limit.usable_cpus,
            peak_rss_bytes=peak_bytes,
            busy_cpus=busy_cpus,
            measured_on=f"{production.name}, {production.architecture}, {production.cpu_model}",
            concurrency=concurrency,
        ),
        copies=copies,
    )


def service_work(record: CaseRecord, ratio: CaseRatio | None) -> ServiceWork | None:
    """Return what the parts of each round took; None where they, or their ratios, are unknown.

    With a ratio each part has its own: the upper ends of the intervals.
    """
    rounds = round_times(record)
    if not rounds or (ratio is not None and (ratio.encoder is None or ratio.decoder is None)):
        return None
    high = 1.0 if ratio is None else known_ratio(ratio).high
    return ServiceWork(
        window_s=[
            (times.round_s - record.tokens * times.token_s) / times.windows for times in rounds
        ],
        token_s=[times.token_s for times in rounds],
        tokens_a_second=record.tokens / record.clip.duration_s,
        window_factor=ratio.encoder.high / high if ratio and ratio.encoder else 1.0,
        token_factor=ratio.decoder.high / high if ratio and ratio.decoder else 1.0,
    )


def candidate_of(case: MeasuredCase, decision: Decision | None) -> Candidate:
    """Return a case as the report shows it."""
    replicas = decision.replicas if decision else None
    return Candidate(
        case=case.record.label,
        threads=case.record.threads,
        verdict=case.verdict.verdict,
        mean_s=case.service.of_clip_s,
        replicas=replicas,
        cpu=case.pod.cpu,
        cpus_in_all=None if replicas is None else replicas * case.pod.cpu,
        memory_mib=case.pod.memory_mib,
    )
