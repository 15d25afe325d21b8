"""Queues in closed form: the cross-check beside every simulation.

Erlang C: A. K. Erlang, "Solution of some problems in the theory of probabilities" (1917), for
Poisson arrivals and exponential service in one shared queue. Allen and Cunneen's approximation
scales it by the variability of arrivals and service: A. O. Allen, "Probability, Statistics, and
Queueing Theory" (1978).
"""

import math


def erlang_c(servers: int, offered_load: float) -> float:
    """Return the probability that an arrival waits in M/M/c; 1 if the queue is not stable.

    `offered_load` is arrival rate times mean service time, in Erlangs. By the recursion of Erlang
    B, which neither overflows nor cancels.
    """
    if offered_load >= servers:
        return 1.0
    blocking = 1.0
    for server in range(1, servers + 1):
        blocking = offered_load * blocking / (server + offered_load * blocking)
    return blocking / (1 - offered_load / servers * (1 - blocking))


def erlang_c_wait_s(servers: int, offered_load: float, mean_service_s: float) -> float:
    """Return the mean wait in M/M/c, in seconds; infinite if the queue is not stable."""
    if offered_load >= servers:
        return math.inf
    return erlang_c(servers, offered_load) * mean_service_s / (servers - offered_load)


def allen_cunneen_wait_s(
    servers: int, offered_load: float, mean_service_s: float, arrival_cv2: float, service_cv2: float
) -> float:
    """Return the approximate mean wait in G/G/c, in seconds.

    `arrival_cv2` and `service_cv2` are squared coefficients of variation: 1 for Poisson arrivals.
    """
    exponential_s = erlang_c_wait_s(servers, offered_load, mean_service_s)
    return (arrival_cv2 + service_cv2) / 2 * exponential_s
