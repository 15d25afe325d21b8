"""The fewest Pods that hold the objective."""

import math

import numpy as np

from whisper_bench.sizing.demand import Load, Objective, Policy, Question
from whisper_bench.sizing.estimate import Predicted, predict_latency
from whisper_bench.sizing.service import Service

MOST_PODS = 20_000
"""Pods above which the search gives up."""
_DRAWS = 100_000


def fewest_for_utilisation(service: Service, load: Load, policy: Policy) -> int:
    """Return the Pods that keep utilisation at or below its ceiling."""
    offered = load.target_rps * service.mean_s(load.windows)
    pods = offered / policy.concurrency / policy.max_utilisation
    # what is a whole number but for rounding is that number
    return max(1, math.ceil(pods * (1 - 1e-12)))


def service_percentile_s(service: Service, load: Load, objective: Objective) -> float:
    """Return the objective's percentile of the service time alone: no number of Pods beats it."""
    drawn_s = service.draw(load.windows, _DRAWS, np.random.default_rng(0))
    return float(np.percentile(drawn_s, objective.percent))


def fewest_pods(question: Question) -> Predicted | None:
    """Return what the fewest Pods do whose percentile's upper error bound meets the objective.

    None where no number of Pods up to MOST_PODS does, or the service alone takes longer than the
    objective allows. Spare Pods are not among them.
    """
    service, load, objective = question.service, question.load, question.objective
    if service_percentile_s(service, load, objective) > objective.limit_s:
        return None
    least = fewest_for_utilisation(service, load, question.policy)
    above = _gallop(question, least)
    if above is None:
        return None
    fails, holds, best = above
    while holds - fails > 1:
        middle = (fails + holds) // 2
        found = predict_latency(question, middle)
        if found.holds(objective):
            holds, best = middle, found
        else:
            fails = middle
    return best


def _gallop(question: Question, least: int) -> tuple[int, int, Predicted] | None:
    """Double the step until a number of Pods holds; return the last that failed, it, and how."""
    fails, pods, step = least - 1, least, 1
    while pods <= max(MOST_PODS, least):
        found = predict_latency(question, pods)
        if found.holds(question.objective):
            return fails, pods, found
        fails, pods, step = pods, pods + step, 2 * step
    return None
