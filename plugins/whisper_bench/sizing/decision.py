"""How many Pods a service needs, and why: what a sizing is built from."""

import msgspec

from whisper_bench.sizing.demand import Demand, Question
from whisper_bench.sizing.estimate import Predicted
from whisper_bench.sizing.search import (
    MOST_PODS,
    fewest_for_utilisation,
    fewest_pods,
    is_hopeless,
    service_percentile_s,
    share_too_slow,
)
from whisper_bench.sizing.service import Service


class Decision(msgspec.Struct, frozen=True):
    """The Pods that a demand needs, without spare ones; None if no number is enough.

    `bound_by`, `reason` and `advice` are those of a `Sizing`. With an objective `predicted` is what
    the needed Pods do.
    """

    service: Service
    demand: Demand
    needed: int | None
    bound_by: str | None
    reason: str
    advice: list[str] = []
    predicted: Predicted | None = None

    @property
    def replicas(self) -> int | None:
        """All Pods, with the spare ones."""
        return None if self.needed is None else self.needed + self.demand.policy.reserve


def decide(service: Service, demand: Demand) -> Decision:
    """Return the fewest Pods that meet the objective; without one, utilisation decides."""
    question = demand.question(service)
    if question is None:
        return by_utilisation(service, demand)
    predicted = fewest_pods(question)
    if predicted is None:
        return _infeasible(question, demand)
    policy, objective, bound = question.policy, question.objective, predicted.high_s or 0.0
    at_ceiling = predicted.pods == fewest_for_utilisation(service, question.load, policy)
    return Decision(
        service,
        demand,
        needed=predicted.pods,
        bound_by="utilisation" if at_ceiling else "objective",
        reason=(
            f"the fewest Pods that keep {objective.name} within {objective.limit} "
            f"(upper error bound {objective.value(bound)}) at {100 * policy.max_utilisation:g}% "
            f"utilisation or less, and {policy.reserve_text}"
        ),
        predicted=predicted,
    )


def by_utilisation(service: Service, demand: Demand, bound_by: str = "utilisation") -> Decision:
    """Return the fewest Pods that keep utilisation at or below its ceiling."""
    load, policy = demand.load, demand.policy
    offered_load = load.target_rps * service.mean_s(load)
    return Decision(
        service,
        demand,
        needed=fewest_for_utilisation(service, load, policy),
        bound_by=bound_by,
        reason=(
            f"work for {offered_load:.2f} Pods that are always busy, at "
            f"{100 * policy.max_utilisation:g}% utilisation or less; no latency objective was given"
        ),
    )


def _infeasible(question: Question, demand: Demand) -> Decision:
    service, load, objective = question.service, question.load, question.objective
    hopeless = is_hopeless(service, load, objective)
    reason, advice = _too_slow(question) if hopeless else _too_many(question)
    reason = f"infeasible: {reason}"
    return Decision(service, demand, needed=None, bound_by=None, reason=reason, advice=advice)


def _too_slow(question: Question) -> tuple[str, list[str]]:
    service, load, objective = question.service, question.load, question.objective
    share = share_too_slow(service, load, objective)
    alone_s = service_percentile_s(service, load, objective)
    longer_than = objective.limit
    if objective.per_audio_s:
        longer_than = f"{objective.limit} of the length of their audio"
    reason = (
        f"{share:.2%} of the requests take longer than {longer_than} even without "
        f"waiting ({objective.name} {objective.value(alone_s)}), but only "
        f"{100 - objective.percent:g} % may: no number of Pods is enough"
    )
    faster = (
        f"a service {max(alone_s / objective.limit_s, 1):.2f} times faster, plus room for "
        "waiting: a smaller model, more threads with as many CPUs, a smaller beam, a "
        "faster node"
    )
    longer = f"an objective above {objective.value(alone_s)}"
    lengths = "shorter clips, or a separate service for long ones"
    if objective.per_audio_s:
        lengths = "longer clips: a short one takes a whole window of 30 s in the encoder"
    return reason, [faster, longer, lengths]


def _too_many(question: Question) -> tuple[str, list[str]]:
    objective = question.objective
    reason = f"not even {MOST_PODS} Pods keep {objective.name} within {objective.limit}"
    balancer = (
        "another balancer: now every Pod has its own queue; with least-outstanding or a shared "
        "queue requests wait far less"
    )
    less = "a shorter service time, a higher objective, or less load on one Deployment"
    return reason, [*([balancer] if question.policy.balancing.has_own_queues else []), less]
