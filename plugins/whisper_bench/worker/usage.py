"""What the kernel says of this process: peak memory, and time spent waiting for a CPU."""

import platform
import resource
from contextlib import suppress
from pathlib import Path

_KIB = 1024


def peak_rss_bytes(status: Path = Path("/proc/self/status")) -> int:
    """Return the peak resident memory of this process in bytes.

    VmHWM if there is a /proc: getrusage's ru_maxrss starts from the parent's peak on Linux, since
    exec keeps it (fs/exec.c, setmax_mm_hiwater_rss). macOS has ru_maxrss, in bytes.
    """
    with suppress(OSError):
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * _KIB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * _KIB


def run_queue_wait_s(tasks: Path = Path("/proc/self/task")) -> float | None:
    """Return how long all threads of this process have waited for a CPU while runnable.

    The second figure of /proc/PID/task/TID/schedstat, in nanoseconds (Linux
    Documentation/scheduler/sched-stats.rst). None if the system has none.
    """
    try:
        stats = [task / "schedstat" for task in tasks.iterdir()]
        return sum(int(stat.read_text(encoding="ascii").split()[1]) for stat in stats) / 1e9
    except (OSError, ValueError, IndexError):
        return None
