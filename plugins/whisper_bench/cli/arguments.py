"""Options that several commands share."""

import argparse
from pathlib import Path

from whisper_bench.cli.values import days
from whisper_bench.errors import BenchError

NAME_TEXT = "save name (m4), number (0001), both, a pattern ('*m4'), or a file's path"


def add_saved_run(parser: argparse.ArgumentParser) -> None:
    """Declare the saved run, the folder of saved runs, and --json."""
    parser.add_argument("name", help=NAME_TEXT)
    add_storage(parser)


def add_storage(parser: argparse.ArgumentParser) -> None:
    """Declare the folder of saved runs, and --json."""
    parser.add_argument(
        "--storage",
        type=Path,
        default=Path(".benchmarks"),
        metavar="DIR",
        help="folder of saved runs (%(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def add_results(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare the folder of results."""
    parser.add_argument("--results", type=Path, default=Path("benchmark_results"), metavar="DIR",
                        help=f"folder of {what} (%(default)s)")  # fmt: skip


def add_suite_options(parser: argparse.ArgumentParser) -> None:
    """Declare the suite's own options, after --."""
    parser.add_argument("arguments", nargs="*", metavar="-- OPTION", help="options for the suite")


def suite_options(options: argparse.Namespace) -> list[str]:
    """Return the suite's own options.

    Raises:
        BenchError: it does not begin with an option.

    """
    arguments: list[str] = options.arguments
    for word in arguments[:1]:
        if not word.startswith("-"):
            raise BenchError(f"{word}: not an option of the suite; put those after --")
    return arguments


def add_allow_mismatch(parser: argparse.ArgumentParser) -> None:
    """Declare the fields that may differ."""
    parser.add_argument(
        "--allow-mismatch",
        action="append",
        default=[],
        metavar="FIELD",
        help="field that may differ; it is recorded (versions, versions.numpy, cases ...); "
        "may be repeated",
    )


def add_max_age(parser: argparse.ArgumentParser) -> None:
    """Declare when a saved ratio is too old."""
    parser.add_argument(
        "--max-age-days",
        type=days,
        metavar="DAYS",
        help="most days that the ratio's older run may be old (90)",
    )


def most_days(options: argparse.Namespace) -> float:
    """Return the most days that a saved ratio may be old."""
    from whisper_bench.ratio.config import MOST_DAYS

    return MOST_DAYS if options.max_age_days is None else float(options.max_age_days)
