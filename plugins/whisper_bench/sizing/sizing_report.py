"""A sizing with its sources: all that a reviewer sees."""

import msgspec

from whisper_bench.manifests.deployed import DeploymentFacts
from whisper_bench.ranges import Copies, Positive
from whisper_bench.ratio.report import CaseRatio
from whisper_bench.ratio.run import RunFacts
from whisper_bench.sizing.sizing import Sizing
from whisper_bench.stats.interval import Estimate
from whisper_bench.throttling.judge import ThrottlingReport
from whisper_bench.throttling.verdict import Verdict


class Candidate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A measured case and what it needs; `replicas` is None if it was throttled or too slow."""

    case: str
    threads: int
    verdict: Verdict
    mean_s: float
    replicas: int | None
    cpu: int
    cpus_in_all: int | None
    memory_mib: int


class Basis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was measured: the run, the case that was chosen, and its latencies in seconds.

    If the production machine was not measured, `ratio` converts the latency (`factor` is the upper
    end of its interval) and `target` is the machine. `copies` workers ran at once on the measured
    node; of one alone `slowdown` is what the user assumes that a full node makes of it.
    """

    run: RunFacts
    case: str
    latencies_s: list[float]
    clip_duration_s: float
    extrapolated: bool
    factor: float
    target: RunFacts | None
    ratio: CaseRatio | None
    ratio_created: str | None
    copies: Copies = 1
    slowdown: Positive | None = None

    @property
    def is_alone(self) -> bool:
        """Whether nothing is known of a full node, neither measured nor assumed."""
        return self.copies == 1 and self.slowdown is None

    @property
    def estimate(self) -> Estimate | None:
        """The ratio with its interval; None if the production machine was measured."""
        return self.ratio.estimate if self.ratio else None


class SizingReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sizing, its basis, all measured cases, and warnings.

    `deployment` has the facts of the Deployment as written; None if there is none.
    """

    sizing: Sizing
    basis: Basis
    candidates: list[Candidate]
    throttling: ThrottlingReport
    warnings: list[str]
    tool_version: str
    created: str
    deployment: DeploymentFacts | None = None
