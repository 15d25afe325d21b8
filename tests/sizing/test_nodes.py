"""Pods on nodes: how many nodes, and what is kept for one that is lost."""

import pytest
from msgspec.structs import replace

from support.ratios import XEON
from support.size_runs import ASKED, full, judged_record, on_xeon
from whisper_bench.errors import BenchError
from whisper_bench.manifests.deployed import DeploymentFacts
from whisper_bench.report.outputs import with_deployment
from whisper_bench.report.text import sizing_lines
from whisper_bench.report.words import nodes_text
from whisper_bench.sizing.policy import Policy
from whisper_bench.sizing.price import NodePrice, with_price


def held(policy):
    return replace(ASKED, policy=replace(policy, balancing=ASKED.policy.balancing))


def test_a_lost_node_takes_all_its_pods_along():
    without = on_xeon(demand=held(Policy(spare_pods=0))).sizing
    for policy, spare in (
        (Policy(spare_pods=1, spare_nodes=1, pods_per_node=4), 4),
        (Policy(spare_pods=9, spare_nodes=1, pods_per_node=4), 9),
        (Policy(spare_pods=0, spare_nodes=2, cpus_per_node=3.5), 6),
        (Policy(spare_pods=1, pods_per_node=4), 1),
    ):
        sizing = on_xeon(demand=held(policy)).sizing
        assert sizing.needed == without.needed
        assert sizing.replicas == without.replicas + spare
        a_node = sizing.policy.pods_per_node
        assert (sizing.nodes - 1) * a_node < sizing.replicas <= sizing.nodes * a_node
        assert sizing.without_spares.pods == sizing.needed


def test_no_nodes_where_their_pods_are_not_known():
    assert on_xeon().sizing.nodes is None
    assert nodes_text(on_xeon().sizing) is None
    with pytest.raises(BenchError, match=r"--spare-nodes 1: .*--pods-per-node"):
        Policy(spare_nodes=1)
    with pytest.raises(BenchError, match=r"a Pod of 1 CPU does not fit on a node of 0\.5 CPUs"):
        on_xeon(demand=held(Policy(cpus_per_node=0.5)))


def test_nodes_cost_what_all_of_them_cost():
    report = on_xeon(demand=held(Policy(pods_per_node=4)))
    sizing = with_price(report, NodePrice(0.5, 16)).sizing
    assert sizing.nodes == -(-sizing.replicas // 4)
    assert sizing.price_per_hour == pytest.approx(0.5 * sizing.nodes)
    fewer_fit = with_price(report, NodePrice(0.5, 2)).sizing
    assert fewer_fit.nodes == -(-sizing.replicas // 2)


def test_more_pods_on_a_node_than_were_measured_is_warned_of():
    crowded = on_xeon(full(*XEON), demand=held(Policy(pods_per_node=16)))
    assert any("--whisper-copies=1,16" in text for text in crowded.warnings)
    alike = on_xeon(full(*XEON), demand=held(Policy(pods_per_node=4)))
    assert not any("--whisper-copies" in text for text in alike.warnings)
    lone = on_xeon(judged_record(*XEON), demand=held(Policy(pods_per_node=16)))
    assert not any("--whisper-copies" in text for text in lone.warnings)


def test_more_pods_than_a_node_has_cpus_for_are_refused():
    with pytest.raises(BenchError, match=r"--pods-per-node 16: .*give 4 or fewer"):
        on_xeon(demand=held(Policy(pods_per_node=16, cpus_per_node=4)))
    with pytest.raises(BenchError, match="more than 1000 spare Pods"):
        on_xeon(demand=held(Policy(spare_nodes=100, cpus_per_node=8192)))


def test_a_sidecar_makes_more_nodes_with_a_price_and_without():
    report = on_xeon(demand=held(Policy(cpus_per_node=4)))
    pod = DeploymentFacts("d.yaml", "api", "Guaranteed", 2.0, 448.0, None, [], [])
    whole = with_deployment(report, pod)
    assert whole.sizing.nodes == -(-whole.sizing.replicas // 2)
    assert with_price(whole, NodePrice(1, 4)).sizing.nodes == whole.sizing.nodes


def test_the_terminal_shows_the_nodes():
    lines = sizing_lines(on_xeon(demand=held(Policy(pods_per_node=4))))
    assert any(line.startswith("nodes ") and "up to 4 Pods each" in line for line in lines)
