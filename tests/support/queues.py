"""Pods with queues of their own, simulated all of them."""

import numpy as np

from support.untraced import untraced
from whisper_bench.sizing.simulate import Balancing, waits


@untraced
def by_pod(arrivals_s, services_s, pods, balancing, random):
    """Return answers in seconds; where Pods have queues of their own, one after another."""
    chosen = np.zeros(len(arrivals_s))
    if balancing is Balancing.RANDOM:
        chosen = random.integers(pods, size=len(arrivals_s))
    elif balancing is Balancing.ROUND_ROBIN:
        chosen = np.arange(len(arrivals_s)) % pods
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
