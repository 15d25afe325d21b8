"""Simulate requests through Pods, one by one: their time from arrival to answer.

Every Pod serves `concurrency` requests at a time and the others in the order of their arrival. The
balancer sends a request to a Pod the moment it arrives, or, with a shared queue, to the first Pod
that is free.
"""

import heapq
from collections.abc import Iterable, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_STRETCH = 1 << 9


class Balancing(StrEnum):
    """How requests find a Pod. kube-proxy's iptables mode picks one at random."""

    SHARED = "shared"
    LEAST_OUTSTANDING = "least-outstanding"
    ROUND_ROBIN = "round-robin"
    RANDOM = "random"

    @property
    def has_own_queues(self) -> bool:
        """Whether each Pod has a queue of its own that nobody looks at: one is like the others."""
        return self in (Balancing.RANDOM, Balancing.ROUND_ROBIN)


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

    `arrivals_s` are moments, ascending; the Pods are idle before the first. With random and
    round-robin balancing they are those at one Pod, which is like all the others (`Load.at_a_pod`).
    """
    if balancing is Balancing.SHARED:
        return _in_order(arrivals_s, services_s, pods * concurrency)
    if balancing is Balancing.LEAST_OUTSTANDING:
        return _least_outstanding(arrivals_s, services_s, pods, concurrency, random)
    return _in_order(arrivals_s, services_s, concurrency)


def _in_order(arrivals_s: Floats, services_s: Floats, servers: int) -> Floats:
    """One queue, many servers: each request takes the one that is free first."""
    if servers == 1:
        return _lindley(arrivals_s, services_s)
    waits_s = np.zeros(len(arrivals_s))
    free_s = [0.0] * servers
    for part in _stretches(len(arrivals_s), servers):
        busy_s = _busy(np.array(free_s), arrivals_s[part], services_s[part], servers)
        if busy_s is None:
            waits_s[part] = _one_by_one(arrivals_s[part], services_s[part], free_s)
        else:
            free_s = [0.0] * (servers - len(busy_s)) + busy_s.tolist()  # ascending, so a heap
    return waits_s


def _stretches(count: int, servers: int) -> Iterable[slice]:
    """Yield stretches of requests, each long beside the requests that are served at a time."""
    length = max(_STRETCH, 2 * servers)
    return (slice(start, start + length) for start in range(0, count, length))


def _busy(leaving_s: Floats, arrivals_s: Floats, services_s: Floats, servers: int) -> Floats | None:
    """Return when the servers that are still busy at the end get free; None if any waits.

    The moments are ascending; `leaving_s` are those of servers that were busy before. As long as a
    server is free for every request, each begins at its arrival, and all can be counted at once.
    """
    before = leaving_s[leaving_s > arrivals_s[0]]
    ends_s = np.sort(np.concatenate([before, arrivals_s + services_s]))
    # whoever has left by an arrival came before it
    left = np.searchsorted(ends_s, arrivals_s, side="right")
    if (len(before) + np.arange(len(arrivals_s)) - left).max() >= servers:
        return None
    return ends_s[left[-1] :]


def _one_by_one(arrivals_s: Floats, services_s: Floats, free_s: list[float]) -> list[float]:
    """Return waits; `free_s`, a heap, has the moments from which the servers are free."""
    waits_s = []
    for arrival_s, service_s in zip(arrivals_s.tolist(), services_s.tolist(), strict=True):
        start_s = max(free_s[0], arrival_s)
        heapq.heapreplace(free_s, start_s + service_s)
        waits_s.append(start_s - arrival_s)
    return waits_s


def _lindley(arrivals_s: Floats, services_s: Floats) -> Floats:
    """Return waits for a single server: W' = max(0, W + S - T).

    D. V. Lindley, "The theory of queues with a single server" (1952): the running sum of S - T less
    its running minimum.
    """
    steps = np.empty(len(arrivals_s))
    steps[0] = 0.0
    np.subtract(services_s[:-1], np.diff(arrivals_s), out=steps[1:])
    level = np.cumsum(steps)
    return level - np.minimum.accumulate(level)


def _least_outstanding(
    arrivals_s: Floats,
    services_s: Floats,
    pods: int,
    concurrency: int,
    random: np.random.Generator,
) -> Floats:
    """Send each request to the Pod with the fewest requests; if there are several, at random.

    Until all workers are busy nobody waits, whatever Pod is chosen. Pods of one worker are then
    alike: it does not matter which of them are busy.
    """
    waits_s, draws = np.zeros(len(arrivals_s)), random.random(len(arrivals_s))
    servers = pods * concurrency
    if concurrency > 1:
        if _busy(np.empty(0), arrivals_s, services_s, servers) is None:
            whole = _Balanced(pods, concurrency)
            waits_s[:] = whole.waits(arrivals_s, services_s, draws)
        return waits_s
    balanced: _Balanced | None = _Balanced(pods, concurrency)
    busy_s = np.empty(0)
    for part in _stretches(len(arrivals_s), servers):
        leaving_s = busy_s if balanced is None else balanced.leaving_s(arrivals_s[part.start])
        still_s = (
            None
            if leaving_s is None
            else _busy(leaving_s, arrivals_s[part], services_s[part], servers)
        )
        if still_s is None:
            balanced = balanced or _Balanced(pods, concurrency, busy_s.tolist())
            waits_s[part] = balanced.waits(arrivals_s[part], services_s[part], draws[part])
        else:
            balanced, busy_s = None, still_s
    return waits_s


class _Balanced:
    """Pods that get each request to the one with the fewest."""

    def __init__(self, pods: int, concurrency: int, busy_s: Sequence[float] = ()) -> None:
        """Begin idle, or with a request in as many Pods that leave at these moments, ascending."""
        self._outstanding = _Outstanding(pods)
        self._free = [[0.0] * concurrency for _ in range(pods)]
        self._leaving = [(end_s, self._outstanding.join(0.0)) for end_s in busy_s]
        for end_s, pod in self._leaving:
            heapq.heapreplace(self._free[pod], end_s)

    def leaving_s(self, moment_s: float) -> Floats | None:
        """Return when the requests leave that are there at a moment; None if any Pod has two."""
        self._leave(moment_s)
        has_one = self._outstanding.most() <= 1
        return np.array([end_s for end_s, _ in self._leaving]) if has_one else None

    def waits(self, arrivals_s: Floats, services_s: Floats, draws: Floats) -> list[float]:
        """Return how long requests wait."""
        outstanding, leaving, free = self._outstanding, self._leaving, self._free
        waits_s = []
        for arrival_s, service_s, draw in zip(
            arrivals_s.tolist(), services_s.tolist(), draws.tolist(), strict=True
        ):
            self._leave(arrival_s)
            pod = outstanding.join(draw)
            start_s = max(free[pod][0], arrival_s)
            heapq.heapreplace(free[pod], start_s + service_s)
            heapq.heappush(leaving, (start_s + service_s, pod))
            waits_s.append(start_s - arrival_s)
        return waits_s

    def _leave(self, moment_s: float) -> None:
        leaving, outstanding = self._leaving, self._outstanding
        while leaving and leaving[0][0] <= moment_s:
            outstanding.leave(heapq.heappop(leaving)[1])


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

    def most(self) -> int:
        """Return the most requests that a Pod has."""
        return max(level for level, pods in enumerate(self._levels) if pods)

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
