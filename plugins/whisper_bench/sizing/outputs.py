"""What a sizing leaves behind: two reports, the Deployment's fields, a price."""

from pathlib import Path

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.files import write_over
from whisper_bench.manifests.deployment import Sized
from whisper_bench.sizing.report import SizingReport

REPORT = "sizing_report"
WINDOW_S = 30
SIZING_ANNOTATION = "whisper-bench/sizing"
RATIO_ANNOTATION = "whisper-bench/ratio"


def generate_report(report: SizingReport, folder: Path = Path()) -> list[Path]:
    """Write sizing_report.md and sizing_report.html in a folder, whole, over older ones.

    Raises:
        BenchError: one cannot be written.

    """
    from whisper_bench.report.html import html_report
    from whisper_bench.report.markdown import markdown_report

    pages = {".md": markdown_report(report), ".html": html_report(report)}
    return [
        write_over(folder / f"{REPORT}{ending}", page.encode()) for ending, page in pages.items()
    ]


def sized(report: SizingReport) -> Sized:
    """Return the fields of the Deployment that the sizing owns.

    Raises:
        BenchError: the sizing is infeasible, or knows no Pod's size.

    """
    sizing, basis = report.sizing, report.basis
    if sizing.replicas is None or sizing.pod is None:
        raise BenchError(f"no Deployment can be sized: {sizing.reason}")
    objective = sizing.objective
    held = f", p{objective.percent:g} within {objective.limit_s:g} s" if objective else ""
    annotations = {
        SIZING_ANNOTATION: (
            f"{sizing.load.target_rps:g} requests/s{held}; {basis.case} of {basis.run.name}, "
            f"{basis.run.moment:%Y-%m-%d}"
        ),
        # always there, so that an older sizing's does not stay
        RATIO_ANNOTATION: "none: the production machine was measured",
    }
    if basis.ratio is not None and basis.target is not None:
        ratio = basis.ratio
        annotations[RATIO_ANNOTATION] = (
            f"{basis.target.name}/{basis.run.name} {ratio.ratio:.3f} "
            f"({ratio.low:.3f} to {ratio.high:.3f}), {basis.ratio_created}; extrapolated"
        )
    pod = sizing.pod
    return Sized(sizing.replicas, pod.cpu, pod.memory_mib, pod.threads, annotations)


def with_price(
    report: SizingReport, price_per_node_hour: float, cpus_per_node: float
) -> SizingReport:
    """Add what an hour of audio costs at the target load, nodes paid by the CPUs that Pods ask for.

    Raises:
        BenchError: a price or number of CPUs that is none.

    """
    if price_per_node_hour < 0 or cpus_per_node <= 0:
        raise BenchError(
            f"a node of {cpus_per_node:g} CPUs at {price_per_node_hour:g} an hour: give a price of "
            "0 or more and CPUs above 0"
        )
    sizing = report.sizing
    if sizing.replicas is None or sizing.cpu is None:
        return report
    shares = sum(sizing.load.windows.values())
    windows = sum(size * share for size, share in sizing.load.windows.items()) / shares
    # requests/s times seconds of audio each is hours of audio an hour
    audio_hours = sizing.load.target_rps * windows * WINDOW_S
    nodes = sizing.replicas * sizing.cpu / cpus_per_node
    priced = msgspec.structs.replace(
        sizing, price_per_audio_hour=nodes * price_per_node_hour / audio_hours
    )
    return msgspec.structs.replace(report, sizing=priced)
