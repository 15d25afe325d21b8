"""The options of `whisper-bench size`, and the demand that they describe."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from whisper_bench.cli.arguments import add_allow_mismatch, add_max_age
from whisper_bench.cli.values import (
    ONE_CLIP,
    audio_mix,
    number_within,
    seconds,
    speech,
    whole_within,
)
from whisper_bench.sizing.bounds import (
    HARD_FACTOR,
    LEAST_UTILISATION,
    MOST_BURSTINESS,
    MOST_HARD_FACTOR,
    MOST_NODE_CPUS,
    MOST_PODS_A_NODE,
    MOST_PRICE,
    MOST_RPS,
    MOST_RTF,
    MOST_SEED,
    MOST_SLOWDOWN,
    MOST_SPARE,
    MOST_SPARE_NODES,
    MOST_WORKERS,
    POISSON,
)

if TYPE_CHECKING:
    from whisper_bench.sizing.demand import Demand, Objective

DEPLOYMENT = Path("k8s/deployment.yaml")
BALANCINGS = ("shared", "least-outstanding", "round-robin", "random")


def add_demand(parser: argparse.ArgumentParser) -> None:
    """Declare the load and the objective."""
    parser.add_argument(
        "--target-rps",
        type=number_within(0, MOST_RPS, above=True),
        required=True,
        metavar="RPS",
        help="peak requests per second",
    )
    slo = parser.add_mutually_exclusive_group()
    slo.add_argument(
        "--slo-p95",
        type=seconds,
        metavar="TIME",
        help="time within which 95 %% are answered, such as 5s",
    )
    slo.add_argument(
        "--slo-p99", type=seconds, metavar="TIME", help="time within which 99 %% are answered"
    )
    for percent in (95, 99):
        slo.add_argument(
            f"--slo-rtf-p{percent}",
            type=number_within(0, MOST_RTF, above=True),
            metavar="RTF",
            help=f"latency over length of audio that {percent} %% are within, such as 0.5",
        )
    parser.add_argument(
        "--burstiness",
        type=number_within(POISSON, MOST_BURSTINESS),
        default=POISSON,
        metavar="CV2",
        help="squared coefficient of variation of the times between arrivals (1: Poisson)",
    )
    parser.add_argument(
        "--audio",
        type=audio_mix,
        default=ONE_CLIP,
        metavar="MIX",
        help="lengths of audio with their shares, such as 5s:0.6,30s:0.3,2m:0.1 (30s:1)",
    )
    parser.add_argument(
        "--tokens-per-second",
        type=speech,
        metavar="N[+-SD]",
        help="tokens of a second of speech, such as 6.6 or 6.6+-2 (as in the measured clip)",
    )
    parser.add_argument(
        "--hard-share",
        type=number_within(0, 1),
        default=0.0,
        metavar="SHARE",
        help="share of clips whose decoding falls back to higher temperatures",
    )
    parser.add_argument(
        "--hard-factor",
        type=number_within(1, MOST_HARD_FACTOR),
        default=HARD_FACTOR,
        metavar="TIMES",
        help="how many times as long those take (8)",
    )


def add_policy(parser: argparse.ArgumentParser) -> None:
    """Declare how the service is run."""
    parser.add_argument(
        "--balancing",
        choices=BALANCINGS,
        default="random",
        help="how a request reaches a Pod (random)",
    )
    parser.add_argument(
        "--concurrency",
        type=whole_within(1, MOST_WORKERS),
        default=1,
        metavar="N",
        help="workers in a Pod, with one request each (1)",
    )
    parser.add_argument(
        "--max-utilisation",
        type=number_within(LEAST_UTILISATION, 1, below=True),
        default=0.8,
        metavar="SHARE",
        help="largest share of time that Pods may be busy (%(default)s)",
    )
    parser.add_argument(
        "--spare-pods",
        type=whole_within(0, MOST_SPARE),
        default=1,
        metavar="N",
        help="Pods beyond those that are needed (%(default)s)",
    )
    parser.add_argument(
        "--pods-per-node",
        type=whole_within(1, MOST_PODS_A_NODE),
        metavar="N",
        help="Pods that a node holds, to count nodes (as many as fit on --cpus-per-node)",
    )
    parser.add_argument(
        "--spare-nodes",
        type=whole_within(0, MOST_SPARE_NODES),
        default=0,
        metavar="N",
        help="nodes that may be lost with all their Pods (%(default)s)",
    )


def add_source(parser: argparse.ArgumentParser) -> None:
    """Declare the measured run and its ratio."""
    parser.add_argument("--model", help="the model, if the run has several")
    parser.add_argument(
        "--ratio-config",
        type=Path,
        metavar="FILE",
        help="the run is of the reference machine (M4): apply this ratio",
    )
    parser.add_argument(
        "--assume-slowdown",
        type=number_within(1, MOST_SLOWDOWN),
        metavar="TIMES",
        help="how many times as long a request takes on a full node, if one was not measured",
    )
    add_max_age(parser)
    parser.add_argument(
        "--production-architecture",
        choices=("x86_64", "ARM64"),
        default="x86_64",
        help="architecture that a run without a ratio must have (%(default)s)",
    )
    add_allow_mismatch(parser)


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Declare what is written."""
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder of the reports (the current one)",
    )
    parser.add_argument(
        "--deployment", type=Path, metavar="FILE", help=f"Deployment to edit ({DEPLOYMENT})"
    )
    parser.add_argument("--container", metavar="NAME", help="its container, if it has several")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if the Deployment differs"
    )
    parser.add_argument(
        "--hpa",
        action="store_true",
        help="also edit the HorizontalPodAutoscaler of the Deployment, in the same file",
    )
    parser.add_argument(
        "--price-per-node-hour",
        type=number_within(0, MOST_PRICE),
        metavar="PRICE",
        help="price of a node per hour, to print what an hour of audio costs",
    )
    parser.add_argument(
        "--cpus-per-node",
        type=number_within(0, MOST_NODE_CPUS, above=True),
        metavar="N",
        help="CPUs that a node has for Pods",
    )
    parser.add_argument(
        "--seed",
        type=whole_within(0, MOST_SEED),
        default=0,
        help="seed of the simulation (%(default)s)",
    )


def demand_of(options: argparse.Namespace) -> "Demand":
    """Return the demand that the options describe."""
    from whisper_bench.sizing.demand import Demand, Load
    from whisper_bench.sizing.policy import Policy
    from whisper_bench.sizing.simulate import Balancing

    tokens, spread = options.tokens_per_second or (None, 0.0)
    return Demand(
        Load.of_audio(
            options.target_rps,
            options.audio,
            burstiness=options.burstiness,
            tokens_a_second=tokens,
            tokens_spread=spread,
        ),
        _objective(options),
        Policy(
            balancing=Balancing(options.balancing),
            concurrency=options.concurrency,
            max_utilisation=options.max_utilisation,
            spare_pods=options.spare_pods,
            spare_nodes=options.spare_nodes,
            pods_per_node=options.pods_per_node,
            cpus_per_node=options.cpus_per_node,
        ),
        options.seed,
    )


def _objective(options: argparse.Namespace) -> "Objective | None":
    from whisper_bench.sizing.demand import Objective

    objectives = (
        (95.0, options.slo_p95, False),
        (99.0, options.slo_p99, False),
        (95.0, options.slo_rtf_p95, True),
        (99.0, options.slo_rtf_p99, True),
    )
    for percent, limit_s, per_audio_s in objectives:
        if limit_s is not None:
            return Objective(percent, limit_s, per_audio_s)
    return None
