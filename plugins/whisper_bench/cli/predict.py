"""`whisper-bench predict NEW_M4_RUN`: what the target will do, by a kept ratio."""

import argparse
import math
from pathlib import Path

from whisper_bench.cli.arguments import add_allow_mismatch, add_saved_run
from whisper_bench.errors import BenchError


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "predict",
        help="what the Xeon will do, from a new M4 run and ratio_config.json",
        description="Latency and requests/s on the ratio's target, each with the interval that the "
        "mean of a run there falls into. Refuses a stale or foreign ratio (exits 1).",
    )
    add_saved_run(parser)
    parser.add_argument(
        "--ratio-config",
        type=Path,
        default=Path("benchmark_results/ratio_config.json"),
        metavar="FILE",
        help="the ratio (%(default)s)",
    )
    parser.add_argument(
        "--max-age-days",
        metavar="DAYS",
        help="age of the ratio's older run above which it is stale (90)",
    )
    add_allow_mismatch(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Predict every case that the run measured."""
    from whisper_bench.cli.show import show_json, show_lines
    from whisper_bench.ratio.config import MOST_DAYS, load_config
    from whisper_bench.ratio.load import load_run
    from whisper_bench.ratio.predict import predict
    from whisper_bench.ratio.text import prediction_lines

    most_days = MOST_DAYS if options.max_age_days is None else _days(options.max_age_days)
    report = predict(
        load_run(options.name, options.storage),
        load_config(options.ratio_config),
        most_days=most_days,
        allow_mismatch=options.allow_mismatch,
    )
    if options.json:
        show_json(report)
    else:
        show_lines(prediction_lines(report))
    return 0


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if not 0 <= days < math.inf:
        raise BenchError(f"--max-age-days {text}: give a number of days, 0 or more")
    return days
