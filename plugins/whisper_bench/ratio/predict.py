"""What the target will do, from a new run on the reference machine and a saved ratio alone."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec

from whisper_bench.case.case import Case
from whisper_bench.ratio.audio import AudioPrediction, priced
from whisper_bench.ratio.comparable import (
    Mismatch,
    check_allowable,
    let_through,
    machine_mismatches,
    mismatches,
    paired,
    tokens_apart,
)
from whisper_bench.ratio.config import MOST_DAYS, RatioConfig, StaleError, check_age
from whisper_bench.ratio.report import FEWEST, CaseRatio, Validity
from whisper_bench.ratio.run import RUNS_APART, Run, RunCase, RunFacts, SampleKind
from whisper_bench.stats.interval import Estimate
from whisper_bench.stats.welch import CONFIDENCE, LogMean, Term, product_of, ratio_of

_Pair = tuple[CaseRatio, RunCase]
_NAMELESS = ("unknown", "implementer")
"""Words in cpu_model if the chip's name is unknown (whisper_bench.machine.identity)."""


class Prediction(Case, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One case on the target machine, one request at a time.

    `latency_s` is the mean latency that a run there will show, with the interval that such a run's
    mean falls into; `rps` is its inverse. `measured_s` is the new run's.
    """

    measured_s: float
    ratio: Estimate
    latency_s: Estimate
    rps: Estimate
    samples: SampleKind
    validity: Validity


class PredictionReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The predictions of a run, and the ratio that they rest on (`reference` over to `target`).

    `allowed_mismatches` are those between the new run and the ratio's reference,
    `ratio_mismatches` those that the ratio itself let through.
    """

    run: RunFacts
    reference: RunFacts
    target: RunFacts
    ratio_created: datetime
    cases: list[Prediction]
    allowed_mismatches: list[Mismatch]
    ratio_mismatches: list[Mismatch]
    warnings: list[str]
    audio: list[AudioPrediction] = []


def predict(
    run: Run,
    config: RatioConfig,
    *,
    audio_s: Sequence[float] = (),
    tokens_a_second: float | None = None,
    most_days: float = MOST_DAYS,
    allow_mismatch: Collection[str] = (),
    now: datetime | None = None,
) -> PredictionReport:
    """Return what the target will do in each case that the new run measured.

    And with clips of the lengths `audio_s` (`whisper_bench.ratio.audio`), whose tokens are those of
    the measured clips a second, or `tokens_a_second`.

    The interval is one for the mean of a run to come, of as many processes as the target's had:
    its error is that of the new run, of the ratio's two sides, and of the run to come, with
    Satterthwaite's degrees of freedom. It holds for machines that are as they were in those runs.

    Raises:
        StaleError: the ratio is too old, or of another machine or set-up than the new run.
        NotComparableError: the new run differs from the ratio's reference in what must agree, or
            has a case that the ratio does not know; both values are named.

    """
    check_allowable(allow_mismatch)
    check_age(config, most_days, now)
    pairs, alone = paired(config.cases, run.cases)
    # the ratio may have more cases than the new run
    differences = [mismatch for mismatch in alone if mismatch.reference is None]
    for ratio, case in pairs:
        apart = tokens_apart(ratio.reference.work, case.work)
        differences += mismatches(ratio.identity, case.identity, case.label, apart)
    reference = f"{config.reference.name} (the ratio's)"
    allowed = let_through(differences, allow_mismatch, reference, run.facts.name)
    _check_machine(run, config, pairs)
    return PredictionReport(
        run=run.facts,
        reference=config.reference,
        target=config.target,
        ratio_created=config.created,
        cases=[_prediction(case, ratio) for ratio, case in pairs],
        allowed_mismatches=allowed,
        ratio_mismatches=config.allowed_mismatches,
        warnings=list(_warnings(run, config, pairs)),
        audio=[
            priced(group, length_s, tokens_a_second)
            for group in _by_model(pairs)
            for length_s in audio_s
        ],
    )


def _by_model(pairs: Sequence[_Pair]) -> Iterable[Sequence[_Pair]]:
    """Return the cases of each model and thread count, which differ in their clip alone."""
    groups: dict[tuple[str, int], list[_Pair]] = {}
    for ratio, case in pairs:
        groups.setdefault((case.model, case.threads), []).append((ratio, case))
    return groups.values()


def _check_machine(
    run: Run, config: RatioConfig, pairs: Sequence[tuple[CaseRatio, RunCase]]
) -> None:
    """Refuse a run of another machine, or of this one set up otherwise."""
    names = run.facts.name, config.reference.name
    if any(word in run.facts.cpu_model for word in _NAMELESS):
        raise StaleError(
            f"{names[0]} was measured on {run.facts.cpu_model!r}, which is not the name of a chip, "
            "so it is unknown if the ratio is of this machine; measure again and pass the chip's "
            "name with --whisper-cpu-model"
        )
    settings = [(ratio.reference.setting, case.setting) for ratio, case in pairs]
    for mismatch in machine_mismatches(config.reference, run.facts, settings):
        raise StaleError(
            f"the ratio is of another machine or set-up: {mismatch.field} of {names[1]} is "
            f"{mismatch.reference!r}, of {names[0]} {mismatch.target!r}; measure in the "
            "same way as the reference, or make a new ratio with whisper-bench ratio"
        )


def _warnings(run: Run, config: RatioConfig, pairs: Sequence[_Pair]) -> Iterable[str]:
    if run.facts.where in config.reference.where.split(RUNS_APART):
        yield f"{run.facts.name} is the ratio's own reference: this prediction has no new data"
    for ratio, case in pairs:
        sides = {
            run.facts.name: case.warnings,
            f"the ratio's {config.reference.name}": ratio.reference.warnings,
            f"the ratio's {config.target.name}": ratio.target.warnings,
        }
        for name, warnings in sides.items():
            yield from (f"{name}, {case.label}: {warning}" for warning in warnings)


def run_to_come_among_runs(
    new: LogMean, reference: LogMean, target: LogMean, confidence: float = CONFIDENCE
) -> Estimate | None:
    """Return new * target / reference, where the ratio's samples are the means of runs.

    The new run is one more of the reference's, the one to come one more of the target's: each
    brings the variance between runs that those before it showed.
    """
    drawn = LogMean(new.mean, 0.0, FEWEST)  # its error is counted as the reference's future one
    terms = [Term(1, drawn), Term(1, target, future=1), Term(-1, reference, future=1)]
    return product_of(terms, confidence)


def run_to_come(
    new: LogMean, reference: LogMean, target: LogMean, confidence: float = CONFIDENCE
) -> Estimate | None:
    """Return new * target / reference, with the interval for the mean of one more target run.

    The run to come has as many processes as `target`; its error is counted beside the three that
    are known. None where a sample has fewer than two.
    """
    coming = Term(1, target, future=target.size)
    return product_of([Term(1, new), coming, Term(-1, reference)], confidence)


def _prediction(case: RunCase, ratio: CaseRatio) -> Prediction:
    within = case.processes < FEWEST
    sample = case.latency.of("rounds" if within else "processes")
    sides = ratio.reference.compared, ratio.target.compared
    to_come = run_to_come_among_runs if ratio.samples == "runs" else run_to_come
    latency_s = to_come(sample, *sides, ratio.confidence)
    kept = ratio_of(sides[1], sides[0], ratio.confidence)
    if latency_s is None or kept is None:
        raise StaleError(
            f"{case.label}: {case.rounds} round(s) are too few for an interval; measure with "
            "--whisper-processes=5"
        )
    return Prediction(
        **case.cell,
        measured_s=sample.value,
        ratio=kept,
        latency_s=latency_s,
        rps=latency_s.inverse(),
        samples=ratio.samples,
        validity=Validity.WITHIN_RUN if within and ratio.samples != "runs" else ratio.validity,
    )
