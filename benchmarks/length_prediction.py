"""Hold prices of clips of any length to what those clips take, measured in turns.

    python audio/make_clips.py lengths 5 10 15 60 120
    python benchmarks/length_prediction.py [TURNS]

One process decodes every clip once in each turn (default 8), so that a machine whose speed drifts
is as slow for each. Prints for each clip what it takes, and how far off is a price from the 30 s
clip's window and token, from two constants fitted over 5, 30 and 60 s, and from counting windows of
30 s alone. Tokens are those that each clip was decoded to, and, in the column that says so, the
30 s clip's a second. The fit is NumPy's, and not the one that the tool has of its own.
"""

import os
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from whisper_bench.case.clip import Clip, load_clip
from whisper_bench.machine.identity import detect_machine
from whisper_bench.stats.welch import log_mean
from whisper_bench.text.table import table_lines
from whisper_bench.worker.engine import LoadedModel, Transcription, load_model, run_benchmark

AUDIO = Path(__file__).parent.parent / "audio"
FITTED, STANDARD = ("vi_5s", "vi_30s", "vi_60s"), "vi_30s"
CLIPS = ("vi_5s", "vi_10s", "vi_15s", "vi_30s", "vi_60s", "vi_120s")
_HEAD = (
    *("clip", "tokens", "measured", "30 s clip", "30 s clip, its tokens/s"),
    *("fitted 5, 30, 60 s", "windows alone"),
)


class Cost(NamedTuple):
    """A clip and the geometric means of its rounds: seconds of a round, and of its decoder."""

    clip: Clip
    windows: int
    tokens: int
    round_s: float
    decode_s: float


def measured(model: LoadedModel, clips: list[Clip], turns: int) -> list[list[Transcription]]:
    """Return the rounds of each clip, a turn at a time."""
    rounds: list[list[Transcription]] = [[] for _ in clips]
    for turn in range(turns):
        for clip, of_clip in zip(clips, rounds, strict=True):
            of_clip.extend(run_benchmark(model, clip, 1))
        print(f"turn {turn + 1} of {turns}", file=sys.stderr, flush=True)
    return rounds


def cost(clip: Clip, rounds: list[Transcription], clock: str) -> Cost:
    """Return what a clip took by the wall clock or in CPU-seconds."""
    splits = [one.split for one in rounds if one.split is not None]
    whole, decoder = ("wall_s", "decode_s") if clock == "wall" else ("cpu_s", "decode_cpu_s")
    return Cost(
        clip,
        splits[0].windows,
        rounds[0].tokens,
        log_mean([getattr(one, whole) for one in rounds]).value,
        log_mean([getattr(split, decoder) for split in splits]).value,
    )


def rows(costs: list[Cost]) -> list[tuple[str, ...]]:
    """Return a row a clip."""
    standard = next(one for one in costs if one.clip.name == STANDARD)
    token_s = standard.decode_s / standard.tokens
    window_s = standard.round_s - standard.decode_s
    rate = standard.tokens / standard.clip.duration_s
    of_fit = [one for one in costs if one.clip.name in FITTED]
    shares = [[one.windows / one.round_s, one.tokens / one.round_s] for one in of_fit]
    (fit_window_s, fit_token_s), *_ = np.linalg.lstsq(shares, np.ones(len(shares)), rcond=None)
    table = []
    for one in costs:
        prices_s = (
            one.windows * window_s + one.tokens * token_s,
            one.windows * window_s + one.clip.duration_s * rate * token_s,
            one.windows * fit_window_s + one.tokens * fit_token_s,
            one.windows * standard.round_s,
        )
        off = (f"{price_s / one.round_s - 1:+.1%}" for price_s in prices_s)
        table.append((one.clip.name, f"{one.tokens}", f"{one.round_s:.3f} s", *off))
    return table


def main() -> None:
    """Measure and print both tables."""
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    os.environ["OMP_NUM_THREADS"] = "1"
    clips = [load_clip(AUDIO / f"{name}.wav") for name in CLIPS]
    model = load_model("base", threads=1)
    list(run_benchmark(model, clips[0], 1))
    rounds = measured(model, clips, turns)
    for clock in ("wall", "cpu"):
        print(f"{clock} time, {detect_machine(None).cpu_model}, {turns} turns")
        costs = [cost(clip, of_clip, clock) for clip, of_clip in zip(clips, rounds, strict=True)]
        print(*table_lines([_HEAD, *rows(costs)]), sep="\n")


if __name__ == "__main__":
    main()
