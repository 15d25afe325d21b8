"""The options of `whisper-bench gate`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from whisper_bench.cli.arguments import (
    add_max_age,
    add_results,
    add_storage,
    add_suite_options,
    suite_options,
)
from whisper_bench.cli.values import cpus, memory_bytes, share, some_seconds, whole_within
from whisper_bench.errors import BenchError

if TYPE_CHECKING:
    from whisper_bench.gate.gate import Rules
    from whisper_bench.gate.side import Conditions, Side

SIDE_TEXT = (
    "an image (image:whisper-bench:main), a virtual environment (venv:.venv) or a command "
    "('.venv/bin/pytest benchmarks')"
)


def add_gate(parser: argparse.ArgumentParser) -> None:
    """Declare what a gate takes."""
    parser.add_argument("baseline", metavar="BASELINE", help=f"{SIDE_TEXT}, or saved:NAME")
    parser.add_argument("candidate", metavar="CANDIDATE", help=SIDE_TEXT)
    add_suite_options(parser)
    _add_measuring(parser)
    _add_rules(parser)
    add_storage(parser)
    add_results(parser, "gate.json, gate.md and gate.xml go")


def _add_measuring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--max-slowdown",
        type=share,
        default="10%",
        metavar="SHARE",
        help="slowdown above which the candidate fails (%(default)s)",
    )
    parser.add_argument(
        "--max-pairs",
        type=_pairs,
        metavar="N",
        help="pairs at most, an even number, 4 to 32 (32; the processes of the saved runs)",
    )
    parser.add_argument(
        "--rounds",
        type=whole_within(1, 1000),
        metavar="N",
        help="rounds in each process (1; those of the saved runs)",
    )
    parser.add_argument(
        "--cpus",
        type=cpus,
        default="1",
        metavar="N",
        help="CPU limit of both sides, or none (%(default)s)",
    )
    parser.add_argument(
        "--suite",
        default="benchmarks",
        metavar="PATH",
        help="what an environment's pytest runs (%(default)s)",
    )
    parser.add_argument(
        "--engine", default="docker", metavar="COMMAND", help="what runs images (%(default)s)"
    )
    parser.add_argument(
        "--timeout",
        type=some_seconds,
        default="30m",
        metavar="TIME",
        help="of one process (%(default)s)",
    )


def _add_rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow-mismatch",
        action="append",
        default=[],
        metavar="FIELD",
        help="let this field differ, and record it (transcript, tokens, decoding.beam_size ...)",
    )
    parser.add_argument(
        "--memory-limit",
        type=memory_bytes,
        metavar="SIZE",
        help="what the peak must fit in, such as 448Mi",
    )
    parser.add_argument(
        "--sizing",
        metavar="ARGUMENTS",
        help="what the Deployment was sized with: it must be in step ('xeon --target-rps 2 ...')",
    )
    parser.add_argument(
        "--ratio-config",
        type=Path,
        metavar="FILE",
        help="a ratio_config.json that must be whole and fresh",
    )
    add_max_age(parser)
    parser.add_argument(
        "--on-no-evidence",
        choices=("fail", "warn"),
        default="fail",
        help="exit 3, or 0 with a warning, where there is none (%(default)s)",
    )


def saved_name(text: str) -> str | None:
    """Return the saved runs that a baseline names, None where it is to be measured.

    Raises:
        BenchError: it names none.

    """
    kind, _, name = text.partition(":")
    if kind != "saved":
        return None
    if not name:
        raise BenchError(f"{text} names no saved runs; write saved:main for those saved as main")
    return name


def check_sides(options: argparse.Namespace, *sides: "Side") -> None:
    """Refuse options that the sides would not heed.

    Raises:
        BenchError: it names the option.

    """
    from whisper_bench.gate.side import SideKind

    if options.cpus is None and any(side.kind is SideKind.IMAGE for side in sides):
        raise BenchError("--cpus none: an image demands a limit; give its number of CPUs")
    for option, given, what in (
        ("--rounds", options.rounds, "rounds"),
        ("--max-pairs", options.max_pairs, "processes"),
    ):
        if given is not None and saved_name(options.baseline):
            raise BenchError(
                f"{option} {given}: leave it out with saved runs, as many {what} as "
                "theirs are measured"
            )


def rules_of(options: argparse.Namespace) -> "Rules":
    """Return what the candidate is held to.

    Raises:
        BenchError: an option is none of its kind.

    """
    from whisper_bench.gate.checks import check_allowed
    from whisper_bench.gate.gate import Rules
    from whisper_bench.gate.sequential import LOOKS

    check_allowed(options.allow_mismatch)
    if options.max_age_days is not None and options.ratio_config is None:
        raise BenchError("--max-age-days: there is no ratio to hold to it; add --ratio-config FILE")
    return Rules(
        max_slowdown=options.max_slowdown,
        most_pairs=LOOKS[-1] if options.max_pairs is None else options.max_pairs,
        allow_mismatch=options.allow_mismatch,
        memory_limit_bytes=options.memory_limit,
        cpus=options.cpus,
    )


def conditions_of(options: argparse.Namespace) -> "Conditions":
    """Return what both sides run under.

    Raises:
        BenchError: an option is none of its kind.

    """
    from whisper_bench.gate.side import Conditions
    from whisper_bench.machine.identity import node_name

    return Conditions(
        cpus=options.cpus,
        rounds=1 if options.rounds is None else options.rounds,
        suite=options.suite,
        engine=options.engine,
        node=node_name(),
        options=suite_options(options),
    )


def _pairs(text: str) -> int:
    from whisper_bench.gate.sequential import BLOCK_PAIRS, LOOKS

    pairs = whole_within(LOOKS[0], LOOKS[-1])(text)
    if pairs % BLOCK_PAIRS:
        raise BenchError("give an even number, since a block has two pairs")
    return pairs
