"""From a load, an objective and measured service times to a sizing."""

import math
from collections.abc import Mapping

from msgspec.structs import replace

from whisper_bench.errors import BenchError
from whisper_bench.sizing.demand import POISSON, Load, Objective, Policy, Question
from whisper_bench.sizing.estimate import predict_latency
from whisper_bench.sizing.evidence import cross_check, curve_by_pods, curve_by_rps, sensitivity
from whisper_bench.sizing.pod import PodSize
from whisper_bench.sizing.search import (
    MOST_PODS,
    fewest_for_utilisation,
    fewest_pods,
    is_hopeless,
    service_percentile_s,
    share_too_slow,
)
from whisper_bench.sizing.service import Service
from whisper_bench.sizing.simulate import Balancing
from whisper_bench.sizing.sizing import Sizing

_ONE_WINDOW: Mapping[int, float] = {1: 1.0}


def calculate_sizing(
    target_rps: float,
    ratio: float = 1.0,
    m4_rps: float | None = None,
    *,
    service: Service | None = None,
    objective: Objective | None = None,
    policy: Policy | None = None,
    burstiness: float = POISSON,
    windows: Mapping[int, float] = _ONE_WINDOW,
    audio_s: float | None = None,
    pod: PodSize | None = None,
    evidence: bool = True,
    seed: int = 0,
) -> Sizing:
    """Return how many Pods a load needs.

    With rates alone, `calculate_sizing(target_rps, ratio, m4_rps)`, they are
    ceil(target_rps * ratio / m4_rps / utilisation), with no spare Pod unless `policy` asks for one.
    With measured service times and an objective they come from simulation.

    Args:
        target_rps: peak load, requests a second.
        ratio: latency on the production machine over that of the measured one.
        m4_rps: requests a second that one Pod of the measured machine does.
        service: measured service times (then `m4_rps` is not needed; `ratio` scales them).
        objective: the percentile of latency to hold; without one, utilisation decides.
        policy: balancing, concurrency, utilisation ceiling and spare Pods.
        burstiness: squared coefficient of variation of the times between arrivals.
        windows: shares of requests by their number of 30 s windows.
        audio_s: mean length of a request's audio, where it is not whole windows.
        pod: CPU, memory and threads of a Pod.
        evidence: also make the curves and the sensitivity, which takes seconds.
        seed: of the simulation; the same seed gives the same answer.

    Raises:
        BenchError: an input is not possible; it is named.

    """
    if not 0 < ratio < math.inf:
        raise BenchError(f"ratio {ratio:g}: give a number above 0")
    load = Load(target_rps, burstiness, dict(windows), audio_s)
    if service is None and objective is not None:
        raise BenchError("an objective is held over measured service times; give service= as well")
    if service is None:
        return _by_rates(load, ratio, m4_rps, policy or Policy(spare_pods=0), pod)
    scaled = replace(service, factor=service.factor * ratio)
    if objective is None:
        return _by_utilisation(scaled, load, policy or Policy(), pod)
    question = Question(scaled, load, policy or Policy(), objective, seed)
    sized = _by_objective(question, pod)
    needed, whole = sized.without_spares, sized.whole
    if not evidence or needed is None or whole is None:
        return sized
    return replace(
        sized,
        by_pods=curve_by_pods(question, [needed, whole]),
        by_rps=curve_by_rps(question, needed),
        sensitivity=sensitivity(question, needed.pods),
    )


def _by_rates(
    load: Load, ratio: float, m4_rps: float | None, policy: Policy, pod: PodSize | None
) -> Sizing:
    if m4_rps is None or not 0 < m4_rps < math.inf:
        raise BenchError(
            f"m4_rps {m4_rps}: without measured service times the requests a second of one Pod "
            "are needed, a number above 0"
        )
    sized = _by_utilisation(Service([ratio / m4_rps]), load, policy, pod)
    return replace(sized, bound_by="rate", service=None)


