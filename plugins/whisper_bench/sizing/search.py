"""The fewest Pods that meet the objective."""

import math

import numpy as np

from whisper_bench.sizing.demand import Load, Objective, Question
from whisper_bench.sizing.estimate import Predicted, draws_of, predict_latency
from whisper_bench.sizing.policy import Policy
from whisper_bench.sizing.service import Service
from whisper_bench.sizing.simulate import Floats

MOST_PODS = 20_000
"""Pods above which the search gives up."""
_DRAWS = 100_000
_NEARLY = 0.95
"""Share of the allowed slow requests; above it no time is left to wait, and chance decides."""


def fewest_for_utilisation(service: Service, load: Load, policy: Policy) -> int:
    """Return the Pods that keep utilisation at or below its ceiling."""
    offered = load.target_rps * service.mean_s(load)
    pods = offered / policy.concurrency / policy.max_utilisation
    # a whole number with a rounding error is not rounded up
    return max(1, math.ceil(pods * (1 - 1e-12)))


def service_percentile_s(service: Service, load: Load, objective: Objective) -> float:
    """Return the objective's percentile of the service time alone: no number of Pods is faster."""
    return float(np.percentile(_alone(service, load, objective), objective.percent))


def share_too_slow(service: Service, load: Load, objective: Objective) -> float:
    """Return the share of requests that take longer than the objective even without waiting."""
    return float(np.mean(_alone(service, load, objective) > objective.limit_s))


def is_hopeless(service: Service, load: Load, objective: Objective) -> bool:
    """Return whether no number of Pods is enough: too many requests are slow without waiting."""
    allowed = 1 - objective.percent / 100
    return share_too_slow(service, load, objective) > _NEARLY * allowed


def fewest_pods(question: Question, near: int | None = None) -> Predicted | None:
    """Return the prediction for the fewest Pods whose upper error bound meets the objective.

    None if no number of Pods up to MOST_PODS does, or too many requests are too slow even without
    waiting. Spare Pods are not included. `near` is a guess that only saves time.
    """
    service, load, objective = question.service, question.load, question.objective
    if is_hopeless(service, load, objective):
        return None
    least = fewest_for_utilisation(service, load, question.policy)
    bracket = _bracket(question, least, max(least, min(near or least, MOST_PODS)))
    if bracket is None:
        return None
    too_few, best = bracket
    while best.pods - too_few > 1:
        middle = (too_few + best.pods) // 2
        predicted = predict_latency(question, middle)
        if predicted.meets(objective):
            best = predicted
        else:
            too_few = middle
    return best


def _bracket(question: Question, least: int, start: int) -> tuple[int, Predicted] | None:
    """Return a number of Pods that is too few (or the least - 1), and a higher one that is enough.

    Steps double from the start: downwards while Pods meet the objective, upwards while they do not.
    """
    if start > MOST_PODS:
        return None
    predicted, step = predict_latency(question, start), 1
    while predicted.meets(question.objective):
        lower = max(predicted.pods - step, least - 1)
        if lower < least:
            return lower, predicted
        tried = predict_latency(question, lower)
        if not tried.meets(question.objective):
            return lower, predicted
        predicted, step = tried, 2 * step
    too_few = predicted.pods
    while too_few < MOST_PODS:
        predicted = predict_latency(question, min(too_few + step, MOST_PODS))
        if predicted.meets(question.objective):
            return too_few, predicted
        too_few, step = predicted.pods, 2 * step
    return None


def _alone(service: Service, load: Load, objective: Objective) -> Floats:
    """Return what is limited of requests that do not wait; rate and bursts do not change it."""
    return objective.limited(*draws_of(service, load, _DRAWS, (0,)))
