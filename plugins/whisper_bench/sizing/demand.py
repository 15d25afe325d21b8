"""What is asked of the service: load, objective, and how requests are spread over Pods."""

import math
from collections.abc import Mapping
from typing import Self

import msgspec
import numpy as np

from whisper_bench.case.clip import WINDOW_S, windows_of
from whisper_bench.errors import BenchError
from whisper_bench.sizing.arrivals import gaps_s, phases_of, sums_s, thinned
from whisper_bench.sizing.bounds import (
    MOST_BURSTINESS,
    MOST_RPS,
    MOST_TOKENS_A_SECOND,
    MOST_WINDOWS,
    POISSON,
)
from whisper_bench.sizing.policy import Policy
from whisper_bench.sizing.service import Service
from whisper_bench.sizing.simulate import Balancing, Floats

ONE_WINDOW: Mapping[int, float] = {1: 1.0}


class AudioLength(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A share of the requests, whose audio has a length in seconds."""

    audio_s: float
    share: float


class Load(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests at `target_rps` (1/s).

    `burstiness` is the squared coefficient of variation of the times between arrivals: 1 for
    Poisson, more for bursts. `windows` has the share of requests by their number of 30 s windows,
    `audio_s` the mean length of their audio, and `lengths` each length, if known. A second of audio
    gives `tokens_a_second` (None: as in the measured clip), with a standard deviation from request
    to request.
    """

    target_rps: float
    burstiness: float = POISSON
    windows: dict[int, float] = msgspec.field(default_factory=lambda: dict(ONE_WINDOW))
    audio_s: float | None = None
    lengths: list[AudioLength] = []
    tokens_a_second: float | None = None
    tokens_spread: float = 0.0

    @property
    def shares(self) -> list[AudioLength]:
        """The share of each length; one that is known in windows alone is all of its windows."""
        return self.lengths or [
            AudioLength(float(size * WINDOW_S), share)
            for size, share in sorted(self.windows.items())
        ]

    @classmethod
    def of_audio(
        cls,
        target_rps: float,
        lengths: Mapping[float, float],
        *,
        burstiness: float = POISSON,
        tokens_a_second: float | None = None,
        tokens_spread: float = 0.0,
    ) -> Self:
        """Return the load of requests whose lengths of audio, in seconds, have these shares."""
        windows: dict[int, float] = {}
        for audio_s, share in lengths.items():
            count = windows_of(audio_s)
            windows[count] = windows.get(count, 0.0) + share
        return cls(
            target_rps,
            burstiness,
            windows,
            sum(audio_s * share for audio_s, share in lengths.items()) / sum(lengths.values()),
            [AudioLength(audio_s, share) for audio_s, share in sorted(lengths.items())],
            tokens_a_second,
            tokens_spread,
        )

    def __post_init__(self) -> None:
        """Refuse an invalid load, or one too large to simulate."""
        if self.target_rps > MOST_RPS or self.burstiness > MOST_BURSTINESS:
            raise BenchError(
                f"target rps {self.target_rps:g}, burstiness {self.burstiness:g}: give "
                f"at most {MOST_RPS:g} and {MOST_BURSTINESS:g}, the most that can be simulated"
            )
        if not 0 < self.target_rps < math.inf:
            raise BenchError(f"target rps {self.target_rps:g}: give requests per second, above 0")
        if not POISSON <= self.burstiness < math.inf:
            raise BenchError(
                f"burstiness {self.burstiness:g}: give 1 (Poisson) or more, the squared "
                "coefficient of variation of the times between arrivals"
            )
        sizes = all(isinstance(size, int) and 1 <= size <= MOST_WINDOWS for size in self.windows)
        shares = all(0 < share < math.inf for share in self.windows.values())
        if not self.windows or not sizes or not shares:
            raise BenchError(
                f"audio mix {self.windows}: give lengths of 1 to {MOST_WINDOWS} windows of 30 s, "
                "with shares above 0"
            )
        if self.audio_s is not None and not 0 < self.audio_s < math.inf:
            raise BenchError(f"audio of {self.audio_s:g} s: give a length above 0")
        tokens = self.tokens_a_second
        if tokens is not None and not 0 < tokens <= MOST_TOKENS_A_SECOND:
            raise BenchError(
                f"{tokens:g} tokens a second: give a number above 0, up to {MOST_TOKENS_A_SECOND:g}"
            )
        if not 0 <= self.tokens_spread <= MOST_TOKENS_A_SECOND:
            raise BenchError(
                f"tokens a second spread by {self.tokens_spread:g}: give a standard deviation, "
                f"0 to {MOST_TOKENS_A_SECOND:g}"
            )

    def arrivals(self, count: int, random: np.random.Generator) -> Floats:
        """Return the times between `count` arrivals, in seconds."""
        return gaps_s(phases_of(self.target_rps, self.burstiness), count, random)

    def at_a_pod(
        self, pods: int, balancing: Balancing, count: int, random: np.random.Generator
    ) -> Floats:
        """Return the times between `count` arrivals at one of some Pods, in seconds.

        With random balancing each request is for this Pod with a chance of 1 in `pods`; with round
        robin each `pods`-th is.
        """
        phases = phases_of(self.target_rps, self.burstiness)
        if balancing is Balancing.RANDOM:
            return gaps_s(thinned(phases, 1 / pods), count, random)
        return sums_s(phases, pods, count, random)


class Objective(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`percent` of the requests are answered within `limit_s` seconds.

    With `per_audio_s` the limit is for each second of a request's audio: a real-time factor (RTF).
    """

    percent: float
    limit_s: float
    per_audio_s: bool = False

    def __post_init__(self) -> None:
        """Refuse an invalid objective."""
        if not 0 < self.limit_s < math.inf:
            remedy = "a real-time factor above 0, such as 0.5"
            if not self.per_audio_s:
                remedy = "a time above 0, such as 5s"
            raise BenchError(f"objective of {self.limit}: give {remedy}")
        if not 0 < self.percent < 100:  # noqa: PLR2004
            raise BenchError(f"objective of p{self.percent:g}: give a percentile such as 95")

    @property
    def name(self) -> str:
        """What is limited: `p95`, or `p95 RTF`."""
        return f"p{self.percent:g}{' RTF' if self.per_audio_s else ''}"

    @property
    def limit(self) -> str:
        """The limit with its unit: `5 s`, or `0.5` of a real-time factor."""
        return f"{self.limit_s:g}{'' if self.per_audio_s else ' s'}"

    def value(self, value_s: float) -> str:
        """Return a value of what is limited, with its unit."""
        return f"{value_s:.2f}{'' if self.per_audio_s else ' s'}"

    def limited(self, times_s: Floats, audio_s: Floats) -> Floats:
        """Return what is limited of each request, from its time and the length of its audio."""
        return times_s / audio_s if self.per_audio_s else times_s


class Demand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is asked of a service; without an objective utilisation decides."""

    load: Load
    objective: Objective | None = None
    policy: Policy = Policy()
    seed: int = 0

    def question(self, service: Service) -> "Question | None":
        """Return what to simulate of a service; None without an objective."""
        if self.objective is None:
            return None
        return Question(service, self.load, self.policy, self.objective, self.seed)


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that decides how many Pods are needed; the same seed gives the same answer."""

    service: Service
    load: Load
    policy: Policy
    objective: Objective
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse an invalid seed."""
        if self.seed < 0:
            raise BenchError(f"seed {self.seed}: give a whole number, 0 or more")

    @property
    def offered_load(self) -> float:
        """Arrival rate times mean service time, in Erlangs: Pods that would always be busy."""
        return self.load.target_rps * self.service.mean_s(self.load)
