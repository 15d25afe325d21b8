"""A sizing with where it comes from: all that a reviewer is shown."""

import msgspec

from whisper_bench.manifests.deployed import DeploymentFacts
from whisper_bench.ratio.report import CaseRatio
from whisper_bench.ratio.run import RunFacts
from whisper_bench.sizing.sizing import Sizing
from whisper_bench.stats.interval import Estimate
from whisper_bench.throttling.judge import ThrottlingReport
from whisper_bench.throttling.verdict import Verdict


class Candidate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One measured case and what it would need; `replicas` None where it was unfit or too slow."""

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

    Where the production machine was not measured, `ratio` is what its latency was taken from
    (`factor` is the bad end of its interval) and `target` the machine.
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

    @property
    def estimate(self) -> Estimate | None:
        """The ratio with its interval; None where the production machine was measured."""
        return self.ratio.estimate if self.ratio else None


class SizingReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sizing, what it rests on, the other cases that were measured, and what to be aware of.

    `deployment` is what the Deployment is as it is written; None where none was looked at.
    """

    sizing: Sizing
    basis: Basis
    candidates: list[Candidate]
    throttling: ThrottlingReport
    warnings: list[str]
    tool_version: str
    created: str
    deployment: DeploymentFacts | None = None
