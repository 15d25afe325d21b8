"""`whisper-bench size RUN`: how many Pods of what size, a report, and the Deployment in step."""

import argparse
import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whisper_bench.cli.arguments import add_allow_mismatch, add_saved_run
from whisper_bench.errors import BenchError
from whisper_bench.files import write_over

if TYPE_CHECKING:
    from whisper_bench.sizing.demand import Objective
    from whisper_bench.sizing.report import SizingReport
    from whisper_bench.sizing.source import Sizer

DEPLOYMENT = Path("k8s/deployment.yaml")
BALANCINGS = ("shared", "least-outstanding", "round-robin", "random")


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "size",
        help="replicas, CPU, memory and threads for a load and a latency objective",
        description="From measured service times, by simulation. Writes sizing_report.md, "
        "sizing_report.html, and the Deployment in place. Exits 1 where nothing would do.",
    )
    add_saved_run(parser)
    _add_demand(parser)
    _add_policy(parser)
    _add_source(parser)
    _add_outputs(parser)
    parser.set_defaults(run=run)


def _add_demand(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target-rps", required=True, metavar="RPS", help="peak requests a second")
    slo = parser.add_mutually_exclusive_group()
    slo.add_argument("--slo-p95", metavar="TIME", help="95 %% are answered within, such as 5s")
    slo.add_argument("--slo-p99", metavar="TIME", help="99 %% are answered within")
    parser.add_argument(
        "--burstiness",
        default="1",
        metavar="CV2",
        help="squared coefficient of variation of the times between arrivals (1: Poisson)",
    )
    parser.add_argument(
        "--audio",
        default="30s:1",
        metavar="MIX",
        help="lengths of the audio with their shares, such as 30s:0.7,90s:0.3 (%(default)s)",
    )
    parser.add_argument(
        "--hard-share",
        default="0",
        metavar="SHARE",
        help="share of clips that decoding falls back on",
    )
    parser.add_argument(
        "--hard-factor", default="8", metavar="TIMES", help="how many times as long those take (8)"
    )


def _add_policy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--balancing",
        choices=BALANCINGS,
        default="random",
        help="how a request finds a Pod (random)",
    )
    parser.add_argument(
        "--concurrency", default="1", metavar="N", help="requests that a Pod takes at a time (1)"
    )
    parser.add_argument(
        "--max-utilisation", default="0.8", metavar="SHARE", help="ceiling (%(default)s)"
    )
    parser.add_argument(
        "--spare-pods", default="1", metavar="N", help="Pods that may be gone (%(default)s)"
    )


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="the model, where the run has several")
    parser.add_argument(
        "--ratio-config", type=Path, metavar="FILE", help="the run is an M4's: size on this ratio"
    )
    parser.add_argument(
        "--max-age-days", metavar="DAYS", help="age at which the ratio is stale (90)"
    )
    parser.add_argument(
        "--production-architecture",
        choices=("x86_64", "ARM64"),
        default="x86_64",
        help="what the run must be of, without a ratio (%(default)s)",
    )
    add_allow_mismatch(parser)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output", type=Path, default=Path(), metavar="DIR", help="where the reports go (here)"
    )
    parser.add_argument(
        "--deployment", type=Path, metavar="FILE", help=f"Deployment to edit ({DEPLOYMENT})"
    )
    parser.add_argument("--container", metavar="NAME", help="its container, where it has several")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 where the Deployment differs"
    )
    parser.add_argument(
        "--price-per-node-hour", metavar="PRICE", help="to tell the cost of an hour of audio"
    )
    parser.add_argument("--cpus-per-node", metavar="N", help="CPUs that a node of that price has")
    parser.add_argument("--seed", type=int, default=0, help="of the simulation (%(default)s)")


def run(options: argparse.Namespace) -> int:
    """Size, report, and bring the Deployment in step."""
    from whisper_bench.ratio.config import MOST_DAYS, load_config
    from whisper_bench.ratio.load import facts_of_saved
    from whisper_bench.saved.file import cases_of, read_saved
    from whisper_bench.saved.find import find_saved, save_name
    from whisper_bench.sizing.source import HardClips, size_run

    path = find_saved(options.name, options.storage)
    saved = read_saved(path)
    report = size_run(
        [case.record for case in cases_of(saved, str(path))],
        facts_of_saved(saved.machine_info, save_name(path), str(path), saved.datetime),
        _sizer(options),
        model=options.model,
        config=load_config(options.ratio_config) if options.ratio_config else None,
        production=options.production_architecture,
        concurrency=int(_number(options, "concurrency")),
        hard=HardClips(_number(options, "hard_share"), _number(options, "hard_factor")),
        most_days=_number(options, "max_age_days") if options.max_age_days else MOST_DAYS,
        allow_mismatch=options.allow_mismatch,
        evidence=not options.check,
    )
    return _finish(options, _priced(options, report))


