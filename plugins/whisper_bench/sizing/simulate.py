"""Simulate requests through Pods, one by one: their time from arrival to answer.

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
    # one draw per request for any number of Pods, so that more Pods get the same draws
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
    """Independent queues, one per Pod."""
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
    its running minimum. All queues are computed in one pass: each begins with a step down by the
    sum of the previous queue's service times, so that it starts below all earlier values.
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
    """Send each request to the Pod with the fewest requests; if there are several, at random."""
    outstanding = _Outstanding(pods)
    leaving: list[tuple[float, int]] = []
    free = [[0.0] * concurrency for _ in range(pods)]
    draws = random.random(len(arrivals_s)).tolist()
    waits_s = []
    for arrival_s, service_s, draw in zip(
        arrivals_s.tolist(), services_s.tolist(), draws, strict=True
    ):
        while leaving and leaving[0][0] <= arrival_s:
            outstanding.leave(heapq.heappop(leaving)[1])
        pod = outstanding.join(draw)
        start_s = max(free[pod][0], arrival_s)
        heapq.heapreplace(free[pod], start_s + service_s)
        heapq.heappush(leaving, (start_s + service_s, pod))
        waits_s.append(start_s - arrival_s)
    return np.array(waits_s)


class _Outstanding:
    """The number of requests in each Pod, and which Pods have the fewest."""

    def __init__(self, pods: int) -> None:
        self._has = [0] * pods
        self._place = list(range(pods))
        self._levels: list[list[int]] = [list(range(pods))]
        self._lowest = 0

    def join(self, draw: float) -> int:
        """Add a request to one of the emptiest Pods; `draw` in [0, 1) chooses it."""
        emptiest = self._levels[self._lowest]
        pod = emptiest[int(draw * len(emptiest))]
        self._move(pod, 1)
        while not self._levels[self._lowest]:
            self._lowest += 1
        return pod

    def leave(self, pod: int) -> None:
        """Remove a request."""
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
