"""`whisper-bench size RUN`: how many Pods of what size, a report, and the Deployment updated."""

import argparse
from typing import TYPE_CHECKING, Any

from whisper_bench.cli.arguments import add_saved_run, most_days
from whisper_bench.cli.size_options import (
    DEPLOYMENT,
    add_demand,
    add_outputs,
    add_policy,
    add_source,
    demand_of,
)
from whisper_bench.errors import BenchError

if TYPE_CHECKING:
    from whisper_bench.report.deployment import Edited
    from whisper_bench.sizing.price import NodePrice
    from whisper_bench.sizing.sizing_report import SizingReport


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "size",
        help="replicas, CPU, memory and threads for a load and a latency objective",
        description="Simulates with measured service times. Writes sizing_report.md and "
        "sizing_report.html, and edits the Deployment in place. Exits 1 if infeasible.",
    )
    add_size(parser)
    parser.set_defaults(run=run)


def add_size(parser: argparse.ArgumentParser) -> None:
    """Declare the command's run and options."""
    add_saved_run(parser)
    add_demand(parser)
    add_policy(parser)
    add_source(parser)
    add_outputs(parser)


def run(options: argparse.Namespace) -> int:
    """Size, report, and update the Deployment; with --check only compare."""
    return _check(options) if options.check else _size(options, _price(options))


def report_of(options: argparse.Namespace, *, evidence: bool) -> "SizingReport":
    """Return the sizing; nothing is written.

    Raises:
        BenchError: the run, the ratio or an option's value is invalid.

    """
    from whisper_bench.ratio.config import load_config
    from whisper_bench.sizing.candidates import HardClips
    from whisper_bench.sizing.source import saved_run, size_run

    return size_run(
        *saved_run(options.name, options.storage),
        demand_of(options),
        model=options.model,
        config=load_config(options.ratio_config) if options.ratio_config else None,
        production=options.production_architecture,
        hard=HardClips(options.hard_share, options.hard_factor),
        most_days=most_days(options),
        allow_mismatch=options.allow_mismatch,
        evidence=evidence,
        slowdown=options.assume_slowdown,
    )


def checked(options: argparse.Namespace) -> "tuple[SizingReport, Edited | None]":
    """Size, and edit the Deployment in memory; it is None if the sizing is infeasible.

    Raises:
        BenchError: as `report_of`, or there is no Deployment, or it cannot be edited, or its Pod
            does not fit on the node whose price is given.

    """
    from whisper_bench.report.outputs import with_deployment
    from whisper_bench.sizing.price import with_price

    price = _price(options)
    report = report_of(options, evidence=False)
    if not report.sizing.feasible:
        return report, None
    edited = _deployment(options, report)
    if edited is None:
        raise _no_deployment(options, "--check")
    if price is not None:
        with_price(with_deployment(report, edited.facts), price)
    return report, edited


def _price(options: argparse.Namespace) -> "NodePrice | None":
    """Return the price of a node; misuse is refused before anything is sized."""
    if options.price_per_node_hour is None:
        return None
    if options.cpus_per_node is None:
        raise BenchError(
            f"--price-per-node-hour {options.price_per_node_hour:g}: how many Pods share it is not "
            "known; give the node's --cpus-per-node too"
        )
    from whisper_bench.sizing.price import NodePrice

    return NodePrice(options.price_per_node_hour, options.cpus_per_node)


def _size(options: argparse.Namespace, price: "NodePrice | None") -> int:
    """Size, update the Deployment, and write the reports."""
    from whisper_bench.cli.show import show_json, show_lines
    from whisper_bench.files.replacement import write_all_over
    from whisper_bench.report.outputs import report_pages, with_deployment
    from whisper_bench.report.text import sizing_lines
    from whisper_bench.sizing.price import with_price

    report = report_of(options, evidence=True)
    feasible = report.sizing.feasible
    edited = _deployment(options, report) if feasible else None
    if feasible and edited is None and options.hpa:
        raise _no_deployment(options, "--hpa")
    if edited is not None:
        report = with_deployment(report, edited.facts)
    if price is not None:
        report = with_price(report, price)
    outputs = report_pages(report, options.output)
    if edited is not None and edited.old != edited.new:
        outputs[edited.path] = edited.new.encode()
    write_all_over(outputs, option="--output, --deployment")
    written = [*map(str, outputs)]
    if options.json:
        show_json({**_answer(report), "files": written, "report": report})
    else:
        show_lines([*sizing_lines(report), *(f"wrote {path}" for path in written)])
    return int(not feasible)


def _check(options: argparse.Namespace) -> int:
    """Return 1 if the Deployment differs from the sizing, in its fields or as a whole Pod."""
    from whisper_bench.cli.show import show_json, show_lines
    from whisper_bench.report.text import sizing_lines

    report, edited = checked(options)
    if edited is None:
        show_json(_answer(report)) if options.json else show_lines(sizing_lines(report))
        return 1
    diff, facts = edited.diff, edited.facts
    in_step = not diff and not facts.faults
    if options.json:
        show_json({"in_step": in_step, "diff": diff, "deployment": facts, **_answer(report)})
    else:
        show_lines(
            [
                *diff,
                *(f"{edited.path}: {fault}" for fault in facts.faults),
                *([f"{edited.path} matches the sizing"] if in_step else []),
                *(f"note: {note}" for note in facts.notes),
            ]
        )
    return int(not in_step)


def _answer(report: "SizingReport") -> dict[str, Any]:
    """Return the main figures, first in the JSON."""
    names = ("replicas", "cpu", "memory_mib", "threads", "feasible", "reason")
    return {name: getattr(report.sizing, name) for name in names}


def _deployment(options: argparse.Namespace, report: "SizingReport") -> "Edited | None":
    """Return the Deployment as it is and as it should be; None if there is no file."""
    from whisper_bench.report.deployment import edited_deployment

    path = options.deployment or DEPLOYMENT
    if options.deployment is None and not path.exists():
        return None
    return edited_deployment(report, path, container=options.container, hpa=options.hpa)


def _no_deployment(options: argparse.Namespace, option: str) -> BenchError:
    return BenchError(
        f"{option}: there is no Deployment {options.deployment or DEPLOYMENT}; pass its file with "
        "--deployment"
    )
