"""What the commands on a saved run have in common."""

import argparse
from pathlib import Path


def add_saved_run(parser: argparse.ArgumentParser) -> None:
    """Declare the saved run, where it is looked for, and --json."""
    parser.add_argument("name", help="save name (m4), number (0001), both, or a file's path")
    parser.add_argument(
        "--storage",
        type=Path,
        default=Path(".benchmarks"),
        metavar="DIR",
        help="where pytest-benchmark saves (%(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
