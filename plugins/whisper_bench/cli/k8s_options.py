"""The options of `whisper-bench k8s run` and `k8s collect`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from whisper_bench.cli.arguments import add_results, add_storage, add_suite_options, suite_options
from whisper_bench.cli.values import label, seconds, toleration

if TYPE_CHECKING:
    from whisper_bench.cluster.bench_pod import PodChanges
    from whisper_bench.cluster.client import Cluster

MANIFEST = Path("k8s/bench-pod.yaml")


def add_run(parser: argparse.ArgumentParser) -> None:
    """Declare the options of a run in a Pod."""
    parser.add_argument("--save", required=True, metavar="NAME", help="name to save the run under")
    parser.add_argument(
        "--node-selector",
        type=label,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="label of the nodes to measure; may be repeated",
    )
    parser.add_argument(
        "--toleration",
        type=toleration,
        action="append",
        default=[],
        metavar="KEY[=VALUE][:EFFECT]",
        help="taint of those nodes to tolerate; may be repeated",
    )
    parser.add_argument("--image", help="image to use instead of the manifest's")
    parser.add_argument(
        "--manifest", type=Path, default=MANIFEST, metavar="FILE", help="the Pod (%(default)s)"
    )
    parser.add_argument(
        "--pending-timeout",
        type=seconds,
        default="10m",
        metavar="TIME",
        help="how long to wait for a node and the image (%(default)s)",
    )
    parser.add_argument("--keep", action="store_true", help="do not delete the Pod")
    add_suite_options(parser)
    _add_both(parser)


def add_collect(parser: argparse.ArgumentParser) -> None:
    """Declare the logs to collect from."""
    parser.add_argument(
        "sources", nargs="*", metavar="LOG", help="a file, - (stdin), pod/NAME or job/NAME"
    )
    parser.add_argument(
        "--selector", metavar="LABELS", help="labels of the Pods to read (every bench Pod)"
    )
    parser.add_argument(
        "--wait",
        type=seconds,
        default="0s",
        metavar="TIME",
        help="how long to wait for Pods that still run (%(default)s)",
    )
    _add_both(parser)


def _add_both(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kubeconfig", type=Path, metavar="FILE", help="same as for kubectl")
    parser.add_argument("--context", metavar="NAME", help="same as for kubectl")
    parser.add_argument("-n", "--namespace", metavar="NAME", help="same as for kubectl")
    add_storage(parser)
    add_results(parser, "result files")


def changes_of(options: argparse.Namespace) -> "PodChanges":
    """Return what is wanted of the Pod.

    Raises:
        BenchError: the suite's part does not begin with an option.

    """
    from whisper_bench.cluster.bench_pod import PodChanges

    return PodChanges(
        save_name=options.save,
        image=options.image,
        node_selector=dict(options.node_selector),
        tolerations=options.toleration,
        arguments=suite_options(options),
    )


def cluster_of(options: argparse.Namespace) -> "Cluster":
    """Return the cluster that is asked for."""
    from whisper_bench.cluster.client import Cluster

    return Cluster(
        kubeconfig=options.kubeconfig, context=options.context, namespace=options.namespace
    )
