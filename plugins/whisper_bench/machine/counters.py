"""The kernel's counters of a control group: the evidence of throttling.

Source: cpu.stat of both versions (Linux Documentation/scheduler/sched-bwc.rst and
admin-guide/cgroup-v2.rst), cpu.pressure (Documentation/accounting/psi.rst).
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from whisper_bench.machine.cgroup import CpuGroup
from whisper_bench.ranges import Count, NotNegative

_NS, _US = 1e-9, 1e-6


class CpuCounters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Counts since a group was made, or between two readings.

    `pressure_s` is the time in which some task waited for a CPU: in the group if it has its own
    cpu.pressure, else in the whole system; None if the kernel has no such counter.
    """

    periods: Count
    throttled_periods: Count
    throttled_s: NotNegative
    usage_s: NotNegative | None = None
    pressure_s: NotNegative | None = None
    bursts: Count | None = None
    burst_s: NotNegative | None = None

    @property
    def throttled_share(self) -> float | None:
        """The share of periods that were throttled, in [0, 1]; None if there was no period."""
        return self.throttled_periods / self.periods if self.periods else None

    def since(self, start: "CpuCounters") -> "CpuCounters | None":
        """Return what was counted after `start`.

        None if a count went down: the group is then another one of the same name.
        """
        periods = self.periods - start.periods
        throttled_periods = self.throttled_periods - start.throttled_periods
        throttled_s = self.throttled_s - start.throttled_s
        if min(periods, throttled_periods, throttled_s) < 0 or throttled_periods > periods + 1:
            return None
        bursts = _grown(start.bursts, self.bursts)
        return CpuCounters(
            periods=periods,
            # the kernel may count a period between the two figures that it prints
            throttled_periods=min(throttled_periods, periods),
            throttled_s=throttled_s,
            usage_s=_grown(start.usage_s, self.usage_s),
            pressure_s=_grown(start.pressure_s, self.pressure_s),
            bursts=None if bursts is None else int(bursts),
            burst_s=_grown(start.burst_s, self.burst_s),
        )


def counters_of(group: CpuGroup, root: Path = Path("/")) -> CpuCounters | None:
    """Read a group's counters; None if they cannot be read."""
    try:
        stat = _pairs((group.folder / "cpu.stat").read_text(encoding="ascii"))
        return CpuCounters(
            periods=stat["nr_periods"],
            throttled_periods=stat["nr_throttled"],
            throttled_s=_seconds(stat, "throttled_usec", "throttled_time") or 0.0,
            usage_s=_seconds(stat, "usage_usec", "-") or _usage_v1_s(group.folder),
            pressure_s=_pressure_s(group.folder / "cpu.pressure", root / "proc/pressure/cpu"),
            bursts=stat.get("nr_bursts"),
            burst_s=_seconds(stat, "burst_usec", "burst_time"),
        )
    except (OSError, ValueError, KeyError):
        return None


def most_throttled(
    starts: Sequence[CpuCounters | None], ends: Sequence[CpuCounters | None]
) -> CpuCounters | None:
    """Return what the most throttled of several groups counted between two readings of each.

    The first of equals; None if there is no group, or one cannot be read.
    """
    counted = [
        end.since(start) if start and end else None for start, end in zip(starts, ends, strict=True)
    ]
    known = [counters for counters in counted if counters is not None]
    if len(known) < len(counted):
        return None
    return max(known, key=lambda counters: counters.throttled_share or 0.0, default=None)


def total_counters(counters: Sequence[CpuCounters | None]) -> CpuCounters | None:
    """Add counters up; None if one of them could not be read, since the sum would be too low."""
    known = [reading for reading in counters if reading is not None]
    if len(known) < len(counters) or not known:
        return None
    return _combined(known, math.fsum)


def _grown(before: float | None, now: float | None) -> float | None:
    """Return how much a count has grown; None if it is missing, or went down."""
    return None if before is None or now is None or now < before else now - before


def _combined(
    counters: Sequence[CpuCounters], combine: Callable[[Sequence[float]], float]
) -> CpuCounters:
    """Combine field by field; a field that one of them does not have is None."""
    fields = {}
    for name in CpuCounters.__struct_fields__:
        values = [getattr(reading, name) for reading in counters]
        fields[name] = None if None in values else combine(values)
    return msgspec.convert(fields, CpuCounters, strict=False)


def _pairs(text: str) -> dict[str, int]:
    """Read a name and a count from each line; other lines are skipped."""
    words = (line.split() for line in text.splitlines())
    return {
        pair[0]: int(pair[1])
        for pair in words
        if len(pair) == 2 and pair[1].isdecimal()  # noqa: PLR2004 - a pair
    }


def _seconds(stat: dict[str, int], microseconds: str, nanoseconds: str) -> float | None:
    """Version 2 counts microseconds, version 1 nanoseconds, under another name."""
    if microseconds in stat:
        return stat[microseconds] * _US
    return stat[nanoseconds] * _NS if nanoseconds in stat else None


def _usage_v1_s(folder: Path) -> float | None:
    """Version 1 counts usage in the cpuacct controller, which is often mounted with cpu."""
    try:
        return int((folder / "cpuacct.usage").read_text(encoding="ascii")) * _NS
    except (OSError, ValueError):
        return None


def _pressure_s(*paths: Path) -> float | None:
    """Read `some ... total=` in microseconds from the first of the files that has it."""
    for path in paths:
        try:
            some = path.read_text(encoding="ascii").partition("\n")[0]
            return int(some.rpartition("total=")[2]) * _US
        except (OSError, ValueError):
            continue
    return None
