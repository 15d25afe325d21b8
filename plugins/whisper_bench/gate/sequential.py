"""Whether there is enough evidence: a group sequential test of the slowdown over process pairs.

After 4, 6, 8 ... pairs the test looks at the interval of the trimmed mean of log(candidate /
baseline). Each look uses the same nominal level, at which all looks together are wrong in 5 %:
S. J. Pocock, "Group sequential methods in the design and analysis of clinical trials",
Biometrika 64 (1977); for t statistics C. Jennison and B. W. Turnbull, "Group Sequential Methods"
(2000), section 4.4. Repeated looks at a 95 % interval would be wrong in one of five gates.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from whisper_bench.stats.interval import Estimate
from whisper_bench.stats.trimmed import trimmed_ratio

BLOCK_PAIRS = 2
"""Pairs in an ABBA block; a gate has complete blocks only."""
LOOKS = (4, 6, 8, 12, 16, 24, 32)
"""Pairs after which there is a look at the evidence, and once more at the end: see `is_look`."""
ERROR_RATE = 0.05
"""Two-sided: a build exactly at the limit fails in 2.5 % of gates and passes in 2.5 %."""
NOMINAL_LEVEL = 0.0080
"""Two-sided level of each look for an error rate of 5 % in all. Pocock's for seven looks at a known
variance is 0.0130; a trimmed t over few pairs is wrong more often, and at this level in 4.8 % of
600,000 simulated gates (benchmarks/gate_error_rates.py)."""
CASES_POWER = 1.2
"""With k cases each has the level divided by k to this power: few pairs need a wider interval.
With 2, 3, 5 and 9 cases, all at the limit, it is 4.8, 4.7, 4.6 and 4.5 % (simulated as above)."""


class Call(StrEnum):
    """What a look says; OPEN: more pairs are needed."""

    SLOWER = "slower"
    NOT_SLOWER = "not slower"
    OPEN = "open"


class Look(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The evidence after some pairs.

    `slowdown` is candidate / baseline. `control` is the same procedure with the processes of one
    program as both sides. None if the interval has no bounds; the control also if one side was
    saved earlier.
    """

    pairs: int
    slowdown: Estimate | None
    control: Estimate | None
    call: Call


def is_look(pairs: int, most_pairs: int) -> bool:
    """Return whether there is a look after so many pairs; there always is one after the last.

    Whatever depends on a look (the interval, the metric, the throttling) asks here.
    """
    return pairs in LOOKS or pairs == most_pairs


def look_at(
    baseline_s: Sequence[float], candidate_s: Sequence[float], *, limit: float, cases: int = 1
) -> Look:
    """Return what the pairs say so far.

    Both have a process's mean in seconds per pair, an even number of them, in the order of the
    session (ABBA); `limit` is the slowdown allowed (0.1: 10 %). With several `cases` each has its
    share of the error rate, since one slower case fails the gate.
    """
    confidence = 1 - NOMINAL_LEVEL / cases**CASES_POWER
    slowdown = trimmed_ratio(_ratios(candidate_s, baseline_s), confidence)
    control = trimmed_ratio([*_against_itself(baseline_s, candidate_s)], confidence)
    call = call_of(slowdown, limit) if _is_fit(control, limit) else Call.OPEN
    return Look(len(baseline_s), slowdown, control, call)


def is_within(estimate: Estimate, limit: float) -> bool:
    """Return whether an interval lies within a limit on both sides of 1."""
    return 1 / (1 + limit) < estimate.low and estimate.high < 1 + limit


def _against_itself(baseline_s: Sequence[float], candidate_s: Sequence[float]) -> Iterable[float]:
    """Yield ratios of two processes of one side in a block, which is two pairs.

    In one block the later of the baseline is over the earlier, and the earlier of the candidate
    over the later; in the next it is the other way round, so that a steady drift cancels as it does
    in the slowdown.
    """
    sides = (_ratios(side[1::2], side[::2]) for side in (baseline_s, candidate_s))
    for block, (baseline, candidate) in enumerate(zip(*sides, strict=True)):
        yield from (1 / baseline, candidate) if block % 2 else (baseline, 1 / candidate)


def _ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    return [over / under for over, under in zip(above, below, strict=True)]


def _is_fit(control: Estimate | None, limit: float) -> bool:
    """Return whether a program differs from itself by nothing, or by less than the limit."""
    return control is not None and (control.low <= 1 <= control.high or is_within(control, limit))


def call_of(slowdown: Estimate | None, limit: float) -> Call:
    """Return on which side of the limit an interval lies, OPEN if the limit is inside it."""
    if slowdown is None or slowdown.low <= 1 + limit <= slowdown.high:
        return Call.OPEN
    return Call.SLOWER if slowdown.low > 1 + limit else Call.NOT_SLOWER
