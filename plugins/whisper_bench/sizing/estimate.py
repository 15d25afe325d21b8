"""Latency percentiles of a number of Pods, by simulation, with the error of the simulation."""

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace

from whisper_bench.sizing.bounds import POISSON
from whisper_bench.sizing.demand import Load, Objective, Question
from whisper_bench.sizing.service import Drawn, Service
from whisper_bench.sizing.simulate import Balancing, Floats, waits
from whisper_bench.stats.student import t_quantile

BATCHES = 20
CONFIDENCE = 0.998
"""Nominal and one-sided, for each of at most three looks at a growing sample. Skewed, long queues
and repeated looks use up most of it: on seven hard set-ups the upper bound was below the true
percentile in 2.5 % of 280 trials (benchmarks/bound_coverage.py)."""
FEWEST_IN_BATCH = 1_000
MOST_REQUESTS = 320_000
"""Requests after which a percentile that is still in doubt is decided by its upper bound."""
MEMORIES = 50
"""How many times the system should forget its state within a batch."""
SETTLING = 20
"""Mean service times, at least, that idle Pods are given to fill."""


class Predicted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `pods` do under a load; times in seconds from arrival to answer.

    `objective_s` is the percentile that the objective is for, `low_s` and `high_s` its error
    bounds; for a real-time factor they are seconds for each second of audio. All are None if the
    Pods cannot keep up (a utilisation of 1 or more); `high_s` is also None if they are too busy for
    the simulation to decide.
    """

    pods: int
    target_rps: float
    utilisation: float
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    objective_s: float | None
    low_s: float | None
    high_s: float | None
    mean_wait_s: float | None
    requests: int

    def meets(self, objective: Objective) -> bool:
        """Return whether the upper error bound meets the objective."""
        return self.high_s is not None and self.high_s <= objective.limit_s

    def misses(self, objective: Objective) -> bool:
        """Return whether even the lower error bound misses the objective."""
        return self.low_s is None or self.low_s > objective.limit_s


class Trace(NamedTuple):
    """Moments of arrival, service times and lengths of audio of requests, in seconds."""

    arrivals_s: Floats
    services_s: Floats
    audio_s: Floats


def predict_latency(
    question: Question, pods: int, *, most_requests: int = MOST_REQUESTS
) -> Predicted:
    """Simulate until the objective is outside the error bounds, or the requests run out."""
    utilisation = question.offered_load / (pods * question.policy.concurrency)
    if utilisation >= 1:
        return _overrun(question, pods, utilisation)
    for count in _counts(question, pods, most_requests):
        predicted = _simulated(question, pods, count)
        if predicted.meets(question.objective) or predicted.misses(question.objective):
            break
    return predicted


def _overrun(question: Question, pods: int, utilisation: float) -> Predicted:
    """Return the prediction for Pods that cannot keep up: no figures."""
    figures = [name for name in Predicted.__struct_fields__ if name.endswith("_s")]
    nothing: dict[str, Any] = dict.fromkeys(figures)
    return Predicted(
        pods=pods,
        target_rps=question.load.target_rps,
        utilisation=utilisation,
        requests=0,
        **nothing,
    )


def _counts(question: Question, pods: int, most_requests: int) -> Iterator[int]:
    """Yield growing numbers of requests to simulate beyond those that fill the system."""
    count = BATCHES * max(FEWEST_IN_BATCH, _batch_size(question, pods))
    count = max(min(count, most_requests), BATCHES * (_settling(question, pods) // BATCHES))
    yield count
    while count < most_requests:
        count *= 4
        yield count


def _is_resolved(question: Question, pods: int) -> bool:
    """Return whether MOST_REQUESTS fill the system and give long enough batches."""
    batches = BATCHES * _batch_size(question, pods)
    return batches <= MOST_REQUESTS and _settling(question, pods) < MOST_REQUESTS


def _batch_size(question: Question, pods: int) -> int:
    """Return the requests that a batch needs to see the system in all its states.

    A shorter one misses the rare long queues, and its percentile is too low. The system
    forgets its state in about 2 / (1 - utilisation)**2 service times of one server, with one queue
    or many; bursts make that longer.
    """
    utilisation = question.offered_load / (pods * question.policy.concurrency)
    forgets = 2 / (1 - utilisation) ** 2 * (1 + question.load.burstiness) / 2
    return math.ceil(MEMORIES * utilisation * forgets)


def _settling(question: Question, pods: int) -> int:
    """Return the requests that pass until the system forgets that it began idle.

    A queue forgets in about 4 / (servers (1 - utilisation)**2) service times, twice the scale of
    J. Abate and W. Whitt, "Transient behavior of the M/M/1 queue" (1987).
    """
    offered, policy = question.offered_load, question.policy
    idle = 1 - offered / (pods * policy.concurrency)
    own_queues = policy.balancing.has_own_queues
    servers = policy.concurrency * (1 if own_queues else pods)
    offered /= pods if own_queues else 1
    forgets = 4 / (servers * idle**2) * (1 + question.load.burstiness) / 2
    return min(math.ceil(offered * (SETTLING + forgets)), MOST_REQUESTS)


def _simulated(question: Question, pods: int, count: int) -> Predicted:
    policy, objective = question.policy, question.objective
    settling = _settling(question, pods)
    trace = _trace(question, pods, settling + count)
    waits_s = waits(
        trace.arrivals_s,
        trace.services_s,
        pods=pods,
        concurrency=policy.concurrency,
        balancing=policy.balancing,
        random=np.random.default_rng([question.seed, 1]),
    )[settling:]
    answers_s = waits_s + trace.services_s[settling:]
    limited = objective.limited(answers_s, trace.audio_s[settling:])
    percents = (50, 95, 99, objective.percent)
    p50_s, p95_s, p99_s, objective_s = np.percentile(answers_s, percents).tolist()
    if objective.per_audio_s:
        objective_s = float(np.percentile(limited, objective.percent))
    low_s, bound_s = _bounds(limited, objective.percent, objective_s)
    high_s = bound_s if _is_resolved(question, pods) else None
    return Predicted(
        pods=pods,
        target_rps=question.load.target_rps,
        utilisation=question.offered_load / (pods * policy.concurrency),
        p50_s=p50_s,
        p95_s=p95_s,
        p99_s=p99_s,
        objective_s=objective_s,
        low_s=low_s,
        high_s=high_s,
        mean_wait_s=float(waits_s.mean()),
        requests=count,
    )


def _bounds(limited: Floats, percent: float, estimate_s: float) -> tuple[float, float]:
    """Return one-sided error bounds of a percentile, each with CONFIDENCE.

    Sectioning: the spread of the batches' percentiles around that of all requests, without the bias
    of a short batch (S. Asmussen and P. W. Glynn, "Stochastic Simulation" (2007), III.5).
    """
    by_batch_s = np.percentile(limited.reshape(BATCHES, -1), percent, axis=1)
    spread = float(np.sum((by_batch_s - estimate_s) ** 2)) / (BATCHES * (BATCHES - 1))
    half_s = t_quantile(CONFIDENCE, BATCHES - 1) * math.sqrt(spread)
    return estimate_s - half_s, estimate_s + half_s


def _trace(question: Question, pods: int, count: int) -> Trace:
    """Return requests, to all Pods or, where each has a queue of its own, to one of them.

    Rates only stretch the times between arrivals, so that all that differ in them share one draw.
    """
    load, service, balancing = question.load, question.service, question.policy.balancing
    # a longer sequence begins with the same draws
    size = 1 << (count - 1).bit_length()
    rate_rps, at_a_pod = load.target_rps, None
    if balancing is Balancing.RANDOM and load.burstiness == POISSON:
        rate_rps /= pods  # Poisson arrivals that are spread at random are so at each Pod
    elif balancing.has_own_queues:
        at_a_pod = (pods, balancing)
    arrivals_s = _arrivals_s(load.burstiness, at_a_pod, count if at_a_pod else size, question.seed)
    drawn = draws_of(service, load, size, (question.seed, 3))
    return Trace(arrivals_s[:count] / rate_rps, drawn.services_s[:count], drawn.audio_s[:count])


@lru_cache(maxsize=4)
def _arrivals_s(
    burstiness: float, at_a_pod: tuple[int, Balancing] | None, count: int, seed: int
) -> Floats:
    """Return moments of arrival, at a rate of 1 a second in all."""
    load, arriving = Load(1.0, burstiness), np.random.default_rng([seed, 2])
    if at_a_pod is None:
        return np.cumsum(load.arrivals(count, arriving))
    return np.cumsum(load.at_a_pod(*at_a_pod, count, arriving))


def draws_of(service: Service, load: Load, count: int, seed: tuple[int, ...]) -> Drawn:
    """Return service times and lengths of audio; those that differ in speed share one draw."""
    plain = [replace(service, factor=1.0), replace(load, target_rps=1.0, burstiness=POISSON)]
    drawn = _drawn(msgspec.json.encode(plain), count, seed)
    return drawn._replace(services_s=drawn.services_s * service.factor)


@lru_cache(maxsize=4)
def _drawn(question: bytes, count: int, seed: tuple[int, ...]) -> Drawn:
    service, load = msgspec.json.decode(question, type=tuple[Service, Load])
    return service.draw(load, count, np.random.default_rng(seed))
