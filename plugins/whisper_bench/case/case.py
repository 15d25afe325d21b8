"""What is measured: a model on a number of threads with a clip, in rounds spread over processes."""

from typing import Any, Literal

import msgspec

from whisper_bench.ranges import (
    Copies,
    Count,
    Duration,
    Latency,
    Moment,
    Name,
    Ordinal,
    Seconds,
    Threads,
)

Placement = Literal["floating", "pinned"]
"""Where the workers run: on any CPU, or each on one of its own."""


class Case(msgspec.Struct, frozen=True, order=True):
    """One cell of the matrix; `clip` is the recording's name without its ending.

    `copies` workers run at once, each under its own limit (SPECrate's word for it). A struct that
    tells something of one case extends this one: `Struct(**case.cell, ...)`.
    """

    model: Name
    threads: Threads
    clip: Name
    copies: Copies = 1

    @property
    def label(self) -> str:
        """Name the case for people, as in pytest's test ids: `base-t4-vi_30s`, `...-x16`."""
        return self._named(f"-{self.clip}")

    @property
    def short_label(self) -> str:
        """Name the case without its clip, where that is known: `base-t4-x16`."""
        return self._named("")

    def _named(self, clip: str) -> str:
        company = "" if self.copies == 1 else f"-x{self.copies}"
        return f"{self.model}-t{self.threads}{clip}{company}"

    @property
    def cell(self) -> dict[str, Any]:
        """Model, threads, clip and copies, and nothing of a struct that extends this one."""
        return {name: getattr(self, name) for name in Case.__struct_fields__}


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """The two phases of a transcription: wall seconds, and CPU-seconds of the whole process.

    `windows` counts the 30 s windows that the encoder computed; the decoder's tokens are the
    round's. What is left of the round went into features and text.
    """

    windows: Ordinal
    encode_s: Seconds
    decode_s: Seconds
    encode_cpu_s: Seconds
    decode_cpu_s: Seconds


class Round(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One measured transcription.

    `latency_s` is what pytest-benchmark timed around the worker's answer, `wall_s` what the worker
    timed itself, `cpu_s` the CPU-seconds of all its threads; `process` counts the fresh processes.
    Of several copies each counts as one, `copy` tells them apart, and the latency is the worker's
    own wall time. `start_s` is when the round began, by a clock that all of a machine share.
    `split` is None where the engine does not tell its phases, and in runs from before it was
    recorded.
    """

    process: Ordinal
    latency_s: Latency
    wall_s: Duration
    cpu_s: Seconds
    wait_s: Seconds | None
    contended: bool | None
    tokens: Count
    split: Split | None = None
    copy: Copies = 1
    start_s: Moment | None = None


def rounds_by_process(rounds: int, processes: int) -> list[int]:
    """Spread `rounds` over `processes` fresh processes, as evenly as can be, none left empty.

    >>> rounds_by_process(50, 5)
    [10, 10, 10, 10, 10]
    >>> rounds_by_process(7, 3)
    [3, 2, 2]
    """
    used = min(rounds, processes)
    share, over = divmod(rounds, used)
    return [share + (number < over) for number in range(used)]
