"""What the target will do, from a new run on the reference machine and a kept ratio alone."""

from collections.abc import Collection
from datetime import datetime

import msgspec

from whisper_bench.case import case_label
from whisper_bench.errors import BenchError
from whisper_bench.ratio.calculate import FEWEST, CaseRatio, Validity
from whisper_bench.ratio.comparable import Mismatch, check_allowable, let_through, mismatches
from whisper_bench.ratio.config import MOST_DAYS, RatioConfig, StaleError, check_age
from whisper_bench.ratio.run import Run, RunCase, RunFacts
from whisper_bench.welch import CONFIDENCE, Estimate, LogMean, Term, product_of


class Prediction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case on the target machine, one request at a time.

    `latency_s` is the mean latency that a run there will show, with the interval that such a run's
    mean falls into; `rps` is its inverse. `measured_s` is the new run's.
    """

    model: str
    threads: int
    clip: str
    measured_s: float
    ratio: Estimate
    latency_s: Estimate
    rps: Estimate
    validity: Validity
    warnings: list[str]

    @property
    def label(self) -> str:
        """Name the case for people."""
        return case_label(self.model, self.threads, self.clip)


class PredictionReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The predictions of a run, and the ratio that they rest on (`reference` over to `target`)."""

    run: RunFacts
    reference: RunFacts
    target: RunFacts
    ratio_created: datetime
    cases: list[Prediction]
    allowed_mismatches: list[Mismatch]


def predict(
    run: Run,
    config: RatioConfig,
    *,
    most_days: float = MOST_DAYS,
    allow_mismatch: Collection[str] = (),
    now: datetime | None = None,
) -> PredictionReport:
    """Return what the target will do in each case that the new run measured.

    The interval is one for the mean of a run to come, of as many processes as the target's had:
    its error is that of the new run, of the ratio's two sides, and of the run to come, with
    Satterthwaite's degrees of freedom.

    Raises:
        StaleError: the ratio is too old, of another machine, or of another measurement than the
            new run; each field is named with both values.
        BenchError: the new run has a case that the ratio knows nothing of.

    """
    check_allowable(allow_mismatch)
    check_age(config, most_days, now)
    _check_machine(run.facts, config.reference)
    pairs = [(case, _ratio_of(case, config.cases, run.facts.name)) for case in run.cases]
    found = [
        each
        for case, ratio in pairs
        for each in mismatches(ratio.identity, case.identity, case.label)
    ]
    reference = f"{config.reference.name} (the ratio's)"
    return PredictionReport(
        run=run.facts,
        reference=config.reference,
        target=config.target,
        ratio_created=config.created,
        cases=[_prediction(case, ratio) for case, ratio in pairs],
        allowed_mismatches=let_through(found, allow_mismatch, reference, run.facts.name),
    )


def _check_machine(run: RunFacts, reference: RunFacts) -> None:
    for field in ("architecture", "cpu_model"):
        here, there = getattr(reference, field), getattr(run, field)
        if here != there:
            raise StaleError(
                f"the ratio is of another machine: {field} of {reference.name} is {here!r}, that "
                f"of {run.name} is {there!r}; make a ratio for this machine"
            )


def _ratio_of(case: RunCase, ratios: list[CaseRatio], run: str) -> CaseRatio:
    for ratio in ratios:
        if ratio.label == case.label:
            return ratio
    known = ", ".join(ratio.label for ratio in ratios)
    raise BenchError(
        f"{run} has the case {case.label}, of which the ratio knows nothing (it has {known}); "
        "measure it on both machines and make the ratio again"
    )


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
    sample = case.latency.of(within_run=within)
    sides = ratio.reference.latency, ratio.target.latency
    latency_s = run_to_come(sample, *sides, ratio.confidence)
    kept = product_of([Term(1, sides[1]), Term(-1, sides[0])], ratio.confidence)
    if latency_s is None or kept is None:
        raise BenchError(
            f"{case.label} has one round, so that nothing is known of its spread; measure with "
            "--whisper-processes=5"
        )
    return Prediction(
        model=case.model,
        threads=case.threads,
        clip=case.clip,
        measured_s=sample.value,
        ratio=kept,
        latency_s=latency_s,
        rps=_inverse(latency_s),
        validity=Validity.WITHIN_RUN if within else ratio.validity,
        warnings=case.warnings,
    )


def _inverse(latency_s: Estimate) -> Estimate:
    value, low, high = (1 / each for each in (latency_s.value, latency_s.high, latency_s.low))
    return Estimate(value, low, high, latency_s.confidence)
