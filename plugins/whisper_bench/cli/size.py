"""`whisper-bench size RUN`: how many Pods of what size, a report, and the Deployment in step."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from whisper_bench.cli.arguments import add_saved_run, most_days
from whisper_bench.cli.size_options import (
    DEPLOYMENT,
    add_demand,
    add_outputs,
    add_policy,
    add_source,
    sizer,
)
from whisper_bench.errors import BenchError

if TYPE_CHECKING:
    from whisper_bench.manifests.deployed import DeploymentFacts
    from whisper_bench.sizing.sizing_report import SizingReport

MOST_BYTES = 64 * 2**20
"""Of a manifest: more than any set of manifests has, and read in a moment."""


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "size",
        help="replicas, CPU, memory and threads for a load and a latency objective",
        description="From measured service times, by simulation. Writes sizing_report.md, "
        "sizing_report.html, and the Deployment in place. Exits 1 where nothing would do.",
    )
    add_saved_run(parser)
    add_demand(parser)
    add_policy(parser)
    add_source(parser)
    add_outputs(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Size, report, and bring the Deployment in step."""
    return _finish(options, report_of(options))


def report_of(options: argparse.Namespace) -> "SizingReport":
    """Return the sizing that is asked for; nothing is written.

    Raises:
        BenchError: the run or the ratio is not as it must be, or an option is none of its kind.

    """
    from whisper_bench.ratio.config import load_config
    from whisper_bench.ratio.load import facts_of_saved
    from whisper_bench.report.outputs import with_price
    from whisper_bench.saved.file import cases_of, read_saved
    from whisper_bench.saved.find import find_saved, save_name
    from whisper_bench.sizing.candidates import HardClips
    from whisper_bench.sizing.source import size_run

    if options.allow_mismatch and options.ratio_config is None:
        raise BenchError(
            "--allow-mismatch: nothing is compared without --ratio-config; leave it out"
        )
    price = _price(options)
    path = find_saved(options.name, options.storage)
    saved = read_saved(path)
    report = size_run(
        [case.record for case in cases_of(saved, str(path))],
        facts_of_saved(saved, save_name(path), str(path)),
        sizer(options),
        model=options.model,
        config=load_config(options.ratio_config) if options.ratio_config else None,
        production=options.production_architecture,
        concurrency=options.concurrency,
        hard=HardClips(options.hard_share, options.hard_factor),
        most_days=most_days(options),
        allow_mismatch=options.allow_mismatch,
        evidence=not options.check,
    )
    return report if price is None else with_price(report, *price)


class Edited(NamedTuple):
    """The Deployment's file as it is and as it should be, and what the Deployment is then."""

    old: str
    new: str
    path: Path
    facts: "DeploymentFacts"

    @property
    def diff(self) -> list[str]:
        """Lines of a diff; none where the file is as it should be."""
        from whisper_bench.manifests.deployment import deployment_diff

        return deployment_diff(self.old, self.new, str(self.path))


def out_of_step(options: argparse.Namespace, report: "SizingReport") -> Edited:
    """Return how the Deployment differs from the sizing; it is in step without diff and faults.

    Raises:
        BenchError: there is no Deployment, or it cannot be edited.

    """
    return _deployment(options, report) or _no_deployment(options, "--check")


def _price(options: argparse.Namespace) -> tuple[float, float] | None:
    """Return the price of a node's hour and its CPUs; misuse is told before anything is sized."""
    if (options.price_per_node_hour is None) != (options.cpus_per_node is None):
        raise BenchError(
            "--price-per-node-hour and --cpus-per-node are given together or not at all"
        )
    if options.price_per_node_hour is None:
        return None
    return options.price_per_node_hour, options.cpus_per_node


def _finish(options: argparse.Namespace, report: "SizingReport") -> int:
    from whisper_bench.cli.show import show_json, show_lines
    from whisper_bench.files.replacement import write_all_over
    from whisper_bench.report.outputs import report_pages
    from whisper_bench.report.text import sizing_lines

    if options.check and not report.sizing.feasible:
        show_json(_answer(report)) if options.json else show_lines(sizing_lines(report))
        return 1
    if options.check:
        return _check(options, report, out_of_step(options, report))
    edited = _deployment(options, report)
    if edited is None and options.hpa and report.sizing.feasible:
        _no_deployment(options, "--hpa")
    if edited is not None:
        report = _of_deployment(options, report, edited)
    outputs = report_pages(report, options.output)
    if edited is not None:
        outputs |= {} if edited.old == edited.new else {edited.path: edited.new.encode()}
    write_all_over(outputs, option="--output, --deployment")
    written = [*map(str, outputs)]
    if options.json:
        show_json({**_answer(report), "files": written, "report": report})
    else:
        show_lines([*sizing_lines(report), *(f"wrote {path}" for path in written)])
    return int(not report.sizing.feasible)


def _check(options: argparse.Namespace, report: "SizingReport", edited: Edited) -> int:
    """Tell whether the Deployment is what the sizing says, in its figures and as a whole Pod."""
    from whisper_bench.cli.show import show_json, show_lines

    diff, facts = edited.diff, edited.facts
    in_step = not diff and not facts.faults
    if options.json:
        show_json({"in_step": in_step, "diff": diff, "deployment": facts, **_answer(report)})
    else:
        show_lines(
            [
                *diff,
                *(f"{edited.path}: {fault}" for fault in facts.faults),
                *([f"{edited.path} is what the sizing says"] if in_step else []),
                *(f"note: {note}" for note in facts.notes),
            ]
        )
    return int(not in_step)


def _of_deployment(
    options: argparse.Namespace, report: "SizingReport", edited: Edited
) -> "SizingReport":
    """Add what the Deployment is to the report, and price the whole Pod."""
    from whisper_bench.report.outputs import with_deployment, with_price

    report = with_deployment(report, edited.facts)
    price = _price(options)
    return report if price is None else with_price(report, *price)


def _answer(report: "SizingReport") -> dict[str, Any]:
    """Return what a program looks for first."""
    names = ("replicas", "cpu", "memory_mib", "threads", "feasible", "reason")
    return {name: getattr(report.sizing, name) for name in names}


def _deployment(options: argparse.Namespace, report: "SizingReport") -> Edited | None:
    """Return the Deployment as it is and as it should be; None where there is none to edit."""
    from whisper_bench.manifests.autoscaled import updated_autoscaler
    from whisper_bench.manifests.deployment import updated_deployment
    from whisper_bench.manifests.facts import deployment_facts
    from whisper_bench.report.outputs import sized

    path = options.deployment or DEPLOYMENT
    if not report.sizing.feasible or (options.deployment is None and not path.exists()):
        return None
    old = _text_of(path)
    fields, where, container = sized(report), str(path), options.container
    new = updated_deployment(old, fields, where, container=container)
    if options.hpa:
        new = updated_autoscaler(new, fields, where, container=container)
    return Edited(old, new, path, deployment_facts(new, fields, where, container=container))


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise BenchError(
                f"--deployment {path}: it is larger than {MOST_BYTES // 2**20} MiB; put the "
                "Deployment into a file of its own"
            )
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(f"--deployment {path}: {error}; name a Deployment's file") from error


def _no_deployment(options: argparse.Namespace, option: str) -> Any:
    raise BenchError(
        f"{option}: there is nothing to hold the sizing to: {options.deployment or DEPLOYMENT} is "
        "not there; name the file with --deployment"
    )
