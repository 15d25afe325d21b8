"""Service times: how long one request keeps a Pod busy, drawn from the measured rounds.

Where the rounds are split into encoder and decoder, a request takes its windows and its tokens, at
what a window and a token took in a round (docs/work.md). Else it takes as many windows as the
encoder pads it to, each at what a window of a whole round took.
"""

import math
import statistics
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from whisper_bench.case.clip import windows_of
from whisper_bench.errors import BenchError
from whisper_bench.sizing.bounds import HARD_FACTOR, MOST_HARD_FACTOR
from whisper_bench.sizing.simulate import Floats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from whisper_bench.sizing.demand import AudioLength, Load

Counts = NDArray[np.int64]


class ServiceWork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the parts of each measured round took: seconds a window, with the rest, and a token.

    `tokens_a_second` are those of a second of the measured clip. The factors are those of the
    parts, over the service's own.
    """

    window_s: list[float]
    token_s: list[float]
    tokens_a_second: float
    window_factor: float = 1.0
    token_factor: float = 1.0

    def parts_s(self, audio_s: float, tokens_a_second: float | None) -> tuple[float, float]:
        """Return the mean seconds of the encoder, with the rest, and of the decoder."""
        tokens = audio_s * (tokens_a_second or self.tokens_a_second)
        return (
            windows_of(audio_s) * statistics.fmean(self.window_s) * self.window_factor,
            tokens * statistics.fmean(self.token_s) * self.token_factor,
        )


class OfLength(NamedTuple):
    """What the requests of a length take on average, in seconds; `share` is theirs of all."""

    audio_s: float
    share: float
    windows: int
    tokens: float
    encoder_s: float
    decoder_s: float

    @property
    def mean_s(self) -> float:
        """The mean service time."""
        return self.encoder_s + self.decoder_s


class Drawn(NamedTuple):
    """Requests: service times and lengths of audio, in seconds, shape (n,)."""

    services_s: Floats
    audio_s: Floats


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Measured latencies of one request alone in its Pod, in seconds, for `windows` 30 s windows.

    `factor` scales them (a ratio, if another machine was measured). A share `hard_share` of the
    requests takes `hard_factor` times as long. `work` is None where the rounds are not split.
    """

    samples_s: list[float]
    windows: int = 1
    factor: float = 1.0
    hard_share: float = 0.0
    hard_factor: float = HARD_FACTOR
    work: ServiceWork | None = None

    def __post_init__(self) -> None:
        """Refuse invalid service times."""
        if not self.samples_s or not all(0 < sample_s < math.inf for sample_s in self.samples_s):
            raise BenchError("service times must be positive numbers of seconds, at least one")
        if not 0 < self.factor < math.inf or not 0 <= self.hard_share <= 1:
            raise BenchError(
                f"factor {self.factor:g} and share of hard clips {self.hard_share:g}: give a "
                "factor above 0 and a share from 0 to 1"
            )
        if not 1 <= self.hard_factor <= MOST_HARD_FACTOR:
            raise BenchError(
                f"hard clips take {self.hard_factor:g} times as long: give from 1 to "
                f"{MOST_HARD_FACTOR:g}"
            )

    @property
    def of_clip_s(self) -> float:
        """The mean service time of the measured clip."""
        return statistics.fmean(self.samples_s) * self.factor * self._hard_mean

    @property
    def _hard_mean(self) -> float:
        return 1 + self.hard_share * (self.hard_factor - 1)

    def by_length(self, load: "Load") -> "list[OfLength]":
        """Return what each length of a load takes; empty where the work or lengths are unknown."""
        if self.work is None:
            return []
        scale, tokens_a_second = self.factor * self._hard_mean, load.tokens_a_second
        return [
            OfLength(
                length.audio_s,
                length.share,
                windows_of(length.audio_s),
                length.audio_s * (tokens_a_second or self.work.tokens_a_second),
                *(scale * part_s for part_s in self.work.parts_s(length.audio_s, tokens_a_second)),
            )
            for length in load.lengths
        ]

    def mean_s(self, load: "Load") -> float:
        """Return the mean service time of a load's audio, exactly."""
        lengths = self.by_length(load)
        if lengths:
            whole = math.fsum(length.share for length in lengths)
            return math.fsum(length.share * length.mean_s for length in lengths) / whole
        whole = sum(load.windows.values())
        windows = sum(size * share for size, share in load.windows.items()) / whole
        return self.of_clip_s / self.windows * windows

    def draw(self, load: "Load", count: int, random: np.random.Generator) -> Drawn:
        """Return `count` requests of a load's audio.

        Draws are by rank, so that a slower service is slower in every draw.
        """
        if self.work is not None and load.lengths:
            return self._by_work(self.work, load, count, random)
        lengths_s, sizes, shares = _of_audio(load.shares)
        ranked = np.sort(np.asarray(self.samples_s)) * (self.factor / self.windows)
        # separate streams, so that a longer sequence begins with the same draws
        lengths, hardness, *each_window = random.spawn(2 + int(sizes.max()))
        places = _places(shares, lengths.random(count))
        chosen = sizes[places]
        total = np.zeros(count)
        for window, draws in enumerate(each_window):
            ranks = (draws.random(count) * len(ranked)).astype(np.int64)
            total += np.where(chosen > window, ranked[ranks], 0.0)
        return Drawn(total * self._hard(hardness.random(count)), lengths_s[places])

    def _by_work(
        self, work: ServiceWork, load: "Load", count: int, random: np.random.Generator
    ) -> Drawn:
        """Draw for each window of a request the round whose parts it takes."""
        lengths_s, windows, shares = _of_audio(load.lengths)
        lengths, hardness, speech, *each_window = random.spawn(3 + int(windows.max()))
        places = _places(shares, lengths.random(count))
        tokens_a_second = load.tokens_a_second or work.tokens_a_second
        spread = load.tokens_spread / tokens_a_second
        audio_s = lengths_s[places]
        tokens = audio_s * tokens_a_second * _scatter(spread, count, speech)
        chosen = windows[places]
        window_s = np.asarray(work.window_s) * (self.factor * work.window_factor)
        token_s = np.asarray(work.token_s) * (self.factor * work.token_factor)
        ranking = np.argsort(np.asarray(self.samples_s), kind="stable")
        total = np.zeros(count)
        for window, draws in enumerate(each_window):
            ranks = ranking[(draws.random(count) * len(ranking)).astype(np.int64)]
            of_window_s = window_s[ranks] + tokens / chosen * token_s[ranks]
            total += np.where(chosen > window, of_window_s, 0.0)
        return Drawn(total * self._hard(hardness.random(count)), audio_s)

    def _hard(self, draws: Floats) -> Floats:
        return np.where(draws < self.hard_share, self.hard_factor, 1.0)


def _of_audio(lengths: "Sequence[AudioLength]") -> tuple[Floats, Counts, Floats]:
    """Return lengths in seconds and in windows, and their shares."""
    lengths_s = np.array([length.audio_s for length in lengths])
    windows = np.array([windows_of(length.audio_s) for length in lengths])
    return lengths_s, windows, np.array([length.share for length in lengths])


def _places(shares: Floats, draws: Floats) -> Counts:
    """Return which share each draw in [0, 1) falls into."""
    steps = np.cumsum(shares / shares.sum())
    return np.minimum(np.searchsorted(steps, draws), len(steps) - 1)


def _scatter(spread: float, count: int, random: np.random.Generator) -> Floats:
    """Return lognormal factors of mean 1 whose standard deviation is `spread`."""
    variance = math.log1p(spread**2)
    return np.exp(math.sqrt(variance) * random.standard_normal(count) - variance / 2)
