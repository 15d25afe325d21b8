"""Requests through Pods, one by one: what they take from arrival to answer.

Every Pod serves `concurrency` requests at a time and the others in the order of their arrival. The
balancer sends a request to a Pod the moment it arrives, or, with a shared queue, to the first Pod
that is free.
"""

import heapq
from collections.abc import Iterable
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_SHORT = 1 << 16


class Balancing(StrEnum):
    """How requests find a Pod. kube-proxy's iptables mode picks one at random."""

    SHARED = "shared"
    LEAST_OUTSTANDING = "least-outstanding"
    ROUND_ROBIN = "round-robin"
    RANDOM = "random"


def waits(
    arrivals_s: Floats,
    services_s: Floats,
    *,
    pods: int,
    concurrency: int,
    balancing: Balancing,
    random: np.random.Generator,
) -> Floats:
    """Return how long each request waits before it is served, in seconds.

    `arrivals_s` are moments, ascending; the Pods are idle before the first.
    """
    if balancing is Balancing.SHARED:
        return _in_order(arrivals_s, services_s, pods * concurrency)
    if balancing is Balancing.LEAST_OUTSTANDING:
        return _least_outstanding(arrivals_s, services_s, pods, concurrency, random)
    count = len(arrivals_s)
    # one draw a request whatever the number of Pods, so that more Pods see the same chances
    chosen = (
        np.arange(count) % pods
        if balancing is Balancing.ROUND_ROBIN
        else (random.random(count) * pods).astype(np.int64)
    )
    return _by_pod(arrivals_s, services_s, chosen, concurrency)


def _in_order(arrivals_s: Floats, services_s: Floats, servers: int) -> Floats:
    """One queue, many servers: each request takes the one that is free first."""
    free = [0.0] * servers
    waits_s = []
    for arrival_s, service_s in zip(arrivals_s.tolist(), services_s.tolist(), strict=True):
        start_s = max(free[0], arrival_s)
        heapq.heapreplace(free, start_s + service_s)
        waits_s.append(start_s - arrival_s)
    return np.array(waits_s)


def _by_pod(
    arrivals_s: Floats, services_s: Floats, chosen: NDArray[np.int64], concurrency: int
) -> Floats:
    """Many queues that know nothing of each other."""
    # numpy sorts 16-bit integers by radix, many times faster
    keys = chosen.astype(np.uint16) if chosen.max() < _SHORT else chosen
    order = np.argsort(keys, kind="stable")
    sorted_pods = chosen[order]
    waits_s = np.empty(len(order))
    if concurrency == 1:
        waits_s[order] = _lindley(arrivals_s[order], services_s[order], sorted_pods)
        return waits_s
    for part in _parts(order, sorted_pods):
        waits_s[part] = _in_order(arrivals_s[part], services_s[part], concurrency)
    return waits_s


def _parts(order: NDArray[np.int64], sorted_pods: NDArray[np.int64]) -> Iterable[NDArray[np.int64]]:
    return np.split(order, np.flatnonzero(np.diff(sorted_pods)) + 1)


def _lindley(arrivals_s: Floats, services_s: Floats, pods: NDArray[np.int64]) -> Floats:
    """Return waits in single-server queues, one after another: W' = max(0, W + S - T).

    D. V. Lindley, "The theory of queues with a single server" (1952): the running sum of S - T less
    its running minimum. For all queues in one go each begins a fall below all that came before: by
    the services of the queue before it, which bound how far that one has risen.
    """
    bounds = np.flatnonzero(np.diff(pods, prepend=-1))
    steps = np.empty(len(arrivals_s))
    steps[1:] = services_s[:-1] - np.diff(arrivals_s)
    steps[bounds] = 0.0
    steps[bounds[1:]] = -np.add.reduceat(services_s, bounds)[:-1]
    level = np.cumsum(steps)
    return level - np.minimum.accumulate(level)


def _least_outstanding(
    arrivals_s: Floats,
    services_s: Floats,
    pods: int,
    concurrency: int,
    random: np.random.Generator,
) -> Floats:
    """Join the Pod with the fewest requests in it; of several one at random."""
    crowd = _Crowd(pods)
    leaving: list[tuple[float, int]] = []
    free = [[0.0] * concurrency for _ in range(pods)]
    draws = random.random(len(arrivals_s)).tolist()
    waits_s = []
    for arrival_s, service_s, draw in zip(
        arrivals_s.tolist(), services_s.tolist(), draws, strict=True
    ):
        while leaving and leaving[0][0] <= arrival_s:
            crowd.leave(heapq.heappop(leaving)[1])
        pod = crowd.join(draw)
        start_s = max(free[pod][0], arrival_s)
        heapq.heapreplace(free[pod], start_s + service_s)
        heapq.heappush(leaving, (start_s + service_s, pod))
        waits_s.append(start_s - arrival_s)
    return np.array(waits_s)


class _Crowd:
    """How many requests each Pod has, with the emptiest Pods at hand."""

    def __init__(self, pods: int) -> None:
        self._has = [0] * pods
        self._place = list(range(pods))
        self._levels: list[list[int]] = [list(range(pods))]
        self._lowest = 0

    def join(self, draw: float) -> int:
        """Send a request to one of the emptiest; `draw` in [0, 1) says which."""
        emptiest = self._levels[self._lowest]
        pod = emptiest[int(draw * len(emptiest))]
        self._move(pod, 1)
        while not self._levels[self._lowest]:
            self._lowest += 1
        return pod

    def leave(self, pod: int) -> None:
        """Take a request away."""
        self._move(pod, -1)
        self._lowest = min(self._lowest, self._has[pod])

    def _move(self, pod: int, by: int) -> None:
        old = self._levels[self._has[pod]]
        last = old.pop()
        if last != pod:
            old[self._place[pod]] = last
            self._place[last] = self._place[pod]
        self._has[pod] += by
        if self._has[pod] == len(self._levels):
            self._levels.append([])
        new = self._levels[self._has[pod]]
        self._place[pod] = len(new)
        new.append(pod)
