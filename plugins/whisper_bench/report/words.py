"""Figures of a sizing in words, the same in every report."""

from whisper_bench.sizing.bounds import POISSON
from whisper_bench.sizing.demand import Load, Objective
from whisper_bench.sizing.estimate import Predicted
from whisper_bench.sizing.pod import PodSize
from whisper_bench.sizing.policy import Policy
from whisper_bench.sizing.service import Service
from whisper_bench.sizing.sizing import Sensitivity, Sizing
from whisper_bench.sizing.sizing_report import Basis
from whisper_bench.text.amounts import count_text

UNSTABLE = "unbounded"
TIMES = "\N{MULTIPLICATION SIGN}"
ALONE = "ALONE ON ITS NODE"
SEEN_SLOWDOWN = "1.4 to 1.8"
"""On 16 CPUs of a Xeon (Emerald Rapids, a virtual machine), from 2 to 16 workers (docs/node.md)."""
NOT_MEASURED = "Extrapolated: the production machine was not measured"
_CHANGED = {"target rps": "{} requests/s", "service time, times": f"service time {TIMES} {{}}"}
_BOUND = {
    "objective": "the objective: fewer Pods would not be too busy, but would answer too slowly",
    "utilisation": "the utilisation ceiling: fewer Pods would be busy more of the time",
    "rate": "rates alone: no latency was predicted",
}


def seconds_text(value_s: float | None) -> str:
    """Return a time; None is one that grows without bound."""
    if value_s is None:
        return UNSTABLE
    return f"{value_s:.3f} s" if value_s < 1 else f"{value_s:.2f} s"


def limited_text(objective: Objective, value_s: float | None) -> str:
    """Return a value of what the objective limits: a time, or a real-time factor."""
    if value_s is None or not objective.per_audio_s:
        return seconds_text(value_s)
    return objective.value(value_s)


def headline(sizing: Sizing) -> str:
    """Return the answer in a line."""
    if not sizing.feasible or sizing.replicas is None:
        return f"INFEASIBLE: {sizing.reason.removeprefix('infeasible: ')}"
    pods = count_text(sizing.replicas, "Pod")
    if sizing.pod is None:
        return f"deploy {pods}; their size was not measured"
    size = f"{sizing.pod.cpu} CPU and {sizing.pod.memory_mib} MiB"
    return f"deploy {pods} of {size}, {_threads(sizing.pod)}"


def _threads(pod: PodSize) -> str:
    threads = count_text(pod.threads, "thread")
    return f"{threads} each" if pod.concurrency == 1 else f"{pod.concurrency} workers of {threads}"


def bound_text(sizing: Sizing) -> str | None:
    """Say what decides the number of Pods; None if no number is enough."""
    return None if sizing.bound_by is None else f"limited by {_BOUND[sizing.bound_by]}"


def load_text(load: Load) -> str:
    """Return the load: its peak and how it arrives."""
    arrivals = (
        "Poisson arrivals"
        if load.burstiness == POISSON
        else f"bursts (squared coefficient of variation {load.burstiness:g}, Poisson is 1)"
    )
    return f"{load.target_rps:g} requests/s at the peak, {arrivals}"


def mix_text(load: Load, service: Service | None) -> str:
    """Return the lengths of audio, and what share of it is hard to decode."""
    if service is not None and (of_lengths := service.by_length(load)):
        whole = sum(length.share for length in of_lengths)
        mix = ", ".join(
            f"{length.share / whole:.0%} of {length.audio_s:g} s" for length in of_lengths
        )
        return f"{mix}, {_speech_text(load, service)}{_hard_text(service)}"
    whole = sum(load.windows.values())
    if len(load.windows) == 1:
        mix = f"{count_text(next(iter(load.windows)), 'window')} of 30 s each"
    else:
        shares = (
            f"{share / whole:.0%} of {count_text(size, 'window')}"
            for size, share in sorted(load.windows.items())
        )
        mix = f"{', '.join(shares)} of 30 s"
    return mix + ("" if service is None else _hard_text(service))


def _hard_text(service: Service) -> str:
    if not service.hard_share:
        return ""
    return f"; {service.hard_share:.1%} of requests take {service.hard_factor:g} times as long"


def _speech_text(load: Load, service: Service) -> str:
    """Return how many tokens a second of audio gives, and how they vary."""
    measured = 0.0 if service.work is None else service.work.tokens_a_second
    spread = f" with a standard deviation of {load.tokens_spread:g}" if load.tokens_spread else ""
    return f"{load.tokens_a_second or measured:.3g} tokens a second{spread}"


def objective_text(objective: Objective | None) -> str:
    """Return the objective."""
    if objective is None:
        return "none: utilisation decides"
    if objective.per_audio_s:
        return f"{objective.name} (real-time factor) within {objective.limit}"
    return f"{objective.name} within {objective.limit}"


def policy_text(policy: Policy) -> str:
    """Return how the service is run."""
    spare = count_text(policy.reserve, "spare Pod") if policy.reserve else "no spare Pod"
    if policy.spare_nodes:
        spare += f", as {count_text(policy.spare_nodes, 'node')} may be lost with all Pods"
    at_a_time = count_text(policy.concurrency, "request")
    return (
        f"{policy.balancing} balancing, {at_a_time} at a time per Pod, busy at most "
        f"{policy.max_utilisation:.0%} of the time, {spare}"
    )


def extrapolation_text(basis: Basis) -> str | None:
    """Say how a latency was extrapolated; None if it was measured."""
    ratio = basis.estimate
    if ratio is None or basis.target is None:
        return None
    return (
        f"{NOT_MEASURED}. {basis.target.name}'s latency is {basis.run.name}'s times "
        f"{basis.factor:.3f}, the upper end of the ratio's {ratio.confidence:.0%} interval "
        f"({ratio.value:.3f}, {ratio.interval()}, of {basis.ratio_created})"
    )


def node_text(basis: Basis) -> str | None:
    """Say what is known of a full node, whose neighbours slow each Pod down."""
    if basis.copies > 1:
        return None
    if basis.slowdown is not None:
        return (
            f"Assumed: on a full node each request takes {basis.slowdown:g} times as long as alone "
            "on its node (--assume-slowdown)"
        )
    return (
        f"{ALONE}: one worker was measured with no neighbour. On full nodes it took "
        f"{SEEN_SLOWDOWN} times as long, and nothing but a measurement shows it: pytest benchmarks "
        "--benchmark-save=NAME --whisper-copies=1,all --whisper-cpu-limit=1, on the node type of "
        "production; or --assume-slowdown 1.8"
    )


def nodes_text(sizing: Sizing) -> str | None:
    """Return the nodes that all Pods take; None where a node's Pods are not known."""
    if sizing.nodes is None or sizing.replicas is None:
        return None
    each = count_text(-(-sizing.replicas // sizing.nodes), "Pod")
    price = (
        "" if sizing.price_per_hour is None else f", {sizing.price_per_hour:.4g} per hour in all"
    )
    return f"{sizing.nodes}, up to {each} each{price}"


def changed_text(change: Sensitivity) -> str:
    """Return a changed input with its new value."""
    return _CHANGED.get(change.changed, f"{change.changed} {{}}").format(f"{change.value:.4g}")


def met_text(predicted: Predicted, objective: Objective) -> str:
    """Say whether a prediction meets the objective, within its error."""
    if predicted.meets(objective):
        return "yes"
    return "no" if predicted.misses(objective) else "uncertain"
