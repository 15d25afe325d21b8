"""From a saved run, and a kept ratio where it is of the other machine, to a sizing report."""

import math
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Protocol

import msgspec
from msgspec.structs import replace

from whisper_bench.errors import BenchError
from whisper_bench.machine import Architecture
from whisper_bench.ratio.comparable import paired
from whisper_bench.ratio.config import MOST_DAYS, RatioConfig
from whisper_bench.ratio.load import run_of_records
from whisper_bench.ratio.predict import predict
from whisper_bench.ratio.report import CaseRatio
from whisper_bench.ratio.run import RunFacts
from whisper_bench.ratio.stability import stability_warnings
from whisper_bench.record import CaseRecord, trust_warnings
from whisper_bench.sizing.pod import PodSize, pod_size
from whisper_bench.sizing.report import Basis, Candidate, SizingReport
from whisper_bench.sizing.service import HARD_FACTOR, Service
from whisper_bench.sizing.sizing import Sensitivity, Sizing
from whisper_bench.throttling import judged
from whisper_bench.verdict import FAILING, CaseVerdict

PRODUCTION: Architecture = "x86_64"


class Sizer(Protocol):
    """`calculate_sizing` with the load, objective and policy given."""

    def __call__(self, *, service: Service, pod: PodSize, evidence: bool) -> Sizing:
        """Return the sizing of a service in Pods of a size."""


class NoRatioError(BenchError):
    """A run of a machine that production is not, without a ratio to bring it there."""


class HardClips(msgspec.Struct, frozen=True):
    """A share of requests whose decoding falls back, and how many times as long those take."""

    share: float = 0.0
    factor: float = HARD_FACTOR


class _Case(msgspec.Struct, frozen=True):
    record: CaseRecord
    verdict: CaseVerdict
    ratio: CaseRatio | None
    service: Service
    pod: PodSize