def _by_utilisation(service: Service, load: Load, policy: Policy, pod: PodSize | None) -> Sizing:
    needed = fewest_for_utilisation(service, load, policy)
    sized = _sizing(service, load, policy, pod, needed)
    return replace(
        sized,
        bound_by="utilisation",
        reason=(
            f"{sized.offered_load:.2f} Pods' worth of work at {100 * policy.max_utilisation:g}% "
            "utilisation; no latency objective was given, so none is held"
        ),
    )


def _by_objective(question: Question, pod: PodSize | None) -> Sizing:
    service, load, policy = question.service, question.load, question.policy
    objective, spare = question.objective, question.policy.spare_pods
    found = fewest_pods(question)
    sized = replace(
        _sizing(service, load, policy, pod, None if found is None else found.pods),
        objective=objective,
        service_percentile_s=service_percentile_s(service, load, objective),
    )
    if found is None:
        return _infeasible(sized, service, objective)
    least = fewest_for_utilisation(service, load, policy)
    return replace(
        sized,
        bound_by="utilisation" if found.pods == least else "objective",
        reason=(
            f"the fewest Pods that keep p{objective.percent:g} within {objective.limit_s:g} s "
            f"(upper error bound {found.high_s:.2f} s) at {100 * policy.max_utilisation:g}% "
            f"utilisation or less, and {spare} spare"
        ),
        whole=predict_latency(question, found.pods + spare) if spare else found,
        without_spares=found,
        cross_check=cross_check(question, found.pods),
    )


def _sizing(
    service: Service, load: Load, policy: Policy, pod: PodSize | None, needed: int | None
) -> Sizing:
    offered = load.target_rps * service.mean_s(load.windows)
    replicas = None if needed is None else needed + policy.spare_pods
    utilisation = None if replicas is None else offered / (replicas * policy.concurrency)
    return Sizing(
        feasible=needed is not None,
        replicas=replicas,
        cpu=pod.cpu if pod else None,
        memory_mib=pod.memory_mib if pod else None,
        threads=pod.threads if pod else None,
        needed=needed,
        bound_by=None,
        reason="",
        advice=[],
        load=load,
        objective=None,
        policy=policy,
        service=service,
        pod=pod,
        mean_service_s=service.mean_s(load.windows),
        service_percentile_s=None,
        offered_load=offered,
        utilisation=utilisation,
        hpa_utilisation_percent=None if utilisation is None else _hpa_percent(utilisation, pod),
    )


def _hpa_percent(utilisation: float, pod: PodSize | None) -> int:
    """Return the CPU utilisation of the Pods at the peak, rounded down: above it is more load.

    A busy worker keeps as many CPUs busy as were measured, which may be fewer than it asks for.
    """
    share = 1.0 if pod is None else min(1.0, pod.busy_cpus * pod.concurrency / pod.cpu)
    return max(1, int(100 * utilisation * share))


def _infeasible(sized: Sizing, service: Service, objective: Objective) -> Sizing:
    p, load = f"p{objective.percent:g}", sized.load
    share = share_too_slow(service, load, objective)
    if is_hopeless(service, load, objective):
        alone_s = sized.service_percentile_s or objective.limit_s
        faster = (
            f"a service {max(alone_s / objective.limit_s, 1):.2f} times faster, and more to leave "
            "room for waiting: a smaller model, more threads with as many CPUs, a smaller beam, a "
            "faster node"
        )
        return replace(
            sized,
            reason=(
                f"infeasible: {share:.2%} of the requests take longer than {objective.limit_s:g} s "
                f"in a Pod alone (p{objective.percent:g} {alone_s:.2f} s), and "
                f"{100 - objective.percent:g} % may, so that no number of Pods helps"
            ),
            advice=[
                faster,
                f"an objective above {alone_s:.2f} s",
                "shorter clips, or long ones on a service of their own",
            ],
        )
    own_queues = sized.policy.balancing in (Balancing.RANDOM, Balancing.ROUND_ROBIN)
    balancer = (
        "another balancer: now every Pod has a queue of its own; least-outstanding or a shared "
        "queue wait far less"
    )
    return replace(
        sized,
        reason=f"infeasible: not even {MOST_PODS} Pods keep {p} within {objective.limit_s:g} s",
        advice=[
            *([balancer] if own_queues else []),
            "a shorter service time, a higher objective, or less load on one Deployment",
        ],
    )
