"""The options of `whisper-bench gate`."""

import argparse
import os
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
    """Declare the options of a gate."""
    parser.add_argument("baseline", metavar="BASELINE", help=f"{SIDE_TEXT}, or saved:NAME")
    parser.add_argument("candidate", metavar="CANDIDATE", help=SIDE_TEXT)
    add_suite_options(parser)
    _add_measuring(parser)
    _add_rules(parser)
    add_storage(parser)
    add_results(parser, "gate.json, gate.md and gate.xml")


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
        help="most pairs, an even number, 4 to 32 (32; with saved: as the saved runs)",
    )
    parser.add_argument(
        "--rounds",
        type=whole_within(1, 1000),
        metavar="N",
        help="rounds in each process (1; with saved: as the saved runs)",
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
        "--engine",
        default="docker",
        metavar="COMMAND",
        help="program that runs images (%(default)s)",
    )
    parser.add_argument(
        "--timeout",
        type=some_seconds,
        default="30m",
        metavar="TIME",
        help="longest time of one process (%(default)s)",
    )


def _add_rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow-mismatch",
        action="append",
        default=[],
        metavar="FIELD",
        help="field that may differ; it is recorded (transcript, tokens, decoding.beam_size ...)",
    )
    parser.add_argument(
        "--memory-limit",
        type=memory_bytes,
        metavar="SIZE",
        help="limit for the peak memory, such as 448Mi",
    )
    parser.add_argument(
        "--sizing",
        metavar="ARGUMENTS",
        help="arguments of the sizing that the Deployment must match ('xeon --target-rps 2 ...')",
    )
    parser.add_argument(
        "--ratio-config",
        type=Path,
        metavar="FILE",
        help="a ratio_config.json that must be complete and not too old",
    )
    add_max_age(parser)
    parser.add_argument(
        "--on-no-evidence",
        choices=("fail", "warn"),
        default="fail",
        help="without evidence: exit 3 (fail), or 0 with a warning (warn) (%(default)s)",
    )


def saved_name(text: str) -> str | None:
    """Return the saved runs that a baseline names, None if it must be measured.

    Raises:
        BenchError: it names none.

    """
    kind, _, name = text.partition(":")
    if kind != "saved":
        return None
    if not name:
        raise BenchError(f"{text}: no save name; write saved:main for the runs saved as main")
    return name


def check_sides(options: argparse.Namespace, *sides: "Side") -> None:
    """Refuse options that do not apply to the sides.

    Raises:
        BenchError: it names the option.

    """
    from whisper_bench.gate.side import SideKind

    if options.cpus is None and any(side.kind is SideKind.IMAGE for side in sides):
        raise BenchError("--cpus none: an image needs a limit; give a number of CPUs")
    for option, given, what in (
        ("--rounds", options.rounds, "rounds"),
        ("--max-pairs", options.max_pairs, "processes"),
    ):
        if given is not None and saved_name(options.baseline):
            raise BenchError(
                f"{option} {given}: leave it out with saved runs: the gate measures as many "
                f"{what} as they have"
            )


def rules_of(options: argparse.Namespace) -> "Rules":
    """Return the limits for the candidate.

    Raises:
        BenchError: an option's value is invalid.

    """
    from whisper_bench.gate.checks import check_allowed
    from whisper_bench.gate.gate import Rules
    from whisper_bench.gate.sequential import LOOKS

    check_allowed(options.allow_mismatch)
    if options.max_age_days is not None and options.ratio_config is None:
        raise BenchError("--max-age-days: there is no ratio to check; add --ratio-config FILE")
    return Rules(
        max_slowdown=options.max_slowdown,
        most_pairs=LOOKS[-1] if options.max_pairs is None else options.max_pairs,
        allow_mismatch=options.allow_mismatch,
        memory_limit_bytes=options.memory_limit,
        cpus=options.cpus,
        tree_seen=_tree_seen(),
    )


def _tree_seen() -> bool:
    """Return whether the control groups of this machine's containers are known from here."""
    from whisper_bench.machine.cpu_limit import WHOLE_TREE, cpu_limit_in_force

    local = (os.environ.get("DOCKER_HOST") or "unix://").startswith("unix://")
    return local and cpu_limit_in_force().tree == WHOLE_TREE


def conditions_of(options: argparse.Namespace) -> "Conditions":
    """Return the conditions for both sides.

    Raises:
        BenchError: an option's value is invalid.

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
