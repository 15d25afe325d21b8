"""What an hour of audio costs."""

import math
from fractions import Fraction

import msgspec
from msgspec.structs import replace

from whisper_bench.case.clip import WINDOW_S
from whisper_bench.errors import BenchError
from whisper_bench.sizing.demand import Load
from whisper_bench.sizing.sizing_report import SizingReport


class NodePrice(msgspec.Struct, frozen=True):
    """What a node costs an hour, in any currency, and the CPUs that it has for Pods."""

    per_hour: float
    cpus: float

    def __post_init__(self) -> None:
        """Refuse what is no price."""
        if not (0 <= self.per_hour < math.inf and 0 < self.cpus < math.inf):
            raise BenchError(
                f"a node of {self.cpus:g} CPUs at {self.per_hour:g} an hour: give a price of 0 or "
                "more and CPUs above 0"
            )


def with_price(report: SizingReport, node: NodePrice) -> SizingReport:
    """Add what an hour of audio costs at the target load, a Pod paying its share of a full node.

    The Pod is the whole one where the report knows the Deployment, else the Whisper container.

    Raises:
        BenchError: a Pod does not fit on a node.

    """
    sizing = report.sizing
    if sizing.replicas is None or sizing.cpu is None:
        return report
    pod_cpus = report.deployment.cpus if report.deployment else sizing.cpu
    # by decimal figures: 16 CPUs have room for ten Pods of 1.6, and 16 // 1.6 is 9
    pods_per_node = int(Fraction(str(node.cpus)) / Fraction(str(pod_cpus)))
    if pods_per_node < 1:
        raise BenchError(
            f"a Pod of {pod_cpus:g} CPU does not fit on a node of {node.cpus:g} CPUs; give larger "
            "nodes with --cpus-per-node"
        )
    price_per_hour = sizing.replicas / pods_per_node * node.per_hour
    price = price_per_hour / _audio_hours_per_hour(sizing.load)
    return replace(report, sizing=replace(sizing, price_per_audio_hour=price))


def _audio_hours_per_hour(load: Load) -> float:
    """Return requests a second times the seconds of audio that each has."""
    shares = sum(load.windows.values())
    windows = sum(size * share for size, share in load.windows.items()) / shares
    return load.target_rps * (load.audio_s or windows * WINDOW_S)
