"""When is there evidence enough? A group sequential test of the slowdown, over pairs of processes.

After 4, 6, 8 ... pairs the paired t interval of the logarithms is looked at, each time at the same
nominal level, chosen so that all looks together err as rarely as one look at 5 % would: S. J.
Pocock, "Group sequential methods in the design and analysis of clinical trials", Biometrika 64
(1977); for t statistics C. Jennison and B. W. Turnbull, "Group Sequential Methods" (2000), section
4.4. Looking again and again at a 95 % interval would err in one of five gates.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from whisper_bench.welch import Estimate, Term, log_mean, product_of

LOOKS = (4, 6, 8, 10, 12, 16, 20, 24, 32, 40)
"""Pairs after which the evidence is looked at: whole blocks of ABBA."""
ERROR_RATE = 0.05
"""Two-sided: a build exactly at the limit is failed in 2.5 % of gates and passed in 2.5 %."""
NOMINAL_LEVEL = 0.0106
"""Pocock's two-sided level of each of ten looks for an error rate of 5 % in all."""


class Call(StrEnum):
    """What a look says; OPEN: more pairs are needed."""

    SLOWER = "slower"
    NOT_SLOWER = "not slower"
    OPEN = "open"


class Look(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The evidence after some pairs.

    `slowdown` is candidate / baseline, `control` later / earlier of the same program in the same
    block: the same procedure on a program against itself. None where they spread without bounds.
    """

    pairs: int
    slowdown: Estimate | None
    control: Estimate | None
    fit: bool
    call: Call


def is_look(pairs: int, most_pairs: int) -> bool:
    """Tell whether the evidence is looked at after so many pairs."""
    return pairs in LOOKS or pairs == most_pairs


def look_at(
    baseline_s: Sequence[float], candidate_s: Sequence[float], *, limit: float, cases: int = 1
) -> Look:
    """Return what the pairs say so far.

    Both hold a process's mean in seconds for each pair, in the order of the session, which is ABBA;
    `limit` is the slowdown allowed (0.1: 10 %). Of `cases` judged together each has its share of
    the error rate (Bonferroni), since one that is slower fails them all.
    """
    confidence = 1 - NOMINAL_LEVEL / cases
    slowdown = _ratio(candidate_s, baseline_s, confidence)
    # a block is two pairs: an even one, and the odd one behind it
    earlier, later = ([*baseline_s[start::2], *candidate_s[start::2]] for start in (0, 1))
    control = _ratio(later, earlier, confidence)
    fit = control is not None and 1 / (1 + limit) < control.low and control.high < 1 + limit
    return Look(len(baseline_s), slowdown, control, fit, _call(slowdown, limit, fit=fit))


def _ratio(above: Sequence[float], below: Sequence[float], confidence: float) -> Estimate | None:
    pairs = log_mean([over / under for over, under in zip(above, below, strict=True)])
    return product_of([Term(1, pairs)], confidence)


def _call(slowdown: Estimate | None, limit: float, *, fit: bool) -> Call:
    if slowdown is None or not fit:
        return Call.OPEN
    if slowdown.low > 1 + limit:
        return Call.SLOWER
    return Call.NOT_SLOWER if slowdown.high < 1 + limit else Call.OPEN
