"""`whisper-bench k8s run` and `k8s collect`: measured in a cluster, its results brought home."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whisper_bench.cli.arguments import add_results, add_storage
from whisper_bench.errors import BenchError

if TYPE_CHECKING:
    from whisper_bench.cluster.client import Cluster
    from whisper_bench.cluster.collect import Collected
    from whisper_bench.cluster.run import Ended

MANIFEST = Path("k8s/bench-pod.yaml")
STDIN = "-"
_RUN_TEXT = (
    "Create the bench Pod, follow it, bring its results home and delete it. What stands behind -- "
    "goes to the suite: whisper-bench k8s run --save xeon -- --whisper-models=base,small. Exits 0 "
    "where the run was green and its results are here, else 1."
)
_COLLECT_TEXT = (
    "Read results out of logs: files, - for stdin, pod/NAME or job/NAME in the cluster; without "
    "any, every Pod of the label selector. Exits 0 where each log had whole results, else 1."
)


def declare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare both commands."""
    parser = commands.add_parser("k8s", help="measure in a cluster, and bring the results home")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _declare_run(verbs.add_parser("run", help="one run in a Pod", description=_RUN_TEXT))
    _declare_collect(
        verbs.add_parser("collect", help="results out of logs", description=_COLLECT_TEXT)
    )


def _declare_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--save", required=True, metavar="NAME", help="name to save the run under")
    parser.add_argument(
        "--node-selector",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="label of the nodes to measure; may be given more than once",
    )
    parser.add_argument(
        "--toleration",
        action="append",
        default=[],
        metavar="KEY[=VALUE][:EFFECT]",
        help="taint of theirs to tolerate; may be given more than once",
    )
    parser.add_argument("--image", help="image in the place of the manifest's")
    parser.add_argument(
        "--manifest", type=Path, default=MANIFEST, metavar="FILE", help="the Pod (%(default)s)"
    )
    parser.add_argument(
        "--pending-timeout",
        default="10m",
        metavar="TIME",
        help="how long to wait for a node and the image (%(default)s)",
    )
    parser.add_argument("--keep", action="store_true", help="do not delete the Pod in the end")
    parser.add_argument("arguments", nargs="*", metavar="-- OPTION", help="options of the suite")
    _declare_both(parser)
    parser.set_defaults(run=run)


def _declare_collect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sources", nargs="*", metavar="LOG", help="a file, - (stdin), pod/NAME or job/NAME"
    )
    parser.add_argument(
        "--selector", metavar="LABELS", help="labels of the Pods to read (every bench Pod)"
    )
    parser.add_argument(
        "--wait",
        default="0s",
        metavar="TIME",
        help="wait so long for Pods that still run (%(default)s)",
    )
    _declare_both(parser)
    parser.set_defaults(run=collect)


def _declare_both(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kubeconfig", type=Path, metavar="FILE", help="as kubectl's")
    parser.add_argument("--context", metavar="NAME", help="as kubectl's")
    parser.add_argument("-n", "--namespace", metavar="NAME", help="as kubectl's")
    add_storage(parser)
    add_results(parser, "result files go")


def run(options: argparse.Namespace) -> int:
    """Run one Pod to its end and collect its results."""
    from uuid import uuid4

    from whisper_bench.cluster.bench_pod import (
        PodWishes,
        labels,
        read_manifest,
        toleration,
        wished_pod,
    )
    from whisper_bench.cluster.client import ClusterError
    from whisper_bench.cluster.collect import collect as collected_of
    from whisper_bench.cluster.follow import Waits
    from whisper_bench.cluster.run import PodRun
    from whisper_bench.sizing.demand import seconds

    wishes = PodWishes(
        save_name=options.save,
        image=options.image,
        node_selector=labels(options.node_selector, "--node-selector"),
        tolerations=[toleration(each) for each in options.toleration],
        arguments=options.arguments,
    )
    waits = Waits(pending_s=seconds(options.pending_timeout))
    manifest = read_manifest(options.manifest)
    pod = wished_pod(manifest, wishes, uuid4().hex, str(options.manifest))
    name = pod["metadata"]["name"]
    runs = PodRun(_cluster(options), lambda line: _say(f"{name}: {line}"),
                  keep=options.keep, waits=waits)  # fmt: skip
    try:
        ended = runs.to_end(pod)
    except KeyboardInterrupt:
        raise ClusterError("interrupted; nothing was collected") from None
    collected, faults = collected_of([(f"pod/{name}", ended.log)], options.storage, options.results)
    return _show(options, collected, [*_ends(ended), *faults], _facts_of(ended))


def collect(options: argparse.Namespace) -> int:
    """Collect the results out of every log named."""
    from whisper_bench.cluster.collect import collect as collected_of

    logs, faults = _logs(options)
    collected, wrong = collected_of(logs, options.storage, options.results)
    return _show(options, collected, [*faults, *wrong], {})


def _logs(options: argparse.Namespace) -> tuple[list[tuple[str, str]], list[str]]:
    from whisper_bench.cluster.fetch import SELECTOR, Fetcher, is_remote
    from whisper_bench.sizing.demand import seconds

    wait_s = seconds(options.wait)
    logs = [(each, _text_of(each)) for each in options.sources if not is_remote(each)]
    remote = [each for each in options.sources if is_remote(each)]
    if options.selector or not options.sources:
        remote.append(options.selector or SELECTOR)
    if not remote:
        return logs, []
    found, faults = Fetcher(_cluster(options), _say, wait_s=wait_s).logs(remote)
    return [*logs, *found], faults


def _text_of(source: str) -> str:
    try:
        content = sys.stdin.buffer.read() if source == STDIN else Path(source).read_bytes()
    except OSError as error:
        raise BenchError(
            f"{source}: {error.strerror or error}; name a log file, - for stdin, pod/NAME or "
            "job/NAME"
        ) from error
    return content.decode("utf-8", errors="replace")


def _cluster(options: argparse.Namespace) -> "Cluster":
    from whisper_bench.cluster.client import Cluster

    return Cluster(
        kubeconfig=options.kubeconfig, context=options.context, namespace=options.namespace
    )


def _ends(ended: "Ended") -> list[str]:
    state = ended.state
    if state.exit_code == 0 and not state.reason:
        return []
    return [f"pod/{ended.pod}: {state.told}" + (state.remedy and f"; {state.remedy}")]


def _facts_of(ended: "Ended") -> dict[str, Any]:
    state = ended.state
    return {
        "pod": ended.pod,
        "node": state.node,
        "phase": state.phase,
        "reason": state.reason,
        "exit_code": state.exit_code,
    }


def _show(
    options: argparse.Namespace,
    collected: "list[Collected]",
    faults: list[str],
    facts: dict[str, Any],
) -> int:
    from whisper_bench.cli.show import show_json, show_lines

    if options.json:
        show_json({**facts, "runs": collected, "faults": faults})
    else:
        show_lines(line for each in collected for line in each.lines())
    for fault in faults:
        _say(f"FAILED: {fault}")
    return int(bool(faults))


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
