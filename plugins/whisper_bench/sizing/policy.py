"""How the service is run: its balancer, its reserves, and the nodes that its Pods are on."""

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.machine.cpu_limit import shares_of
from whisper_bench.sizing.bounds import LEAST_UTILISATION, MOST_SPARE, MOST_WORKERS
from whisper_bench.sizing.simulate import Balancing
from whisper_bench.text.amounts import count_text


def pods_that_fit(node_cpus: float, pod_cpus: float) -> int:
    """Return how many Pods the CPUs of a node are enough for.

    Raises:
        BenchError: none fits.

    """
    fit = shares_of(node_cpus, pod_cpus)
    if fit < 1:
        raise BenchError(
            f"a Pod of {pod_cpus:g} CPU does not fit on a node of {node_cpus:g} CPUs; give larger "
            "nodes with --cpus-per-node"
        )
    return fit


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the service is run: the balancer, requests that a Pod takes at a time, and reserves.

    `max_utilisation` is the highest share of time that the Pods may be busy; it and the objective
    are met even without the `spare_pods`, or without all Pods of the `spare_nodes`. A node holds
    `pods_per_node`, or what fits on its `cpus_per_node`.
    """

    balancing: Balancing = Balancing.RANDOM
    concurrency: int = 1
    max_utilisation: float = 0.8
    spare_pods: int = 1
    spare_nodes: int = 0
    pods_per_node: int | None = None
    cpus_per_node: float | None = None

    @property
    def reserve(self) -> int:
        """The Pods that may be missing: the spare ones, or those of the spare nodes, if more."""
        return max(self.spare_pods, self.spare_nodes * (self.pods_per_node or 0))

    @property
    def reserve_text(self) -> str:
        """The Pods that may be missing, in words."""
        if not self.spare_nodes:
            return f"{self.spare_pods} spare"
        nodes = count_text(self.spare_nodes, "node")
        return f"{self.reserve} spare ({nodes} of {self.pods_per_node})"

    def nodes_for(self, replicas: int, pod_cpus: float | None = None) -> int | None:
        """Return the nodes that so many Pods take, of a size if it is known by now.

        None where a node's Pods are not known.

        Raises:
            BenchError: not one Pod fits on a node.

        """
        held = self.pods_per_node
        if held is not None and pod_cpus is not None and self.cpus_per_node is not None:
            held = min(held, pods_that_fit(self.cpus_per_node, pod_cpus))
        return None if held is None else -(-replicas // held)

    def on_nodes(self, pod_cpus: float) -> "Policy":
        """Return the policy for Pods of a size: how many of them fit on a node.

        Raises:
            BenchError: none does, or fewer than a node shall hold.

        """
        if self.cpus_per_node is None:
            return self
        fit = pods_that_fit(self.cpus_per_node, pod_cpus)
        if self.pods_per_node is not None and self.pods_per_node > fit:
            raise BenchError(
                f"--pods-per-node {self.pods_per_node}: Pods of {pod_cpus:g} CPU, and a node has "
                f"{self.cpus_per_node:g} (--cpus-per-node): give {fit} or fewer, or leave it out"
            )
        return msgspec.structs.replace(self, pods_per_node=self.pods_per_node or fit)

    def __post_init__(self) -> None:
        """Refuse an invalid policy."""
        if self.reserve > MOST_SPARE:
            raise BenchError(
                f"--spare-nodes {self.spare_nodes}: with {self.pods_per_node} Pods each that is "
                f"more than {MOST_SPARE} spare Pods; give fewer"
            )
        if self.spare_nodes and self.pods_per_node is None and self.cpus_per_node is None:
            raise BenchError(
                f"--spare-nodes {self.spare_nodes}: a lost node takes its Pods along, and how many "
                "is not known; give --pods-per-node, or --cpus-per-node"
            )
        if not LEAST_UTILISATION <= self.max_utilisation < 1:
            raise BenchError(
                f"utilisation {self.max_utilisation:g}: give a share from 0.01 to below 1, "
                "such as 0.8; a queue that is always busy grows without bound"
            )
        whole = all(isinstance(value, int) for value in (self.concurrency, self.spare_pods))
        within = 1 <= self.concurrency <= MOST_WORKERS and 0 <= self.spare_pods <= MOST_SPARE
        if not whole or not within:
            raise BenchError(
                f"concurrency {self.concurrency} and spare Pods {self.spare_pods}: give whole "
                f"numbers from 1 to {MOST_WORKERS} and from 0 to {MOST_SPARE}"
            )
