"""The answer: how many Pods, of what size, and the evidence for it."""

import msgspec

from whisper_bench.sizing.demand import Load, Objective
from whisper_bench.sizing.estimate import Predicted
from whisper_bench.sizing.pod import PodSize
from whisper_bench.sizing.policy import Policy
from whisper_bench.sizing.service import Service


class CrossCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Queueing theory beside the simulation, for one shared queue; mean waits in seconds.

    Erlang C assumes exponential service times; Allen and Cunneen scale it by the variability of
    arrivals and of the measured service times. None if the Pods cannot keep up.
    """

    offered_load: float
    wait_probability: float
    erlang_c_wait_s: float | None
    allen_cunneen_wait_s: float | None
    simulated_wait_s: float | None


class Sensitivity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer if one input changes; `replicas` is None if no number is enough."""

    changed: str
    value: float
    replicas: int | None


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The evidence for a sizing with an objective, and what would change it.

    `whole` is the prediction for all Pods, `without_spares` for the needed ones alone; both meet
    the objective. `by_pods` has the percentiles by number of Pods, `by_rps` by load, up to the most
    that the needed Pods can do.
    """

    whole: Predicted | None = None
    without_spares: Predicted | None = None
    cross_check: CrossCheck | None = None
    by_pods: list[Predicted] = []
    by_rps: list[Predicted] = []
    sensitivity: list[Sensitivity] = []


class Sizing(Evidence, frozen=True, forbid_unknown_fields=True):
    """What to deploy, or why no number of Pods is enough.

    `replicas` are all Pods, `needed` those without the spare ones.
    `bound_by` is what decides the number: "objective", "utilisation", or "rate" if only rates were
    given. `hpa_utilisation_percent` is the CPU utilisation at which to scale out.
    `price_per_audio_hour` is in the price's currency, and so is `price_per_hour`, of whole `nodes`.
    """

    feasible: bool
    replicas: int | None
    cpu: int | None
    memory_mib: int | None
    threads: int | None
    needed: int | None
    bound_by: str | None
    reason: str
    advice: list[str]
    load: Load
    objective: Objective | None
    policy: Policy
    service: Service | None
    pod: PodSize | None
    mean_service_s: float
    service_percentile_s: float | None
    offered_load: float
    utilisation: float | None
    hpa_utilisation_percent: int | None
    price_per_audio_hour: float | None = None
    nodes: int | None = None
    price_per_hour: float | None = None
