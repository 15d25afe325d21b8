"""Ranges of measured figures: checked wherever one is read, and part of our JSON Schemas.

The ranges are wide. They exclude what no measurement gives and what no arithmetic can use.
"""

from typing import Annotated

from msgspec import Meta

from whisper_bench.files.names import MOST_BYTES

MOST_CPUS = 8192
"""CPUs that Linux can be built for (arch/x86/Kconfig, NR_CPUS_RANGE_END)."""
_LONGEST_S = 1e6
"""Eleven days: no transcription takes longer."""
_MOST_MEMORY_BYTES = 2**50
_MOST = 2**53
"""Whole numbers up to it are exact in a double."""

Name = Annotated[str, Meta(min_length=1, max_length=MOST_BYTES)]
"""Checked by `whisper_bench.files.names` as well, since it becomes part of a file name."""
Word = Annotated[str, Meta(min_length=1, max_length=10_000)]
"""A chip, a library's type, a source with the path in it (Linux, PATH_MAX: 4096)."""
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Threads = Annotated[int, Meta(ge=1, le=MOST_CPUS)]
Copies = Annotated[int, Meta(ge=1, le=MOST_CPUS)]
"""Workers at once; a copy has the number 1 or more."""
Cpus = Annotated[float, Meta(gt=0, le=MOST_CPUS)]
QuotaCpus = Annotated[float, Meta(gt=0, le=1e12)]
"""A quota may be more than the machine has (kernel/sched/core.c, MAX_BW: 2**44 us of 1 ms)."""
CpuCount = Annotated[int, Meta(ge=1, le=MOST_CPUS)]
Latency = Annotated[float, Meta(ge=1e-6, le=_LONGEST_S)]
"""Seconds of a transcription: a microsecond at least."""
Duration = Annotated[float, Meta(ge=1e-6, le=_LONGEST_S)]
"""Seconds that passed, or of a recording."""
Seconds = Annotated[float, Meta(ge=0, le=_LONGEST_S * MOST_CPUS)]
"""Seconds that may be 0, and are summed over all CPUs."""
Moment = Annotated[float, Meta(ge=0, le=1e12)]
"""Seconds on a clock that only rises, as Linux's CLOCK_MONOTONIC: alike for all on one machine."""
Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(gt=0, le=1e300)]
NotNegative = Annotated[float, Meta(ge=0, le=1e300)]
Ordinal = Annotated[int, Meta(ge=1, le=10**9)]
"""Counts from 1: the number of a process or a pair, or how many there are if at least one."""
Count = Annotated[int, Meta(ge=0, le=_MOST)]
PeakMemory = Annotated[int, Meta(ge=1, le=_MOST_MEMORY_BYTES)]
"""Bytes."""
