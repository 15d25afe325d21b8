"""What reading the kernel's counters adds to a round.

    python benchmarks/counter_cost.py [READINGS]

Reads, in a control group with a quota, what the worker reads before and after
each round, and compares with one transcription of base on the standard clip. Exits 1 if the
readings take 0.1 % of it or more.
"""

import os
import statistics
import sys
import time
from pathlib import Path

from whisper_bench.case.clip import load_clip
from whisper_bench.machine.counters import counters_of
from whisper_bench.machine.cpu_limit import quota_groups
from whisper_bench.machine.quota import QuotaGroup
from whisper_bench.worker.engine import load_model, run_benchmark
from whisper_bench.worker.usage import peak_rss_bytes, run_queue_wait_s

CLIP = Path(__file__).parent.parent / "audio" / "vi_30s.wav"
LIMIT = 0.001


def _reading_s() -> float:
    """Time all that is read around one round: each counter twice, the memory once."""
    groups = quota_groups()
    start_s = time.perf_counter()
    for _ in range(2):
        for group in groups:
            counters_of(group)
        run_queue_wait_s()
    peak_rss_bytes()
    return time.perf_counter() - start_s


def main() -> int:
    """Measure, print, and say whether reading is cheap."""
    readings = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    (round_,) = run_benchmark(load_model("base"), load_clip(CLIP), rounds=1)
    limit = QuotaGroup(1)
    procs = limit.group.folder.parent / "cgroup.procs"
    limit.add(os.getpid())
    try:
        reading_s = statistics.median(_reading_s() for _ in range(readings))
    finally:
        procs.write_text(str(os.getpid()))
        limit.close()
    share = reading_s / round_.wall_s
    print(f"readings of a round {reading_s * 1e6:.0f} us (median of {readings})")
    print(f"one round           {round_.wall_s:.3f} s")
    print(f"share               {share:.4%}, limit {LIMIT:.1%}")
    return 0 if share < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
