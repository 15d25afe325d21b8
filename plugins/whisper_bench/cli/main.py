"""The commands, and how an error leaves the command line."""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from whisper_bench.cli import k8s, predict, ratio, results, size, throttling, weights
from whisper_bench.cli.show import show_json
from whisper_bench.errors import BenchError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 for yes, 1 for a no, 2 for misuse."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except BenchError as error:
        print(f"whisper-bench {options.command}: {error}", file=sys.stderr)  # noqa: T201
        if options.json:
            show_json({"error": str(error), **error.facts})
        return error.exit_status
    except ModuleNotFoundError as error:
        print(  # noqa: T201 - as above
            f"whisper-bench {options.command}: {error.name} is not installed; this command needs "
            "the whole package: pip install pytest-whisper-bench (the image only measures)",
            file=sys.stderr,
        )
        return 2
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="whisper-bench",
        description="Decide from real measurements how much Kubernetes a Whisper service needs.",
    )
    parser.add_argument("--version", action="version", version=version("pytest-whisper-bench"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (results, throttling, ratio, predict, size, k8s, weights):
        command.declare(commands)
    return parser
