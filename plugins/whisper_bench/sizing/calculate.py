"""Calculate a sizing from a load, an objective and measured service times."""

import math
from collections.abc import Mapping

from msgspec.structs import asdict, replace

from whisper_bench.case.clip import WINDOW_S
from whisper_bench.errors import BenchError
from whisper_bench.sizing.bounds import POISSON
from whisper_bench.sizing.decision import Decision, by_utilisation, decide
from whisper_bench.sizing.demand import ONE_WINDOW, Demand, Load, Objective
from whisper_bench.sizing.evidence import evidence_of
from whisper_bench.sizing.pod import PodSize
from whisper_bench.sizing.policy import Policy
from whisper_bench.sizing.search import service_percentile_s
from whisper_bench.sizing.service import Service
from whisper_bench.sizing.sizing import Sizing
from whisper_bench.stats.interval import Estimate


def calculate_sizing(
    target_rps: float,
    ratio: float = 1.0,
    m4_rps: float | None = None,
    *,
    service: Service | None = None,
    objective: Objective | None = None,
    policy: Policy | None = None,
    burstiness: float = POISSON,
    windows: Mapping[int, float] = ONE_WINDOW,
    audio: Mapping[float, float] | None = None,
    tokens_a_second: float | None = None,
    tokens_spread: float = 0.0,
    pod: PodSize | None = None,
    evidence: bool = True,
    seed: int = 0,
) -> Sizing:
    """Return how many Pods a load needs.

    With rates alone, `calculate_sizing(target_rps, ratio, m4_rps)`, they are
    ceil(target_rps * ratio / m4_rps / utilisation), with no spare Pod unless `policy` asks for one.
    With measured service times and an objective they come from simulation.

    Args:
        target_rps: peak load, requests per second.
        ratio: latency on the production machine over that of the measured one.
        m4_rps: requests per second that one Pod of the measured machine does.
        service: measured service times (then `m4_rps` is not needed; `ratio` scales them).
        objective: the latency percentile to meet; without one, utilisation decides.
        policy: balancing, concurrency, utilisation ceiling and spare Pods.
        burstiness: squared coefficient of variation of the times between arrivals.
        windows: shares of requests by their number of 30 s windows.
        audio: shares of requests by the length of their audio in seconds, in place of `windows`.
        tokens_a_second: of their speech, if not as in the measured clip.
        tokens_spread: standard deviation of the tokens a second between requests.
        pod: CPU, memory and threads of a Pod.
        evidence: also make the curves and the sensitivity, which takes seconds.
        seed: of the simulation; the same seed gives the same answer.

    Raises:
        BenchError: an input is invalid; it is named.

    """
    if not 0 < ratio < math.inf:
        raise BenchError(f"ratio {ratio:g}: give a number above 0")
    load = Load.of_audio(
        target_rps,
        audio or {size * WINDOW_S: share for size, share in windows.items()},
        burstiness=burstiness,
        tokens_a_second=tokens_a_second,
        tokens_spread=tokens_spread,
    )
    if service is None and objective is not None:
        raise BenchError("an objective needs measured service times; pass service= too")
    if service is None:
        demand = Demand(load, policy=policy or Policy(spare_pods=0))
        return sizing_of(_by_rates(demand, ratio, m4_rps), pod)
    scaled = replace(service, factor=service.factor * ratio)
    demand = Demand(load, objective, policy or Policy(), seed)
    return sizing_of(decide(scaled, demand), pod, evidence=evidence)


def sizing_of(
    decision: Decision,
    pod: PodSize | None = None,
    *,
    evidence: bool = True,
    ratio: Estimate | None = None,
) -> Sizing:
    """Return the sizing of a decision, for Pods of a size.

    Args:
        decision: how many Pods are needed, and why.
        pod: CPU, memory and threads of a Pod.
        evidence: also make the curves and the sensitivity, which takes seconds.
        ratio: the ratio whose high end the service times were multiplied with.

    """
    service, load, policy = decision.service, decision.demand.load, decision.demand.policy
    objective, replicas = decision.demand.objective, decision.replicas
    offered_load = load.target_rps * service.mean_s(load)
    utilisation = None if replicas is None else offered_load / (replicas * policy.concurrency)
    return Sizing(
        feasible=decision.needed is not None,
        replicas=replicas,
        cpu=pod.cpu if pod else None,
        memory_mib=pod.memory_mib if pod else None,
        threads=pod.threads if pod else None,
        needed=decision.needed,
        bound_by=decision.bound_by,
        reason=decision.reason,
        advice=decision.advice,
        load=load,
        objective=objective,
        policy=policy,
        service=None if decision.bound_by == "rate" else service,
        pod=pod,
        mean_service_s=service.mean_s(load),
        service_percentile_s=None
        if objective is None
        else service_percentile_s(service, load, objective),
        offered_load=offered_load,
        utilisation=utilisation,
        nodes=None if replicas is None else policy.nodes_for(replicas),
        hpa_utilisation_percent=None if utilisation is None else _hpa_percent(utilisation, pod),
        **asdict(evidence_of(decision, curves=evidence, ratio=ratio)),
    )


def _by_rates(demand: Demand, ratio: float, m4_rps: float | None) -> Decision:
    if m4_rps is None or not 0 < m4_rps < math.inf:
        raise BenchError(
            f"m4_rps {m4_rps}: give the requests per second of one Pod, a number above 0, or "
            "measured service times with service="
        )
    return by_utilisation(Service([ratio / m4_rps]), demand, bound_by="rate")


def _hpa_percent(utilisation: float, pod: PodSize | None) -> int:
    """Return the Pods' CPU utilisation at the peak, rounded down; above it there is more load.

    A busy worker uses the CPUs that were measured, which may be fewer than it requests.
    """
    share = 1.0 if pod is None else min(1.0, pod.busy_cpus * pod.concurrency / pod.cpu)
    return max(1, int(100 * utilisation * share))
