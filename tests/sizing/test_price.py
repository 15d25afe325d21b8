"""What an hour of audio costs."""

import math

import msgspec
import pytest

from support.size_runs import on_xeon
from whisper_bench.errors import BenchError
from whisper_bench.manifests.deployed import DeploymentFacts
from whisper_bench.sizing.price import NodePrice, with_price


def test_the_price_of_an_hour_of_audio_follows_from_pods_and_nodes():
    report = with_price(on_xeon(), NodePrice(0.4, 8))
    sizing = report.sizing
    assert sizing.price_per_audio_hour == pytest.approx(sizing.replicas / 8 * 0.4 / (2.0 * 30))
    # three Pods of 1 CPU on a node of 3.5: the half is lost
    odd = with_price(report, NodePrice(0.4, 3.5)).sizing.price_per_audio_hour
    assert odd == pytest.approx(sizing.replicas / 3 * 0.4 / (2.0 * 30))
    short = msgspec.structs.replace(
        report,
        sizing=msgspec.structs.replace(
            sizing, load=msgspec.structs.replace(sizing.load, audio_s=10.0)
        ),
    )
    cost = with_price(short, NodePrice(0.4, 8)).sizing.price_per_audio_hour
    assert cost == pytest.approx(3 * sizing.price_per_audio_hour)
    with pytest.raises(BenchError, match="a Pod of 1 CPU does not fit on a node of 0.5 CPUs"):
        with_price(report, NodePrice(0.4, 0.5))
    for price, cpus in ((-1, 8), (1, 0), (math.nan, 8), (1, math.inf)):
        with pytest.raises(BenchError, match="give a price of 0 or more and CPUs above 0"):
            NodePrice(price, cpus)
    infeasible = msgspec.structs.replace(
        report, sizing=msgspec.structs.replace(sizing, replicas=None)
    )
    assert with_price(infeasible, NodePrice(1, 8)) == infeasible


def test_a_node_has_room_for_pods_of_a_fraction_of_a_cpu():
    pod = DeploymentFacts("d.yaml", "api", "Guaranteed", 1.6, 448.0, None, [], [])
    report = msgspec.structs.replace(on_xeon(), deployment=pod)
    # ten of them; 16 // 1.6 is 9
    cost = with_price(report, NodePrice(0.5, 16)).sizing.price_per_audio_hour
    assert cost == pytest.approx(report.sizing.replicas / 10 * 0.5 / (2.0 * 30))
    assert with_price(report, NodePrice(0.5, 1.6)).sizing.price_per_audio_hour == pytest.approx(
        10 * cost
    )
