"""Evidence for the answer: queueing formulas, curves around it, and its sensitivity."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec.structs import replace

from whisper_bench.sizing.decision import Decision
from whisper_bench.sizing.demand import Question
from whisper_bench.sizing.estimate import Predicted, predict_latency
from whisper_bench.sizing.queueing import allen_cunneen_wait_s, erlang_c, erlang_c_wait_s
from whisper_bench.sizing.search import fewest_pods
from whisper_bench.sizing.simulate import Balancing
from whisper_bench.sizing.sizing import CrossCheck, Evidence, Sensitivity
from whisper_bench.stats.interval import Estimate

FOR_A_CURVE = 40_000
"""Requests simulated for a point that is only plotted."""
POINTS = 12
"""Points of a curve."""
BREAKING = 0.98
"""Utilisation up to which the curve against load goes."""
_DRAWS = 50_000
_LOADS = (0.5, 0.8, 1.25, 1.5, 2.0)
_SERVICES = (0.8, 0.9, 1.1, 1.2)
_BURSTS = (1.0, 2.0, 4.0, 8.0)


def evidence_of(decision: Decision, *, curves: bool, ratio: Estimate | None = None) -> Evidence:
    """Return the evidence of a decision; without an objective there is none.

    With a `ratio` the service times are the measured ones times its high end.
    """
    question, needed = decision.demand.question(decision.service), decision.predicted
    if question is None or needed is None:
        return Evidence()
    spare = question.policy.reserve
    whole = predict_latency(question, needed.pods + spare) if spare else needed
    check = cross_check(question, needed.pods)
    if not curves:
        return Evidence(whole=whole, without_spares=needed, cross_check=check)
    return Evidence(
        whole=whole,
        without_spares=needed,
        cross_check=check,
        by_pods=curve_by_pods(question, [needed, whole]),
        by_rps=curve_by_rps(question, needed),
        sensitivity=sensitivity(question, needed.pods, ratio),
    )


def cross_check(question: Question, pods: int) -> CrossCheck:
    """Return what queueing theory says for as many servers behind one shared queue."""
    service, load, policy = question.service, question.load, question.policy
    servers, offered = pods * policy.concurrency, question.offered_load
    mean_s = service.mean_s(load)
    drawn_s = service.draw(load, _DRAWS, np.random.default_rng(question.seed)).services_s
    cv2 = float(np.var(drawn_s) / np.mean(drawn_s) ** 2)
    shared = replace(question, policy=replace(policy, balancing=Balancing.SHARED))
    return CrossCheck(
        offered_load=offered,
        wait_probability=erlang_c(servers, offered),
        erlang_c_wait_s=_finite(erlang_c_wait_s(servers, offered, mean_s)),
        allen_cunneen_wait_s=_finite(
            allen_cunneen_wait_s(servers, offered, mean_s, load.burstiness, cv2)
        ),
        simulated_wait_s=predict_latency(shared, pods, most_requests=FOR_A_CURVE).mean_wait_s,
    )


def curve_by_pods(question: Question, answers: Sequence[Predicted]) -> list[Predicted]:
    """Return predictions for numbers of Pods around the answers, from the fewest that keep up.

    `answers` (for the needed Pods, and with the spare ones) are included unchanged.
    """
    known = {answer.pods: answer for answer in answers}
    needed, spare = min(known), max(known)
    least = math.floor(question.offered_load / question.policy.concurrency) + 1
    most = max(spare + 2, math.ceil(needed * 1.3))
    wanted = {*np.linspace(least, most, POINTS).astype(int).tolist(), needed - 1, needed, spare}
    return [
        known.get(pods) or predict_latency(question, pods, most_requests=FOR_A_CURVE)
        for pods in sorted(wanted)
        if pods >= least
    ]


def curve_by_rps(question: Question, answer: Predicted) -> list[Predicted]:
    """Return predictions for the needed Pods under loads up to nearly their maximum.

    The answer is included unchanged.
    """
    needed = answer.pods
    mean_s = question.service.mean_s(question.load)
    breaking_rps = BREAKING * needed * question.policy.concurrency / mean_s
    wanted = (np.linspace(0.1, 1, POINTS) * breaking_rps).tolist()
    others = [
        predict_latency(
            replace(question, load=replace(question.load, target_rps=rps)),
            needed,
            most_requests=FOR_A_CURVE,
        )
        for rps in wanted
        if rps != answer.target_rps
    ]
    return sorted([*others, answer], key=lambda point: point.target_rps)


def sensitivity(
    question: Question, needed: int, ratio: Estimate | None = None
) -> list[Sensitivity]:
    """Return the replicas that other loads, service times, bursts and ratios would need."""
    changes = []
    for changed, value, factor, other in [*_changes(question), *_ratios(question, ratio)]:
        fewest = fewest_pods(other, near=round(needed * factor))
        replicas = None if fewest is None else fewest.pods + question.policy.reserve
        changes.append(Sensitivity(changed, value, replicas))
    return changes


def _changes(question: Question) -> Iterable[tuple[str, float, float, Question]]:
    """Yield what is changed, to what value, by what factor the work grows, and the new question."""
    service, load = question.service, question.load
    for factor in _LOADS:
        rps = factor * load.target_rps
        yield "target rps", rps, factor, replace(question, load=replace(load, target_rps=rps))
    for factor in _SERVICES:
        slower = replace(service, factor=service.factor * factor)
        yield "service time, times", factor, factor, replace(question, service=slower)
    for burstiness in _BURSTS:
        bursty = replace(load, burstiness=burstiness)
        yield "burstiness", burstiness, 1.0, replace(question, load=bursty)


def _ratios(
    question: Question, ratio: Estimate | None
) -> Iterable[tuple[str, float, float, Question]]:
    """Yield the same for both ends of a ratio's interval and its middle."""
    if ratio is not None:
        service = question.service
        for value in (ratio.low, ratio.value, ratio.high):
            change = value / ratio.high
            faster = replace(service, factor=service.factor * change)
            yield "ratio", value, change, replace(question, service=faster)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
