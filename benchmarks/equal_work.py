"""Hold the ratio at equal work to the truth: two kernels of this machine, forced to equal tokens.

    python benchmarks/equal_work.py [PROCESSES [ROUNDS [NAME=VALUE ...]]]

NAME=VALUE are the variables of the second kernel, such as ONEDNN_MAX_CPU_ISA=SSE41. Processes of
both alternate. Each decodes the standard clip as always, and once more with the end of the text
suppressed and the number of tokens given, so that both kernels do the very same work; the ratio of
those times is the truth. Prints, in CPU-seconds and in wall time, the ratio as measured, at equal
work, and the true one.
"""

import json
import os
import subprocess
import sys
from copy import copy
from pathlib import Path
from statistics import fmean
from typing import Any

from whisper_bench.case.clip import load_clip
from whisper_bench.stats.welch import log_mean, ratio_of
from whisper_bench.worker.engine import LoadedModel, Transcription, load_model, run_benchmark

CLIP = Path(__file__).parent.parent / "audio" / "vi_30s.wav"
END_OF_TEXT, LAST_SPECIAL = 50257, 51865
OTHER = ("ONEDNN_MAX_CPU_ISA=SSE41",)
FORCED_TOKENS, PROMPT_TOKENS = 197, 3


class ForcedModel(LoadedModel):
    """A model that decodes FORCED_TOKENS tokens, whatever it hears."""

    def _options(self, language: str | None) -> dict[str, Any]:
        return {
            **super()._options(language),
            "suppress_tokens": [-1, *range(END_OF_TEXT, LAST_SPECIAL)],
            # faster-whisper and CTranslate2 count the prompt twice: half of the sum comes out
            "max_new_tokens": 2 * FORCED_TOKENS - PROMPT_TOKENS,
        }


def measure(rounds: int) -> None:
    """Print the rounds of this process as JSON: as always, and forced."""
    clip = load_clip(CLIP)
    model = load_model("base", threads=1)
    forced = copy(model)
    forced.__class__ = ForcedModel
    lines = {}
    for name, one in (("natural", model), ("forced", forced)):
        list(run_benchmark(one, clip, 1))
        lines[name] = [_figures(measured) for measured in run_benchmark(one, clip, rounds)]
    print(json.dumps(lines))


def _figures(measured: Transcription) -> dict[str, float]:
    split = measured.split
    assert split is not None
    return {
        "tokens": measured.tokens,
        "wall": measured.wall_s,
        "CPU": measured.cpu_s,
        "wall a token": split.decode_s / measured.tokens,
        "CPU a token": split.decode_cpu_s / measured.tokens,
    }


def process(rounds: int, variables: dict[str, str]) -> dict[str, dict[str, float]]:
    """Return the means of a fresh process."""
    done = subprocess.run(
        [sys.executable, __file__, "measure", str(rounds)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **variables},
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    lines = json.loads(done.stdout.splitlines()[-1])
    return {
        name: {key: fmean(row[key] for row in rows) for key in rows[0]}
        for name, rows in lines.items()
    }


def main() -> None:
    """Measure both kernels in alternation and print the ratios."""
    processes, rounds = (int(word) for word in (*sys.argv[1:3], *("5", "2")[len(sys.argv) - 1 :]))
    variables = dict(word.split("=", 1) for word in sys.argv[3:] or OTHER)
    sides: tuple[list[Any], list[Any]] = ([], [])
    for number in range(processes):
        for side, changed in zip(sides, ({}, variables), strict=True):
            side.append(process(rounds, changed))
            print(number + 1, changed, side[-1], file=sys.stderr, flush=True)
    tokens = [side[0]["natural"]["tokens"] for side in sides]
    print(
        f"tokens {tokens[0]:g} and {tokens[1]:g}, {processes} processes of {rounds} rounds a side"
    )
    for clock in ("CPU", "wall"):
        moved = [
            mean["natural"][clock] + (tokens[0] - tokens[1]) * mean["natural"][f"{clock} a token"]
            for mean in sides[1]
        ]
        here, there, forced_here, forced_there = (
            log_mean([mean[kind][clock] for mean in side])
            for kind in ("natural", "forced")
            for side in sides
        )
        for name, above, below in (
            ("as measured", there, here),
            ("at equal work", log_mean(moved), here),
            ("forced", forced_there, forced_here),
        ):
            print(f"{clock:>5}  {name:<14} {ratio_of(above, below)}")


if __name__ == "__main__":
    measure(int(sys.argv[2])) if sys.argv[1:2] == ["measure"] else main()
