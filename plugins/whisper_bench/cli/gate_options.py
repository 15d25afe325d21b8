"""The options of `whisper-bench gate`."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from whisper_bench.cli.arguments import (
    add_max_age,
    add_results,
    add_storage,
    add_suite_options,
    suite_options,
)
from whisper_bench.cli.k8s_options import time_s
from whisper_bench.errors import BenchError

if TYPE_CHECKING:
    from whisper_bench.gate.gate import Rules
    from whisper_bench.gate.side import Conditions, Side

SIDE_TEXT = (
    "an image (image:whisper-bench:main), a virtual environment (venv:.venv) or a command "
    "('.venv/bin/pytest benchmarks')"
)
NONE = "none"


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
        default="10%",
        metavar="SHARE",
        help="slowdown above which the candidate fails (%(default)s)",
    )
    parser.add_argument(
        "--max-pairs",
        metavar="N",
        help="pairs at most, an even number, 4 to 32 (32; the processes of the saved runs)",
    )
    parser.add_argument(
        "--rounds", metavar="N", help="rounds in each process (1; those of the saved runs)"
    )
    parser.add_argument(
        "--cpus", default="1", metavar="N", help="CPU limit of both sides, or none (%(default)s)"
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
        "--timeout", default="30m", metavar="TIME", help="of one process (%(default)s)"
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
        "--memory-limit", metavar="SIZE", help="what the peak must fit in, such as 448Mi"
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


def timeout_of(options: argparse.Namespace) -> float:
    """Return how long a process may take, in seconds.

    Raises:
        BenchError: it is no time, or none at all.

    """
    timeout_s = time_s(options.timeout, "--timeout")
    if timeout_s <= 0:
        raise BenchError(f"--timeout {options.timeout}: give a time above 0, such as 30m")
    return timeout_s


def check_sides(options: argparse.Namespace, *sides: "Side") -> None:
    """Refuse options that the sides would not heed.

    Raises:
        BenchError: it names the option.

    """
    from whisper_bench.gate.side import Kind

    if options.cpus == NONE and any(side.kind is Kind.IMAGE for side in sides):
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
    from whisper_bench.gate.sequential import BLOCK_PAIRS, LOOKS

    check_allowed(options.allow_mismatch)
    if options.max_age_days is not None and options.ratio_config is None:
        raise BenchError("--max-age-days: there is no ratio to hold to it; add --ratio-config FILE")
    return Rules(
        max_slowdown=_share(options.max_slowdown),
        most_pairs=_pairs(_or(options.max_pairs, LOOKS[-1]), LOOKS[0], LOOKS[-1], BLOCK_PAIRS),
        allow_mismatch=options.allow_mismatch,
        memory_limit_bytes=_bytes(options.memory_limit),
        cpus=_cpus(options.cpus),
    )


def conditions_of(options: argparse.Namespace) -> "Conditions":
    """Return what both sides run under.

    Raises:
        BenchError: an option is none of its kind.

    """
    from whisper_bench.gate.side import Conditions
    from whisper_bench.machine.identity import node_name

    return Conditions(
        cpus=_cpus(options.cpus),
        rounds=_whole(_or(options.rounds, 1), "--rounds", 1, 1000),
        suite=options.suite,
        engine=options.engine,
        node=node_name(),
        options=suite_options(options),
    )


def _share(text: str) -> float:
    number, percent, rest = text.strip().partition("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError:
        share = -1.0
    # 1 without a sign may be meant as one percent
    if rest or not 0 < share <= 1 or (share == 1 and not percent):
        raise BenchError(
            f"--max-slowdown {text}: give a share above 0 and up to 100 %, such as 10% or 0.1"
        )
    return share


def _or(given: str | None, default: int) -> str:
    """Return what was given, be it nothing but blank, or the default of an option left out."""
    return str(default) if given is None else given


def _whole(text: str, option: str, least: int, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text) or not least <= int(text) <= most:
        raise BenchError(f"{option} {text}: give a whole number, {least} to {most}")
    return int(text)


def _pairs(text: str, least: int, most: int, block: int) -> int:
    pairs = _whole(text, "--max-pairs", least, most)
    if pairs % block:
        raise BenchError(f"--max-pairs {text}: give an even number, since a block has two pairs")
    return pairs


def _cpus(text: str) -> float | None:
    if text == NONE:
        return None
    try:
        cpus = float(text)
    except ValueError:
        cpus = -1.0
    if not 0.01 <= cpus < float("inf"):  # noqa: PLR2004 - a period's least quota is 1 %
        raise BenchError(f"--cpus {text}: give a number of CPUs, 0.01 or more, or none")
    return cpus


def _bytes(text: str | None) -> int | None:
    from whisper_bench.pod.quantity import amount

    if text is None:
        return None
    value = amount(text)
    if value is None or value <= 0:
        raise BenchError(f"--memory-limit {text}: give a quantity of memory, such as 448Mi")
    return int(value)
