"""Hold prices of clips of any length to what those clips took.

    python audio/make_clips.py lengths 5 10 15 60 120
    for n in 1 2 3 4 5; do
        pytest benchmarks --benchmark-save=lengths --whisper-rounds=2 --whisper-processes=1 \
            --whisper-clip=audio/vi_5s.wav,audio/vi_10s.wav,audio/vi_15s.wav,audio/vi_30s.wav,...
    done
    python benchmarks/length_prediction.py lengths [STORAGE]

Short runs of one name, one after another: a machine whose speed drifts is then as slow for each
clip, since all runs of the name are taken together.

Prints for each clip what it took, and how far off is a price from the 30 s clip's window and token,
from two constants fitted over 5, 30 and 60 s, and from counting windows of 30 s alone. Tokens are
those that each clip was decoded to, and, in the columns that say so, the 30 s clip's a second.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from whisper_bench.ratio.audio import fitted
from whisper_bench.ratio.load import load_run
from whisper_bench.ratio.merge import merge_runs
from whisper_bench.ratio.run import RunCase, RunWork
from whisper_bench.saved.find import STORAGE, every_saved
from whisper_bench.text.table import table_lines

FITTED_S = (5.0, 30.0, 60.0)
STANDARD_S = 30.0
_HEAD = (
    *("clip", "tokens", "measured", "30 s clip", "30 s clip, its tokens/s"),
    *("fitted 5, 30, 60 s", "windows alone"),
)


def work_of(case: RunCase) -> RunWork:
    """Return the work of a case, which must be split."""
    if case.work is None:
        raise SystemExit(f"{case.label}: not split; measure it again")
    return case.work


def rows(cases: Sequence[RunCase], clock: str) -> list[tuple[str, ...]]:
    """Return a row a clip; `clock` is wall or cpu."""
    standard = next(case for case in cases if work_of(case).audio_s == STANDARD_S)
    rate = standard.identity.tokens / STANDARD_S
    window_s, token_s, fit_window_s, fit_token_s = _constants(cases, standard, clock)
    table = []
    for case in cases:
        work, tokens = work_of(case), case.identity.tokens
        took_s = _took_s(case, clock)
        prices_s = (
            work.windows * window_s + tokens * token_s,
            work.windows * window_s + work.audio_s * rate * token_s,
            work.windows * fit_window_s + tokens * fit_token_s,
            work.windows * _took_s(standard, clock),
        )
        off = (f"{price_s / took_s - 1:+.1%}" for price_s in prices_s)
        table.append((f"{work.audio_s:g} s", f"{tokens}", f"{took_s:.3f} s", *off))
    return table


def _constants(
    cases: Sequence[RunCase], standard: RunCase, clock: str
) -> tuple[float, float, float, float]:
    """Return seconds a window and a token: of the standard clip, and fitted."""
    fitting = [case for case in cases if work_of(case).audio_s in FITTED_S]
    works = [work_of(case) for case in fitting]
    if clock == "cpu":
        fit = fitted([_on_cpu(case) for case in fitting], works)
        token_s = _mean([mean.token_s for run in work_of(standard).times for mean in run.cpu])
    else:
        fit = fitted(fitting, works)
        token_s = work_of(standard).token.processes.value
    if fit is None:
        raise SystemExit("the clips cannot be fitted; measure those of 5, 30 and 60 s")
    window_s = _took_s(standard, clock) - standard.identity.tokens * token_s
    return window_s / work_of(standard).windows, token_s, fit.window_s, fit.token_s


def _on_cpu(case: RunCase) -> RunCase:
    """Return a case whose CPU-seconds stand in the place of its latency."""
    import msgspec

    return case if case.cpu is None else msgspec.structs.replace(case, latency=case.cpu)


def _took_s(case: RunCase, clock: str) -> float:
    samples = case.cpu if clock == "cpu" and case.cpu is not None else case.latency
    return samples.processes.value


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def main() -> None:
    """Print both tables."""
    storage = Path(sys.argv[2]) if len(sys.argv) > 2 else STORAGE  # noqa: PLR2004
    runs = [load_run(str(path)) for path in every_saved(sys.argv[1], storage)]
    run = runs[0] if len(runs) == 1 else merge_runs(runs)
    cases = sorted(run.cases, key=lambda case: work_of(case).audio_s)
    for clock in ("wall", "cpu"):
        print(f"{clock} time, {run.facts.cpu_model}")
        print(*table_lines([_HEAD, *rows(cases, clock)]), sep="\n")


if __name__ == "__main__":
    main()
