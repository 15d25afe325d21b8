"""The outputs of a sizing: two reports, and the Deployment's fields."""

from pathlib import Path

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.files.replacement import write_all_over
from whisper_bench.manifests.deployed import DeploymentFacts
from whisper_bench.manifests.deployment import Sized
from whisper_bench.report.words import ALONE
from whisper_bench.sizing.bounds import POISSON
from whisper_bench.sizing.demand import ONE_WINDOW, Load
from whisper_bench.sizing.sizing import Sizing
from whisper_bench.sizing.sizing_report import Basis, SizingReport

REPORT = "sizing_report"
SIZING_ANNOTATION = "whisper-bench/sizing"
RATIO_ANNOTATION = "whisper-bench/ratio"
NODE_ANNOTATION = "whisper-bench/node"


def report_pages(report: SizingReport, folder: Path) -> dict[Path, bytes]:
    """Return the reports by the path that each goes to."""
    from whisper_bench.report.html import html_report
    from whisper_bench.report.markdown import markdown_report

    return {
        folder / f"{REPORT}.md": markdown_report(report).encode(),
        folder / f"{REPORT}.html": html_report(report).encode(),
    }


def generate_report(report: SizingReport, folder: Path = Path()) -> list[Path]:
    """Write sizing_report.md and sizing_report.html in a folder: both are replaced, or neither.

    Raises:
        BenchError: one cannot be written; older ones are as they were.

    """
    pages = report_pages(report, folder)
    write_all_over(pages, option="--output")
    return list(pages)


def sized(report: SizingReport) -> Sized:
    """Return the fields of the Deployment that the sizing owns.

    Raises:
        BenchError: the sizing is infeasible, or has no Pod size.

    """
    sizing, basis = report.sizing, report.basis
    if sizing.replicas is None or sizing.pod is None:
        raise BenchError(f"no Deployment can be sized: {sizing.reason}")
    annotations = {
        SIZING_ANNOTATION: (
            f"{_asked(sizing)}; {basis.case} of {basis.run.name}, {basis.run.moment:%Y-%m-%d}"
        ),
        # always written, so that an older sizing's value does not stay
        RATIO_ANNOTATION: "none: the production machine was measured",
    }
    annotations[NODE_ANNOTATION] = _node(basis)
    if basis.estimate is not None and basis.target is not None:
        annotations[RATIO_ANNOTATION] = (
            f"{basis.target.name}/{basis.run.name} {basis.estimate}, {basis.ratio_created}; "
            "extrapolated"
        )
    pod = sizing.pod
    return Sized(
        sizing.replicas,
        pod.cpu,
        pod.memory_mib,
        pod.threads,
        annotations,
        sizing.hpa_utilisation_percent,
    )


def with_deployment(report: SizingReport, facts: DeploymentFacts) -> SizingReport:
    """Add the facts of the Deployment as written, and warnings of what is wrong with it.

    Nodes are those of its whole Pods, with their other containers.

    Raises:
        BenchError: such a Pod does not fit on the node that was given.

    """
    sizing = report.sizing
    nodes = sizing.policy.nodes_for(sizing.replicas or 0, facts.cpus)
    sizing = msgspec.structs.replace(sizing, nodes=nodes)
    warnings = [f"{facts.path}: {text}" for text in (*facts.faults, *facts.notes)]
    return msgspec.structs.replace(
        report, sizing=sizing, deployment=facts, warnings=[*report.warnings, *warnings]
    )


def _node(basis: Basis) -> str:
    """Return how full the node was that the service times are of."""
    if basis.copies > 1:
        return f"measured with {basis.copies} copies at once"
    if basis.slowdown is not None:
        return f"measured alone, {basis.slowdown:g} times as slow on a full node: assumed"
    return f"{ALONE}: a full node is slower, and was not measured"


def _lengths(load: Load) -> str:
    mix = ", ".join(f"{length.share:g} of {length.audio_s:g} s" for length in load.lengths)
    tokens = load.tokens_a_second
    spread = f"+-{load.tokens_spread:g}" if load.tokens_spread else ""
    return f"audio {mix}" if tokens is None else f"audio {mix}, {tokens:g}{spread} tokens a second"


def _asked(sizing: Sizing) -> str:
    """Return the question that the sizing answers, all of it, in a line."""
    load, policy, objective = sizing.load, sizing.policy, sizing.objective
    parts = [f"{load.target_rps:g} requests/s"]
    if load.burstiness != POISSON:
        parts.append(f"burstiness {load.burstiness:g}")
    if sizing.service is not None and sizing.service.by_length(load):
        parts.append(_lengths(load))
    elif load.windows != ONE_WINDOW:
        mix = ", ".join(f"{share:g} of {size}" for size, share in sorted(load.windows.items()))
        parts.append(f"windows {mix}")
    if sizing.service is not None and sizing.service.hard_share:
        parts.append(f"{sizing.service.hard_share:g} hard")
    if objective is not None:
        parts.append(f"{objective.name} within {objective.limit}")
    parts.append(f"{policy.balancing}, {policy.concurrency} at a time")
    parts.append(f"at most {100 * policy.max_utilisation:g}% busy, {policy.reserve_text}")
    return ", ".join(parts)
