"""Whether a round got the CPU that its threads asked for."""

CONTENDED_BELOW = 0.95
"""Share of the CPU that a round could have had. On a quiet machine one thread gets 0.99 to 1.00;
beside a busy neighbour wall times spread by 33 % between identical runs (docs/measuring.md)."""

MANY_CONTENDED = 0.2
"""Share of contended rounds from which a whole run is called contended."""


def are_many(contended: int, rounds: int) -> bool:
    """Tell whether so many rounds of a run were contended that it is called contended."""
    return contended >= MANY_CONTENDED * rounds


def enough_share(threads: int, usable_cpus: float | None) -> float:
    """Return the CPU-seconds a wall second from which a round is not contended."""
    return CONTENDED_BELOW * min(threads, usable_cpus or threads)


def is_contended(
    *, wall_s: float, cpu_s: float, wait_s: float | None, threads: int, usable_cpus: float | None
) -> bool | None:
    """Tell whether a round got under 95 % of the CPU that its threads and the usable CPUs allow.

    With one CPU allowed, that is CPU-seconds / wall seconds. With more, threads idle in the serial
    parts of the work (int8 on 2 quiet CPUs has CPU/wall 1.4), so that the ratio accuses innocent
    rounds. Yet one thread can always run, so that less than one CPU's worth is proof; above it the
    time that runnable threads waited for a CPU (`wait_s`, from the kernel's schedstat) is the
    evidence. None where it cannot be told: no such counter, or fewer CPUs than threads that waited,
    since they wait for one another and, under a quota, for the next period.
    """
    allowed = min(threads, usable_cpus or threads)
    if cpu_s >= enough_share(threads, usable_cpus) * wall_s:
        return False
    if cpu_s < CONTENDED_BELOW * min(1, allowed) * wall_s:
        return True
    if wait_s is None:
        return None
    waited = cpu_s < CONTENDED_BELOW * (cpu_s + wait_s)
    return None if waited and allowed < threads else waited
