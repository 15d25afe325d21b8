"""All Pods, simulated one after another, where the sizing simulates one that is like the others."""

import numpy as np
from numpy.typing import NDArray

from whisper_bench.sizing.simulate import Balancing, Floats, waits


def answers_of_all(
    arrivals_s: Floats,
    services_s: Floats,
    pods: int,
    balancing: Balancing,
    random: np.random.Generator,
) -> Floats:
    """Return the time from arrival to answer of each request, in seconds; one at a time a Pod."""
    chosen = _chosen(len(arrivals_s), pods, balancing, random)
    answers_s = np.empty(len(arrivals_s))
    for pod in np.unique(chosen):
        mine = chosen == pod
        waits_s = waits(
            arrivals_s[mine],
            services_s[mine],
            pods=pods,
            concurrency=1,
            balancing=balancing,
            random=random,
        )
        answers_s[mine] = waits_s + services_s[mine]
    return answers_s


def _chosen(
    count: int, pods: int, balancing: Balancing, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return the Pod of each request where each Pod has its own queue; else all are of one."""
    if balancing is Balancing.RANDOM:
        return random.integers(pods, size=count)
    places = np.arange(count)
    return places % pods if balancing is Balancing.ROUND_ROBIN else np.zeros_like(places)
