"""The ratio: latency on the target (Xeon) over latency on the reference (M4), case by case."""

import math
from collections.abc import Collection, Iterable, Sequence

from whisper_bench.machine.identity import Machine
from whisper_bench.ratio.comparable import Pair, comparable_pairs
from whisper_bench.ratio.load import run_of_results
from whisper_bench.ratio.report import (
    FEWEST,
    CaseRatio,
    CaseSide,
    Difference,
    RatioReport,
    SideWork,
    Validity,
)
from whisper_bench.ratio.run import Run, RunCase, RunWork, SampleKind
from whisper_bench.results.schema import Result
from whisper_bench.stats.interval import Estimate
from whisper_bench.stats.welch import CONFIDENCE, LogMean, Term, product_of, ratio_of

Runlike = Run | Result | Sequence[Result]


def calculate_ratio(
    reference: Runlike,
    target: Runlike,
    *,
    allow_mismatch: Collection[str] = (),
    confidence: float = CONFIDENCE,
) -> RatioReport:
    """Return the ratio of two runs: latency of the target over that of the reference.

    The interval is Welch's t on the logarithms of the means of fresh processes
    (`whisper_bench.stats.welch`); with one process on a side it is made of rounds, and marked.

    Args:
        reference: the development machine's run (`load_run("m4")`), or its result files.
        target: the production machine's.
        allow_mismatch: fields that may differ; each that does is in `allowed_mismatches`.
        confidence: of the two-sided intervals.

    Raises:
        NotComparableError: the runs differ in what must agree; both values are named.
        BenchError: a run is empty, or `allow_mismatch` names no field.

    """
    runs = _run_of(reference), _run_of(target)
    pairs, allowed = comparable_pairs(*runs, allow_mismatch)
    cases = [_case_ratio(pair, confidence) for pair in pairs]
    return RatioReport(
        reference=runs[0].facts,
        target=runs[1].facts,
        cases=cases,
        headline=headline_of(cases, confidence),
        validity=worst([case.validity for case in cases]),
        differences=list(_differences(*runs)),
        allowed_mismatches=allowed,
    )


def _run_of(measured: Runlike) -> Run:
    if isinstance(measured, Run):
        return measured
    return run_of_results([measured] if isinstance(measured, Result) else measured)


def _case_ratio(pair: Pair, confidence: float) -> CaseRatio:
    case = pair[0]
    kind = _kind(pair)
    works = _works(pair, kind)
    sides = [_side(side, kind, work) for side, work in zip(pair, works, strict=True)]
    estimate = _estimate([side.compared for side in sides], confidence)
    validity, reason = _validity(pair, estimate)
    return CaseRatio(
        **case.cell,
        ratio=estimate.value if estimate else None,
        low=estimate.low if estimate else None,
        high=estimate.high if estimate else None,
        confidence=confidence,
        validity=validity,
        samples=kind,
        reason=reason,
        cpu=_estimate([side.compared_cpu for side in sides], confidence),
        reference=sides[0],
        target=sides[1],
        identity=case.identity,
        plain=_estimate([side.latency for side in sides], confidence),
        encoder=_estimate([work.window if work else None for work in works], confidence),
        decoder=_estimate([work.token if work else None for work in works], confidence),
    )


def _works(pair: Pair, kind: SampleKind) -> list[SideWork | None]:
    """Return both sides at the reference's work; None twice where one side's work is unknown."""
    tokens = pair[0].identity.tokens
    works = [_work(side, side.work, tokens, kind) for side in pair if side.work is not None]
    return [*works] if len(works) == len(pair) else [None, None]


def _work(case: RunCase, work: RunWork, tokens: int, kind: SampleKind) -> SideWork:
    return SideWork(
        windows=work.windows,
        latency=work.latency(tokens, case.latency, kind),
        cpu=work.cpu(tokens, case.cpu, kind) if case.cpu else None,
        window=work.window.of(kind),
        token=work.token.of(kind),
    )


def _kind(pair: Pair) -> SampleKind:
    """Return the coarsest samples that both sides have enough of: what differs more is in them."""
    if min(side.runs for side in pair) >= FEWEST:
        return "runs"
    return "processes" if min(side.processes for side in pair) >= FEWEST else "rounds"


def _side(case: RunCase, kind: SampleKind, work: SideWork | None) -> CaseSide:
    latency = case.latency.of(kind)
    cpu = case.cpu.of(kind) if case.cpu else None
    return CaseSide(
        latency_s=latency.value,
        cpu_s=cpu.value if cpu else None,
        latency=latency,
        cpu=cpu,
        tokens=case.identity.tokens,
        runs=case.runs,
        processes=case.processes,
        rounds=case.rounds,
        contended_rounds=case.contended_rounds,
        peak_rss_bytes=case.peak_rss_bytes,
        setting=case.setting,
        warnings=case.warnings,
        work=work,
        copies=case.copies,
    )


def _estimate(sides: Sequence[LogMean | None], confidence: float) -> Estimate | None:
    reference, target = sides
    if reference is None or target is None:
        return None
    return ratio_of(target, reference, confidence)


def _validity(pair: Pair, estimate: Estimate | None) -> tuple[Validity, str | None]:
    if estimate is None:
        rounds = " and ".join(str(side.rounds) for side in pair)
        return Validity.INVALID, (
            f"{rounds} round(s) are too few for an interval; measure with "
            "--whisper-processes=5 on both sides"
        )
    if min(side.processes for side in pair) < FEWEST:
        return (
            Validity.WITHIN_RUN,
            "one process on a side: the interval is from rounds and too narrow",
        )
    return Validity.VALID, None


def worst(validities: Sequence[Validity]) -> Validity:
    """Return the validity that stands for several."""
    return max(validities, key=list(Validity).index)


def headline_of(cases: Sequence[CaseRatio], confidence: float = CONFIDENCE) -> Estimate | None:
    """Return the geometric mean of the cases' ratios.

    Each case is measured in processes of its own, so that their errors are independent. Where the
    samples are runs, a run's cases share its day and its node: then as if they rose and fell as
    one, which no interval can be wider than.
    """
    sides = [case.target.compared for case in cases], [case.reference.compared for case in cases]
    signs = 1.0, -1.0
    if all(case.samples == "runs" for case in cases):
        terms = [Term(sign, _as_one(side)) for sign, side in zip(signs, sides, strict=True)]
    else:
        terms = [
            Term(sign / len(cases), mean)
            for sign, side in zip(signs, sides, strict=True)
            for mean in side
        ]
    return product_of(terms, confidence)


def _as_one(side: Sequence[LogMean]) -> LogMean:
    """Return the geometric mean of figures that rise and fall as one."""
    deviation = math.fsum(math.sqrt(log.variance) for log in side) / len(side)
    mean = math.fsum(log.mean for log in side) / len(side)
    return LogMean(mean, deviation**2, min(log.size for log in side))


def _differences(reference: Run, target: Run) -> Iterable[Difference]:
    sides = [_setting_of(run) for run in (reference, target)]
    for field in dict.fromkeys((*sides[0], *sides[1])):
        here, there = (side.get(field, "n/a") for side in sides)
        if here != there:
            yield Difference(field, here, there)


def _setting_of(run: Run) -> dict[str, str]:
    setting = {name: getattr(run.facts, name) for name in Machine.__struct_fields__}
    for name in dict.fromkeys(name for case in run.cases for name in case.setting):
        values = {case.setting.get(name, "n/a") for case in run.cases}
        setting[name] = ", ".join(sorted(values))
    return setting