def size_run(
    records: Sequence[CaseRecord],
    facts: RunFacts,
    sizer: Sizer,
    *,
    model: str | None = None,
    config: RatioConfig | None = None,
    production: Architecture = PRODUCTION,
    concurrency: int = 1,
    hard: HardClips = HardClips(),  # noqa: B008 - frozen
    most_days: float = MOST_DAYS,
    allow_mismatch: Collection[str] = (),
    evidence: bool = True,
) -> SizingReport:
    """Size every measured thread count of a model, and report the one that takes the fewest CPUs.

    A case that was throttled, or could not be judged, is not a candidate. With a `config` the run
    is of the ratio's reference, and is sized on the bad end of the ratio's interval.

    Raises:
        BenchError: the run has several models or clips and none was chosen, or is of another
            architecture than production without a ratio; the remedy is named.
        StaleError, NotComparableError: the ratio is not for this run.

    """
    chosen = _of_model(records, model, facts.name)
    if config is None and facts.architecture != production:
        raise NoRatioError(
            f"{facts.name} was measured on {facts.architecture}, and production is {production}: "
            "give --ratio-config FILE to size on the ratio, or --production-architecture "
            f"{facts.architecture} if that is what runs in production"
        )
    warnings = [
        f"{each.label}: {text}"
        for each in chosen
        for text in (*trust_warnings(each), *stability_warnings(each))
    ]
    ratios: dict[str, CaseRatio] = {}
    if config is not None:
        run = run_of_records(chosen, facts)
        ratios = {case.label: ratio for ratio, case in paired(config.cases, run.cases)[0]}
        predicted = predict(run, config, most_days=most_days, allow_mismatch=allow_mismatch)
        warnings = [*predicted.warnings, *map(str, predicted.ratio_mismatches)]
    throttling = judged(list(records))
    cases = [
        _case(
            record,
            next(each for each in throttling.cases if each.label == record.label),
            ratios.get(record.label),
            config.target if config else facts,
            concurrency=concurrency,
            hard=hard,
        )
        for record in chosen
        if config is None or record.label in ratios
    ]
    sizings = _sized(cases, facts.name, sizer)
    best = min(
        (case for case in cases if sizings[case.record.label]),
        key=lambda case: _cost(case, sizings[case.record.label]),
    )
    sizing = sizer(service=best.service, pod=best.pod, evidence=evidence)
    by_ratio = _by_ratio(best, sizer) if sizing.sensitivity else []
    return SizingReport(
        sizing=replace(sizing, sensitivity=[*sizing.sensitivity, *by_ratio]),
        basis=_basis(best, facts, config),
        candidates=[_candidate(case, sizings[case.record.label]) for case in cases],
        throttling=throttling,
        warnings=warnings,
        tool_version=version("pytest-whisper-bench"),
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _by_ratio(case: _Case, sizer: Sizer) -> list[Sensitivity]:
    """Return the replicas at both ends of the ratio's interval and in its middle."""
    if case.ratio is None:
        return []
    ends = [end for end in (case.ratio.low, case.ratio.ratio, case.ratio.high) if end is not None]
    return [
        Sensitivity(
            "ratio",
            end,
            sizer(service=replace(case.service, factor=end), pod=case.pod, evidence=False).replicas,
        )
        for end in ends
    ]


def _sized(cases: Sequence[_Case], run: str, sizer: Sizer) -> dict[str, Sizing | None]:
    """Return the sizing of each case; None of one that was throttled or could not be judged."""
    found = {
        case.record.label: None
        if FAILING & set(case.verdict.findings)
        else sizer(service=case.service, pod=case.pod, evidence=False)
        for case in cases
    }
    if not any(found.values()):
        verdicts = "; ".join(f"{case.verdict.label} {case.verdict.verdict}" for case in cases)
        raise BenchError(
            f"{run}: no case is fit to be sized on ({verdicts}); see whisper-bench throttling "
            f"{run}, and measure again"
        )
    return found


def _cost(case: _Case, sizing: Sizing | None) -> tuple[float, float, int]:
    """Order by CPUs in all, then the service time where none are enough, then threads."""
    if sizing is None or sizing.replicas is None:
        return math.inf, case.service.mean_s({case.service.windows: 1.0}), case.pod.threads
    return sizing.replicas * case.pod.cpu, 0.0, case.pod.threads


def _of_model(records: Sequence[CaseRecord], model: str | None, name: str) -> list[CaseRecord]:
    known = list(dict.fromkeys(record.model for record in records))
    wanted = model or known[0]
    if (model is None and len(known) > 1) or wanted not in known:
        raise BenchError(
            f"{name} has the models {', '.join(known)}"
            f"{'' if model is None else f' and not {model}'}; choose one with --model"
        )
    chosen = [record for record in records if record.model == wanted]
    clips = list(dict.fromkeys(record.clip.name for record in chosen))
    # lengths are scaled by windows, so that the shortest clip, least disturbed by others, will do
    first = min(chosen, key=lambda record: record.clip.windows).clip.name if clips else ""
    return [record for record in chosen if record.clip.name == first]


def _case(
    record: CaseRecord,
    verdict: CaseVerdict,
    ratio: CaseRatio | None,
    production: RunFacts,
    *,
    concurrency: int,
    hard: HardClips,
) -> _Case:
    if ratio is None:
        peak_bytes = max(process.peak_rss_bytes for process in record.processes)
        cpu_s = sum(each.cpu_s for each in record.rounds)
        busy_cpus = cpu_s / sum(each.latency_s for each in record.rounds)
    else:
        side = ratio.target
        peak_bytes, busy_cpus = side.peak_rss_bytes, (side.cpu_s or side.latency_s) / side.latency_s
    return _Case(
        record=record,
        verdict=verdict,
        ratio=ratio,
        service=Service(
            samples_s=[each.latency_s for each in record.rounds],
            windows=record.clip.windows,
            factor=1.0 if ratio is None or ratio.high is None else ratio.high,
            hard_share=hard.share,
            hard_factor=hard.factor,
        ),
        pod=pod_size(
            threads=record.threads,
            cpu_limit=record.cpu_limit.cpus,
            peak_rss_bytes=peak_bytes,
            busy_cpus=busy_cpus,
            measured_on=f"{production.name}, {production.architecture}, {production.cpu_model}",
            concurrency=concurrency,
        ),
    )


def _basis(case: _Case, facts: RunFacts, config: RatioConfig | None) -> Basis:
    return Basis(
        run=facts,
        case=case.record.label,
        latencies_s=[each.latency_s for each in case.record.rounds],
        clip_duration_s=case.record.clip.duration_s,
        extrapolated=config is not None,
        factor=case.service.factor,
        target=config.target if config else None,
        ratio=case.ratio,
        ratio_created=f"{config.created:%Y-%m-%d}" if config else None,
    )


def _candidate(case: _Case, sizing: Sizing | None) -> Candidate:
    replicas = sizing.replicas if sizing else None
    return Candidate(
        case=case.record.label,
        threads=case.record.threads,
        verdict=case.verdict.verdict,
        mean_s=case.service.mean_s({case.service.windows: 1.0}),
        replicas=replicas,
        cpu=case.pod.cpu,
        cpus_in_all=None if replicas is None else replicas * case.pod.cpu,
        memory_mib=case.pod.memory_mib,
    )