def _priced(options: argparse.Namespace, report: "SizingReport") -> "SizingReport":
    from whisper_bench.sizing.outputs import with_price

    if (options.price_per_node_hour is None) != (options.cpus_per_node is None):
        raise BenchError(
            "--price-per-node-hour and --cpus-per-node are given together or not at all"
        )
    if options.price_per_node_hour is None:
        return report
    return with_price(
        report, _number(options, "price_per_node_hour"), _number(options, "cpus_per_node")
    )


def _finish(options: argparse.Namespace, report: "SizingReport") -> int:
    from whisper_bench.cli.show import show_json, show_lines
    from whisper_bench.manifests.deployment import deployment_diff
    from whisper_bench.report.text import sizing_lines
    from whisper_bench.sizing.outputs import generate_report

    deployment = _deployment(options, report)
    if options.check:
        old, new, path = deployment or _no_deployment(options)
        diff = deployment_diff(old, new, str(path))
        if options.json:
            show_json({"in_step": not diff, "diff": diff, **_answer(report)})
        else:
            show_lines(diff or [f"{path} is what the sizing says"])
        return int(bool(diff) or not report.sizing.feasible)
    written = generate_report(report, options.output)
    if deployment is not None:
        old, new, path = deployment
        written.append(path if old == new else write_over(path, new.encode()))
    if options.json:
        show_json({**_answer(report), "files": list(map(str, written)), "report": report})
    else:
        show_lines([*sizing_lines(report), *(f"wrote {path}" for path in written)])
    return int(not report.sizing.feasible)


def _answer(report: "SizingReport") -> dict[str, Any]:
    """Return what a program looks for first."""
    names = ("replicas", "cpu", "memory_mib", "threads", "feasible", "reason")
    return {name: getattr(report.sizing, name) for name in names}


def _deployment(
    options: argparse.Namespace, report: "SizingReport"
) -> tuple[str, str, Path] | None:
    """Return the Deployment as it is and as it should be; None where there is none to edit."""
    from whisper_bench.manifests.deployment import updated_deployment
    from whisper_bench.sizing.outputs import sized

    path = options.deployment or DEPLOYMENT
    if not report.sizing.feasible or (options.deployment is None and not path.exists()):
        return None
    try:
        old = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(f"--deployment {path}: {error}; name a Deployment's file") from error
    return old, updated_deployment(old, sized(report), str(path), container=options.container), path


def _no_deployment(options: argparse.Namespace) -> Any:
    raise BenchError(
        f"--check: there is nothing to hold the sizing to: {options.deployment or DEPLOYMENT} is "
        "not there, or the sizing is infeasible; name the file with --deployment"
    )


def _sizer(options: argparse.Namespace) -> "Sizer":
    from whisper_bench.sizing.calculate import calculate_sizing
    from whisper_bench.sizing.demand import Policy
    from whisper_bench.sizing.simulate import Balancing

    return partial(
        calculate_sizing,
        _number(options, "target_rps"),
        objective=_objective(options),
        policy=Policy(
            balancing=Balancing(options.balancing),
            concurrency=int(_number(options, "concurrency")),
            max_utilisation=_number(options, "max_utilisation"),
            spare_pods=int(_number(options, "spare_pods")),
        ),
        burstiness=_number(options, "burstiness"),
        windows=_windows(options.audio),
        seed=options.seed,
    )


def _objective(options: argparse.Namespace) -> "Objective | None":
    from whisper_bench.sizing.demand import Objective, seconds

    for percent, text in ((95.0, options.slo_p95), (99.0, options.slo_p99)):
        if text is not None:
            return Objective(percent, seconds(text))
    return None


def _windows(text: str) -> dict[int, float]:
    """Read a mix of audio lengths: shares by the 30 s windows that each takes."""
    from whisper_bench.sizing.demand import seconds

    found: dict[int, float] = {}
    for word in text.split(","):
        length, _, share = word.partition(":")
        try:
            windows, part = math.ceil(seconds(length) / 30), float(share or 1)
        except ValueError:
            raise BenchError(f"--audio {text}: write it as 30s:0.7,90s:0.3") from None
        found[windows] = found.get(windows, 0.0) + part
    return found


def _number(options: argparse.Namespace, name: str) -> float:
    text = getattr(options, name)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    whole = name in {"concurrency", "spare_pods"}
    if not math.isfinite(value) or (whole and value != int(value)):
        kind = "whole number" if whole else "number"
        raise BenchError(f"--{name.replace('_', '-')} {text}: give a {kind}")
    return value
