"""The CPU time that busy threads get: evidence that no hidden quota is in force.

A hidden quota below the threads' CPUs stops them in every period, so threads that got all their
CPUs have no such quota. Threads that got less prove nothing: a neighbour takes CPU as well.
"""

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import msgspec

from whisper_bench.machine.cpu_limit import BusyThreads, CpuLimit

BUSY_S = 2.0
"""Under a quota the threads get its CPU of these 2 s, of one period more if they begin in the
middle of one, and of another from a burst. So at the usual period of 100 ms a quota below 0.89 of
their CPUs is noticed; at the longest period, 1 s, one below 0.65 without a burst."""
_CHUNK = bytes(2**20)  # hashed in a millisecond or so, without the interpreter's lock


def with_busy_threads(
    limit: CpuLimit, threads: int, measure: "Callable[[int], BusyThreads] | None" = None
) -> CpuLimit:
    """Return the limit with what busy threads got, if no file tells whether a quota is hidden.

    As many threads are tried as the case can keep busy: a quota that they do not reach cannot
    throttle the case.
    """
    if not limit.hides_a_quota or limit.quota_trouble is not None:
        return limit
    busy = (measure or busy_threads)(min(threads, limit.affinity_cpus or threads))
    source = f"none: {busy}" if limit.cpus is None and busy.had_all else limit.source
    return msgspec.structs.replace(limit, busy=busy, source=source)


def busy_threads(threads: int, seconds: float = BUSY_S) -> BusyThreads:
    """Keep that many threads busy for so many seconds and count the CPU time that they got."""
    start = Barrier(threads)

    def compute() -> tuple[float, float]:
        start.wait()
        began_s, cpu_s = time.perf_counter(), time.thread_time()
        while (wall_s := time.perf_counter() - began_s) < seconds:
            hashlib.sha256(_CHUNK)
        return time.thread_time() - cpu_s, wall_s

    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(compute) for _ in range(threads)]
        counted = [future.result() for future in futures]
    cpu_s, wall_s = map(sum, zip(*counted, strict=True))
    return BusyThreads(threads, cpu_s, wall_s / threads)
