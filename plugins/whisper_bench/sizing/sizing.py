"""The answer: how many Pods, of what size, and the evidence that it rests on."""

import msgspec

from whisper_bench.sizing.demand import Load, Objective, Policy
from whisper_bench.sizing.estimate import Predicted
from whisper_bench.sizing.pod import PodSize
from whisper_bench.sizing.service import Service


class CrossCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Queueing theory beside the simulation, for one shared queue; mean waits in seconds.

    Erlang C takes service times for exponential; Allen and Cunneen scale it by the variability of
    arrivals and of what was measured. None where the Pods cannot keep up.
    """

    offered_load: float
    wait_probability: float
    erlang_c_wait_s: float | None
    allen_cunneen_wait_s: float | None
    simulated_wait_s: float | None


class Sensitivity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the answer would be if one input were another; `replicas` None where none would do."""

    changed: str
    value: float
    replicas: int | None


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a sizing with an objective rests on, and what would change it.

    `whole` is what all Pods do, `without_spares` what is left of them when the spare ones are gone;
    the objective holds in both. `by_pods` has the percentiles against the number of Pods, `by_rps`
    against the load up to the breaking point of the Pods that are needed.
    """

    whole: Predicted | None = None
    without_spares: Predicted | None = None
    cross_check: CrossCheck | None = None
    by_pods: list[Predicted] = []
    by_rps: list[Predicted] = []
    sensitivity: list[Sensitivity] = []


class Sizing(Evidence, frozen=True, forbid_unknown_fields=True):
    """What to deploy, or why nothing would do.

    `replicas` are all Pods, `needed` those without the spare ones.
    `bound_by` says what asks for so many: "objective", "utilisation", or "rate" where nothing but
    rates was known. `hpa_utilisation_percent` is the CPU utilisation at which to scale out.
    `price_per_audio_hour` is in the price's currency.
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
