"""What an hour of audio costs."""

import math

import msgspec
from msgspec.structs import replace

from whisper_bench.case.clip import WINDOW_S
from whisper_bench.errors import BenchError
from whisper_bench.sizing.demand import Load
from whisper_bench.sizing.policy import pods_that_fit
from whisper_bench.sizing.sizing_report import SizingReport


class NodePrice(msgspec.Struct, frozen=True):
    """What a node costs per hour, in any currency, and the CPUs that it has for Pods."""

    per_hour: float
    cpus: float

    def __post_init__(self) -> None:
        """Refuse an invalid price."""
        if not (0 <= self.per_hour < math.inf and 0 < self.cpus < math.inf):
            raise BenchError(
                f"a node of {self.cpus:g} CPUs at {self.per_hour:g} per hour: give a price of 0 or "
                "more and CPUs above 0"
            )


def with_price(report: SizingReport, node: NodePrice) -> SizingReport:
    """Add what an hour of audio costs at the target load; a Pod pays its share of a full node.

    If the report knows the Deployment the whole Pod counts, else only the Whisper container.

    Raises:
        BenchError: a Pod does not fit on a node.

    """
    sizing = report.sizing
    if sizing.replicas is None or sizing.cpu is None:
        return report
    pod_cpus = report.deployment.cpus if report.deployment else sizing.cpu
    fit = pods_that_fit(node.cpus, pod_cpus)
    pods_per_node = min(fit, sizing.policy.pods_per_node or fit)
    price_per_hour = sizing.replicas / pods_per_node * node.per_hour
    price = price_per_hour / _audio_hours_per_hour(sizing.load)
    nodes = math.ceil(sizing.replicas / pods_per_node)
    per_hour = nodes * node.per_hour
    priced = replace(sizing, price_per_audio_hour=price, nodes=nodes, price_per_hour=per_hour)
    return replace(report, sizing=priced)


def _audio_hours_per_hour(load: Load) -> float:
    """Return requests per second times the seconds of audio in each."""
    shares = sum(load.windows.values())
    windows = sum(size * share for size, share in load.windows.items()) / shares
    return load.target_rps * (load.audio_s or windows * WINDOW_S)
