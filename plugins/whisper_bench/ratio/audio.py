"""What a clip of any length takes on the target: its windows and tokens, at what they cost.

The run on the reference tells what a window and a token take there, the saved ratio what the same
work takes on the target. Nobody measured a clip of that length, so the interval is wider the more
its tokens a window differ from the measured clip's; several measured clips narrow it
(docs/work.md).
"""

import math
from collections.abc import Sequence

import msgspec

from whisper_bench.case.case import Case
from whisper_bench.case.clip import windows_of
from whisper_bench.errors import BenchError
from whisper_bench.ratio.report import CaseRatio, CaseSide
from whisper_bench.ratio.run import RunCase, RunWork
from whisper_bench.stats.interval import Estimate
from whisper_bench.stats.welch import LogMean, Term, product_of

OF_ANOTHER_MIX = 0.04
"""Error a factor e in tokens a window, as a share of the latency (docs/work.md has what was seen:
6 % at 5 s, from the 30 s clip)."""
OF_MORE_WINDOWS = 0.02
"""Error a factor 2 in windows, of tokens a window as measured: 4 % was seen at 4 windows."""
LEAST_OF_A_FIT = 0.02
"""Error of two clips fitted by two constants: nothing is left to tell how well they fit."""
APART = 1.5
"""Factor in tokens a window from which two clips tell a window's time from a token's."""
_CONSTANTS = 2


class ClipFit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds a window and a token by least squares over clips, and how well they fit.

    `deviations` has for each clip the fitted latency over the measured one, less 1; `error` is
    their standard deviation, with the constants taken off the degrees of freedom.
    """

    window_s: float
    token_s: float
    deviations: dict[str, float]
    error: float


class AudioPrediction(Case, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A clip of `audio_s` seconds, one request at a time; times in seconds.

    `reference_s` is what it takes on the reference by the run's constants. `extrapolation` is the
    share by which the model may be wrong about a length that was not measured, and is in the
    interval of `latency_s`. `clip` is the measured clip that it rests on, `fit` how several agree.
    """

    audio_s: float
    windows: int
    tokens: float
    reference_s: float
    ratio: float
    latency_s: Estimate
    extrapolation: float
    fit: ClipFit | None


_Pair = tuple[CaseRatio, RunCase]


def priced(
    pairs: Sequence[_Pair], audio_s: float, tokens_a_second: float | None = None
) -> AudioPrediction:
    """Return the prediction for a length of audio, from the cases of one model and thread count.

    Without `tokens_a_second` it is that of the measured clips.

    Raises:
        BenchError: a side has no encoder and decoder times on record.

    """
    works = [_work_of(case) for _, case in pairs]
    windows = windows_of(audio_s)
    tokens = audio_s * (tokens_a_second or _tokens_a_second([case for _, case in pairs], works))
    apart = [
        abs(math.log(tokens / windows / _mix(case, work)))
        for (_, case), work in zip(pairs, works, strict=True)
    ]
    nearest = apart.index(min(apart))
    (ratio, case), work = pairs[nearest], works[nearest]
    new, fit = work.of(windows, tokens), fitted([case for _, case in pairs], works)
    if fit is None:
        longer = abs(math.log2(windows / work.windows))
        extrapolation = OF_ANOTHER_MIX * apart[nearest] + OF_MORE_WINDOWS * longer
    else:
        fitted_s = windows * fit.window_s + tokens * fit.token_s
        new, extrapolation = msgspec.structs.replace(new, mean=math.log(fitted_s)), fit.error
    sides = [_at(side, case, windows, tokens) for side in (ratio.reference, ratio.target)]
    estimate = product_of(
        [Term(1, new), Term(1, sides[1], future=sides[1].size), Term(-1, sides[0])],
        ratio.confidence,
    )
    if estimate is None:
        raise BenchError(
            f"{case.label}: {case.rounds} round(s) are too few for an interval; measure with "
            "--whisper-processes=5"
        )
    return AudioPrediction(
        **case.cell,
        audio_s=audio_s,
        windows=windows,
        tokens=tokens,
        reference_s=new.value,
        ratio=sides[1].value / sides[0].value,
        latency_s=_widened(estimate, extrapolation),
        extrapolation=extrapolation,
        fit=fit,
    )


def fitted(cases: Sequence[RunCase], works: Sequence[RunWork]) -> ClipFit | None:
    """Fit seconds a window and a token to the latencies of clips by least squares.

    Each clip's error counts as a share of its latency. None if the clips are too alike in their
    tokens a window to tell the two apart, or so far from a line that one would be negative.
    """
    mixes = [_mix(case, work) for case, work in zip(cases, works, strict=True)]
    if max(mixes) < APART * min(mixes):
        return None
    latencies_s = [case.latency.processes.value for case in cases]
    rows = [
        (work.windows / latency_s, case.identity.tokens / latency_s)
        for case, work, latency_s in zip(cases, works, latencies_s, strict=True)
    ]
    # the normal equations of sum((window_s * w + token_s * t - 1) ** 2)
    ww, wt, tt = (math.fsum(row[i] * row[j] for row in rows) for i, j in ((0, 0), (0, 1), (1, 1)))
    w, t = (math.fsum(row[i] for row in rows) for i in (0, 1))
    determinant = ww * tt - wt * wt
    window_s, token_s = (w * tt - t * wt) / determinant, (t * ww - w * wt) / determinant
    if min(window_s, token_s) <= 0:
        return None
    off = [window_s * row[0] + token_s * row[1] - 1 for row in rows]
    free = len(off) - _CONSTANTS
    error = math.sqrt(math.fsum(each**2 for each in off) / free) if free else LEAST_OF_A_FIT
    names = [case.clip for case in cases]
    return ClipFit(window_s, token_s, dict(zip(names, off, strict=True)), error)


def _tokens_a_second(cases: Sequence[RunCase], works: Sequence[RunWork]) -> float:
    tokens = sum(case.identity.tokens for case in cases)
    return tokens / sum(work.audio_s for work in works)


def _work_of(case: RunCase) -> RunWork:
    if case.work is None:
        raise BenchError(
            f"{case.label}: --audio needs encoder and decoder times, and the run has none; measure "
            "it again"
        )
    return case.work


def _mix(case: RunCase, work: RunWork) -> float:
    """Return the tokens a window of a measured clip."""
    return case.identity.tokens / work.windows


def _at(side: CaseSide, case: RunCase, windows: int, tokens: float) -> LogMean:
    """Return what other work takes on a side of the ratio; its parts rise and fall as one."""
    work = side.work
    if work is None:
        raise BenchError(
            f"{case.label}: --audio needs encoder and decoder times, and the ratio has none; make "
            "it again from runs that have them: whisper-bench ratio M4 XEON"
        )
    counted = case.identity.tokens
    token_s = work.token.value
    window_s = (work.latency.value - counted * token_s) / work.windows
    parts = windows * window_s, tokens * token_s
    deviation = sum(
        part * math.sqrt(sample.variance)
        for part, sample in zip(parts, (work.window, work.token), strict=True)
    ) / sum(parts)
    return LogMean(math.log(sum(parts)), deviation**2, work.latency.size)


def _widened(estimate: Estimate, share: float) -> Estimate:
    """Return an estimate whose interval includes an independent error of a share."""
    half = math.hypot(math.log(estimate.high / estimate.value), share)
    widened = Estimate.of_log(math.log(estimate.value), half, estimate.confidence)
    return estimate if widened is None else widened
