"""What several commands take."""

import argparse
from pathlib import Path

from whisper_bench.cli.values import days
from whisper_bench.errors import BenchError

NAME_TEXT = "save name (m4), number (0001), both, a pattern ('*m4'), or a file's path"


def add_saved_run(parser: argparse.ArgumentParser) -> None:
    """Declare the saved run, where it is looked for, and --json."""
    parser.add_argument("name", help=NAME_TEXT)
    add_storage(parser)


def add_storage(parser: argparse.ArgumentParser) -> None:
    """Declare where saved runs are looked for, and --json."""
    parser.add_argument(
        "--storage",
        type=Path,
        default=Path(".benchmarks"),
        metavar="DIR",
        help="where pytest-benchmark saves (%(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def add_results(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare the folder of results."""
    parser.add_argument("--results", type=Path, default=Path("benchmark_results"), metavar="DIR",
                        help=f"where {what} (%(default)s)")  # fmt: skip


def add_suite_options(parser: argparse.ArgumentParser) -> None:
    """Declare what goes on to the suite, behind --."""
    parser.add_argument("arguments", nargs="*", metavar="-- OPTION", help="options of the suite")


def suite_options(options: argparse.Namespace) -> list[str]:
    """Return what goes on to the suite.

    Raises:
        BenchError: it does not begin with an option.

    """
    arguments: list[str] = options.arguments
    for word in arguments[:1]:
        if not word.startswith("-"):
            raise BenchError(f"{word}: no option of the suite; write those behind --")
    return arguments


def add_allow_mismatch(parser: argparse.ArgumentParser) -> None:
    """Declare what may differ."""
    parser.add_argument(
        "--allow-mismatch",
        action="append",
        default=[],
        metavar="FIELD",
        help="let this field differ, and record it (versions, versions.numpy, cases ...); "
        "may be given more than once",
    )


def add_max_age(parser: argparse.ArgumentParser) -> None:
    """Declare when a kept ratio is stale."""
    parser.add_argument(
        "--max-age-days",
        type=days,
        metavar="DAYS",
        help="age of the ratio's older run above which it is stale (90)",
    )


def most_days(options: argparse.Namespace) -> float:
    """Return the age in days above which a kept ratio is stale."""
    from whisper_bench.ratio.config import MOST_DAYS

    return MOST_DAYS if options.max_age_days is None else float(options.max_age_days)
