"""Make a sizing report from a saved run, with a saved ratio if the run is of another machine."""

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from whisper_bench.case.record import CaseRecord, trust_warnings
from whisper_bench.case.stability import stability_warnings
from whisper_bench.case.work import round_times
from whisper_bench.errors import BenchError
from whisper_bench.machine.identity import Architecture
from whisper_bench.ratio.comparable import paired
from whisper_bench.ratio.config import MOST_DAYS, RatioConfig
from whisper_bench.ratio.load import facts_of_saved, run_of_records
from whisper_bench.ratio.predict import predict
from whisper_bench.ratio.report import CaseRatio
from whisper_bench.ratio.run import RunFacts
from whisper_bench.saved.file import read_saved, records_of
from whisper_bench.saved.find import find_saved, save_name
from whisper_bench.sizing.calculate import sizing_of
from whisper_bench.sizing.candidates import (
    HardClips,
    MeasuredCase,
    candidate_of,
    cost_of,
    decisions_of,
    known_ratio,
    measured_case,
)
from whisper_bench.sizing.decision import Decision
from whisper_bench.sizing.demand import Demand, Load
from whisper_bench.sizing.remarks import (
    allowed_differences,
    clips_left_out,
    few_samples,
    fewer_copies,
    fewer_cpus,
    in_windows,
)
from whisper_bench.sizing.sizing import Sizing
from whisper_bench.sizing.sizing_report import Basis, SizingReport
from whisper_bench.throttling.judge import judged

PRODUCTION: Architecture = "x86_64"


class NoRatioError(BenchError):
    """A run of another machine than production's, without a ratio to production."""


def saved_run(name: str, storage: Path) -> tuple[list[CaseRecord], RunFacts]:
    """Return what a saved run measured, and where and when.

    Raises:
        BenchError: there is no such run, or it is invalid.

    """
    path = find_saved(name, storage)
    saved = read_saved(path)
    facts = facts_of_saved(saved, save_name(path), str(path))
    return records_of(saved, str(path)), facts


