"""The fewest Pods that hold the objective."""

import math
from functools import lru_cache

import msgspec
import numpy as np

from whisper_bench.sizing.demand import Load, Objective, Policy, Question
from whisper_bench.sizing.estimate import Predicted, predict_latency
from whisper_bench.sizing.service import Service
from whisper_bench.sizing.simulate import Floats

MOST_PODS = 20_000
"""Pods above which the search gives up."""
_DRAWS = 100_000
_NEARLY = 0.95
"""Share of what the objective allows from which no wait at all is left, and draws would decide."""


def fewest_for_utilisation(service: Service, load: Load, policy: Policy) -> int:
    """Return the Pods that keep utilisation at or below its ceiling."""
    offered = load.target_rps * service.mean_s(load.windows)
    pods = offered / policy.concurrency / policy.max_utilisation
    # what is a whole number but for rounding is that number
    return max(1, math.ceil(pods * (1 - 1e-12)))


def service_percentile_s(service: Service, load: Load, objective: Objective) -> float:
    """Return the objective's percentile of the service time alone: no number of Pods beats it."""
    return float(np.percentile(_alone_s(service, load), objective.percent))


def share_too_slow(service: Service, load: Load, objective: Objective) -> float:
    """Return the share of requests that take longer than the objective in a Pod alone."""
    return float(np.mean(_alone_s(service, load) > objective.limit_s))


def is_hopeless(service: Service, load: Load, objective: Objective) -> bool:
    """Tell whether no number of Pods helps, since too many requests are too slow alone."""
    allowed = 1 - objective.percent / 100
    return share_too_slow(service, load, objective) > _NEARLY * allowed


def fewest_pods(question: Question, near: int | None = None) -> Predicted | None:
    """Return what the fewest Pods do whose percentile's upper error bound meets the objective.

    None where no number of Pods up to MOST_PODS does, or too many requests are too slow alone.
    Spare Pods are not among them. `near` is a guess, which only saves time.
    """
    service, load, objective = question.service, question.load, question.objective
    if is_hopeless(service, load, objective):
        return None
    least = fewest_for_utilisation(service, load, question.policy)
    bracket = _bracket(question, least, max(least, min(near or least, MOST_PODS)))
    if bracket is None:
        return None
    fails, best = bracket
    while best.pods - fails > 1:
        middle = (fails + best.pods) // 2
        predicted = predict_latency(question, middle)
        if predicted.holds(objective):
            best = predicted
        else:
            fails = middle
    return best


def _bracket(question: Question, least: int, start: int) -> tuple[int, Predicted] | None:
    """Return a number of Pods that fails (or one below the least), and a higher one that holds.

    Steps double from the start, downwards while Pods hold, upwards while they do not.
    """
    if start > MOST_PODS:
        return None
    predicted, step = predict_latency(question, start), 1
    while predicted.holds(question.objective):
        lower = max(predicted.pods - step, least - 1)
        if lower < least:
            return lower, predicted
        tried = predict_latency(question, lower)
        if not tried.holds(question.objective):
            return lower, predicted
        predicted, step = tried, 2 * step
    fails = predicted.pods
    while fails < MOST_PODS:
        predicted = predict_latency(question, min(fails + step, MOST_PODS))
        if predicted.holds(question.objective):
            return fails, predicted
        fails, step = predicted.pods, 2 * step
    return None


def _alone_s(service: Service, load: Load) -> Floats:
    """Return service times without any wait; neither the rate nor the bursts are in them."""
    return _drawn(msgspec.json.encode([service, load.windows]))


@lru_cache(maxsize=2)
def _drawn(asked: bytes) -> Floats:
    """Draw once for all that is asked of a service: the sensitivity alone asks nine times."""
    service, windows = msgspec.json.decode(asked, type=tuple[Service, dict[int, float]])
    return service.draw(windows, _DRAWS, np.random.default_rng(0))
