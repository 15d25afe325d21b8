"""`whisper-bench predict NEW_M4_RUN`: the target's latency, by a saved ratio."""

import argparse
from pathlib import Path

from whisper_bench.cli.arguments import add_allow_mismatch, add_max_age, add_saved_run, most_days
from whisper_bench.cli.values import lengths, number_within
from whisper_bench.errors import BenchError
from whisper_bench.sizing.bounds import MOST_TOKENS_A_SECOND


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "predict",
        help="the Xeon's latency, from a new M4 run and ratio_config.json",
        description="Latency and requests/s on the ratio's target, each with a prediction interval "
        "for the mean of a run there. Exits 1 if the ratio is too old or of another machine.",
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
        "--audio",
        type=lengths,
        default=[],
        metavar="LENGTHS",
        help="also predict clips of these lengths, such as 5s,30s,2m",
    )
    parser.add_argument(
        "--tokens-per-second",
        type=number_within(0, MOST_TOKENS_A_SECOND, above=True),
        metavar="N",
        help="tokens that a second of their speech gives (as in the measured clips)",
    )
    add_max_age(parser)
    add_allow_mismatch(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Predict every case that the run measured, and the lengths that are asked for."""
    if options.tokens_per_second is not None and not options.audio:
        raise BenchError("--tokens-per-second: it is of the clips in --audio; give both")
    from whisper_bench.cli.show import show_json, show_lines
    from whisper_bench.ratio.config import load_config
    from whisper_bench.ratio.load import load_run
    from whisper_bench.ratio.predict import predict
    from whisper_bench.ratio.text import prediction_lines

    report = predict(
        load_run(options.name, options.storage),
        load_config(options.ratio_config),
        audio_s=options.audio,
        tokens_a_second=options.tokens_per_second,
        most_days=most_days(options),
        allow_mismatch=options.allow_mismatch,
    )
    if options.json:
        show_json(report)
    else:
        show_lines(prediction_lines(report))
    return 0