def size_run(
    records: Sequence[CaseRecord],
    facts: RunFacts,
    demand: Demand,
    *,
    model: str | None = None,
    config: RatioConfig | None = None,
    production: Architecture = PRODUCTION,
    hard: HardClips = HardClips(),  # noqa: B008 - frozen
    most_days: float = MOST_DAYS,
    allow_mismatch: Collection[str] = (),
    evidence: bool = True,
    slowdown: float | None = None,
) -> SizingReport:
    """Size every measured thread count of a model, and report the one that takes the fewest CPUs.

    A case that was throttled, or could not be judged, is not a candidate. With a `config` the run
    is of the ratio's reference, and the upper end of the ratio's interval is used. `evidence`: also
    make the curves and the sensitivity, which takes seconds. Of a case that was measured with
    several numbers of copies the largest counts, which is the fullest node; `slowdown` is what a
    full node is assumed to make of the times of one worker alone.

    Raises:
        BenchError: the run has several models or clips and none was chosen, or is of another
            architecture than production without a ratio; the remedy is named.
        StaleError, NotComparableError: the ratio is not for this run.

    """
    if allow_mismatch and config is None:
        raise BenchError(
            "--allow-mismatch: nothing is compared without --ratio-config; leave it out"
        )
    chosen = _fullest(_of_model(records, model, facts.name, demand.load))
    _check_production(facts, config, production)
    warnings = [
        f"{record.label}: {text}"
        for record in chosen
        for text in (*trust_warnings(record), *stability_warnings(record))
    ]
    warnings += clips_left_out(records, chosen)
    ratios: dict[str, CaseRatio] = {}
    if config is not None:
        run = run_of_records(chosen, facts)
        ratios = {case.label: ratio for ratio, case in paired(config.cases, run.cases)[0]}
        predicted = predict(run, config, most_days=most_days, allow_mismatch=allow_mismatch)
        warnings += [*predicted.warnings, *allowed_differences(predicted)]
    throttling = judged(list(records))
    verdicts = {verdict.label: verdict for verdict in throttling.cases}
    cases = [
        measured_case(
            record,
            verdicts[record.label],
            ratios.get(record.label),
            config.target if config else facts,
            concurrency=demand.policy.concurrency,
            hard=hard,
            slowdown=slowdown or 1.0,
        )
        for record in chosen
        if config is None or record.label in ratios
    ]
    _check_slowdown(slowdown, cases)
    decisions = decisions_of(cases, facts.name, demand)
    best, sizing = _chosen(cases, decisions, evidence=evidence)
    warnings += [*few_samples(sizing), *fewer_cpus(best), *in_windows(best, demand.load)]
    warnings += fewer_copies(best, sizing)
    return SizingReport(
        sizing=sizing,
        basis=_basis(best, facts, config, slowdown),
        candidates=[candidate_of(case, decisions[case.record.label]) for case in cases],
        throttling=throttling,
        warnings=warnings,
        tool_version=version("pytest-whisper-bench"),
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _chosen(
    cases: Sequence[MeasuredCase], decisions: Mapping[str, Decision | None], *, evidence: bool
) -> tuple[MeasuredCase, Sizing]:
    """Return the case that takes the fewest CPUs, and its sizing."""
    fit = [
        (case, decision) for case in cases if (decision := decisions[case.record.label]) is not None
    ]
    best, decision = min(fit, key=lambda pair: cost_of(*pair))
    ratio = best.ratio.estimate if best.ratio else None
    return best, sizing_of(decision, best.pod, evidence=evidence, ratio=ratio)


def _check_production(
    facts: RunFacts, config: RatioConfig | None, production: Architecture
) -> None:
    """Refuse a run or a ratio that is not about the production machine."""
    if config is not None:
        _check_target(config, production)
    elif facts.architecture != production:
        raise NoRatioError(
            f"{facts.name} was measured on {facts.architecture}, but production is {production}: "
            "give --ratio-config FILE to apply a ratio, or --production-architecture "
            f"{facts.architecture} if production runs on that"
        )


def _check_target(config: RatioConfig, production: Architecture) -> None:
    """Refuse a ratio whose target is not production, or whose sides differ in limit or threads."""
    target = config.target
    if target.architecture != production:
        raise NoRatioError(
            f"the ratio's target {target.name} is {target.architecture}, but production is "
            f"{production}: make it with the production run second, whisper-bench ratio M4 XEON, "
            "or give --production-architecture"
        )
    for mismatch in config.allowed_mismatches:
        if mismatch.field in {"cpu_limit", "threads"}:
            raise NoRatioError(
                f"the ratio's sides differ in {mismatch.field} ({mismatch.reference} and "
                f"{mismatch.target}), so it does not give the CPUs of a Pod; measure both sides "
                "with the same"
            )


def _of_model(
    records: Sequence[CaseRecord], model: str | None, name: str, load: Load
) -> list[CaseRecord]:
    known = list(dict.fromkeys(record.model for record in records))
    wanted = model or known[0]
    if (model is None and len(known) > 1) or wanted not in known:
        raise BenchError(
            f"{name} has the models {', '.join(known)}"
            f"{'' if model is None else f' and not {model}'}; choose one with --model"
        )
    chosen = [record for record in records if record.model == wanted]
    split = all(map(round_times, chosen))
    nearest = min(chosen, key=lambda record: _distance(record, load if split else None)).clip.name
    return [record for record in chosen if record.clip.name == nearest]


def _distance(record: CaseRecord, load: Load | None) -> float:
    """Return how far a clip is from the mean length of the load's audio.

    Where lengths are scaled by windows the shortest clip is the best: it is disturbed the least.
    """
    if load is None or load.audio_s is None:
        return record.clip.windows
    return abs(math.log(record.clip.duration_s / load.audio_s))


def _fullest(records: Sequence[CaseRecord]) -> list[CaseRecord]:
    """Leave out cases of which more copies were measured at once: a Pod works on a full node."""
    most: dict[int, int] = {}
    for record in records:
        most[record.threads] = max(record.copies, most.get(record.threads, 1))
    return [record for record in records if record.copies == most[record.threads]]


def _check_slowdown(slowdown: float | None, cases: Sequence[MeasuredCase]) -> None:
    if slowdown is not None and all(case.copies > 1 for case in cases):
        measured = ", ".join(case.record.label for case in cases)
        raise BenchError(
            f"--assume-slowdown {slowdown:g}: a full node was measured ({measured}), so there is "
            "nothing to assume; leave it out"
        )


def _basis(
    case: MeasuredCase, facts: RunFacts, config: RatioConfig | None, slowdown: float | None
) -> Basis:
    return Basis(
        run=facts,
        case=case.record.label,
        latencies_s=[round_.latency_s for round_ in case.record.rounds],
        clip_duration_s=case.record.clip.duration_s,
        extrapolated=config is not None,
        factor=1.0 if case.ratio is None else known_ratio(case.ratio).high,
        target=config.target if config else None,
        ratio=case.ratio,
        ratio_created=f"{config.created:%Y-%m-%d}" if config else None,
        copies=case.copies,
        slowdown=slowdown if case.copies == 1 else None,
    )
