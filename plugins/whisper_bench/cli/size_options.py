"""The options of `whisper-bench size`, and the question that they ask."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from whisper_bench.cli.arguments import add_allow_mismatch, add_max_age
from whisper_bench.cli.values import audio_mix, number, seconds, whole

if TYPE_CHECKING:
    from whisper_bench.sizing.demand import Demand, Objective

DEPLOYMENT = Path("k8s/deployment.yaml")
BALANCINGS = ("shared", "least-outstanding", "round-robin", "random")


def add_demand(parser: argparse.ArgumentParser) -> None:
    """Declare what is asked of the service."""
    parser.add_argument(
        "--target-rps", type=number, required=True, metavar="RPS", help="peak requests a second"
    )
    slo = parser.add_mutually_exclusive_group()
    slo.add_argument(
        "--slo-p95", type=seconds, metavar="TIME", help="95 %% are answered within, such as 5s"
    )
    slo.add_argument("--slo-p99", type=seconds, metavar="TIME", help="99 %% are answered within")
    parser.add_argument(
        "--burstiness",
        type=number,
        default=1.0,
        metavar="CV2",
        help="squared coefficient of variation of the times between arrivals (1: Poisson)",
    )
    parser.add_argument(
        "--audio",
        type=audio_mix,
        default="30s:1",
        metavar="MIX",
        help="lengths of the audio with their shares, such as 30s:0.7,90s:0.3 (%(default)s)",
    )
    parser.add_argument(
        "--hard-share",
        type=number,
        default=0.0,
        metavar="SHARE",
        help="share of clips that decoding falls back on",
    )
    parser.add_argument(
        "--hard-factor",
        type=number,
        default=8.0,
        metavar="TIMES",
        help="how many times as long those take (8)",
    )


def add_policy(parser: argparse.ArgumentParser) -> None:
    """Declare how it is run."""
    parser.add_argument(
        "--balancing",
        choices=BALANCINGS,
        default="random",
        help="how a request finds a Pod (random)",
    )
    parser.add_argument(
        "--concurrency",
        type=whole,
        default=1,
        metavar="N",
        help="requests that a Pod takes at a time (1)",
    )
    parser.add_argument(
        "--max-utilisation",
        type=number,
        default=0.8,
        metavar="SHARE",
        help="ceiling (%(default)s)",
    )
    parser.add_argument(
        "--spare-pods",
        type=whole,
        default=1,
        metavar="N",
        help="Pods that may be gone (%(default)s)",
    )


def add_source(parser: argparse.ArgumentParser) -> None:
    """Declare what is sized on."""
    parser.add_argument("--model", help="the model, where the run has several")
    parser.add_argument(
        "--ratio-config", type=Path, metavar="FILE", help="the run is an M4's: size on this ratio"
    )
    add_max_age(parser)
    parser.add_argument(
        "--production-architecture",
        choices=("x86_64", "ARM64"),
        default="x86_64",
        help="what the run must be of, without a ratio (%(default)s)",
    )
    add_allow_mismatch(parser)


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Declare what is written."""
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
        "--hpa",
        action="store_true",
        help="also edit the HorizontalPodAutoscaler of the Deployment, in the same file",
    )
    parser.add_argument(
        "--price-per-node-hour",
        type=number,
        metavar="PRICE",
        help="to tell the cost of an hour of audio",
    )
    parser.add_argument(
        "--cpus-per-node", type=number, metavar="N", help="CPUs that a node of that price has"
    )
    parser.add_argument("--seed", type=whole, default=0, help="of the simulation (%(default)s)")


def demand_of(options: argparse.Namespace) -> "Demand":
    """Return what was asked of the service."""
    from whisper_bench.sizing.demand import Demand, Load, Policy
    from whisper_bench.sizing.simulate import Balancing

    audio = options.audio
    return Demand(
        Load(options.target_rps, options.burstiness, audio.windows, audio.mean_s),
        _objective(options),
        Policy(
            balancing=Balancing(options.balancing),
            concurrency=options.concurrency,
            max_utilisation=options.max_utilisation,
            spare_pods=options.spare_pods,
        ),
        options.seed,
    )


def _objective(options: argparse.Namespace) -> "Objective | None":
    from whisper_bench.sizing.demand import Objective

    for percent, limit_s in ((95.0, options.slo_p95), (99.0, options.slo_p99)):
        if limit_s is not None:
            return Objective(percent, limit_s)
    return None
