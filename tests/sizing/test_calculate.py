"""Sizing: the worked example, the plain formula, what is feasible, and the evidence."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.services import EXAMPLE, SMALL
from whisper_bench import calculate_sizing
from whisper_bench.sizing.demand import Load, Objective, Question
from whisper_bench.sizing.estimate import predict_latency
from whisper_bench.sizing.policy import Policy
from whisper_bench.sizing.search import MOST_PODS
from whisper_bench.sizing.service import Service
from whisper_bench.sizing.simulate import Balancing


@pytest.mark.parametrize(
    ("balancing", "pods"),
    [
        (Balancing.SHARED, 5),
        (Balancing.LEAST_OUTSTANDING, 5),
        (Balancing.ROUND_ROBIN, 6),
        (Balancing.RANDOM, 13),
    ],
)
def test_the_worked_example_needs_the_pods_of_the_design(balancing, pods):
    sizing = calculate_sizing(
        2.0,
        service=EXAMPLE,
        objective=Objective(95, 5.0),
        policy=Policy(balancing=balancing, max_utilisation=0.99, spare_pods=0),
        evidence=False,
    )
    assert sizing.replicas == pods
    assert sizing.whole.high_s <= 5.0


def test_as_many_pods_as_there_is_work_miss_the_objective():
    policy = Policy(balancing=Balancing.SHARED, max_utilisation=0.99)
    question = Question(EXAMPLE, Load(2.0), policy, Objective(95, 5.0))
    actual = predict_latency(question, math.ceil(2.0 * 1.8))
    assert actual.objective_s == pytest.approx(10.6, rel=0.1)
    assert actual.misses(Objective(95, 5.0))


def test_rates_alone_give_the_plain_formula():
    sizing = calculate_sizing(10, 2.5, 0.9)
    assert sizing.replicas == math.ceil(10 * 2.5 / 0.9 / 0.8)
    assert sizing.bound_by == "rate"
    assert sizing.service is None
    assert calculate_sizing(target_rps=4, ratio=2.0, m4_rps=1.0).replicas == 10
    spare = calculate_sizing(4, 2.0, 1.0, policy=Policy(spare_pods=2))
    assert spare.replicas == 12


@given(st.floats(0.01, 500), st.floats(0.1, 10), st.floats(0.05, 20))
def test_rates_alone_round_the_plain_formula_up(target_rps, ratio, m4_rps):
    exact = target_rps * ratio / m4_rps / 0.8
    replicas = calculate_sizing(target_rps, ratio, m4_rps).replicas
    assert replicas in {
        math.ceil(exact * (1 - 1e-9)),
        math.ceil(exact),
        math.ceil(exact * (1 + 1e-9)),
    }


def test_the_objective_holds_with_the_spare_pods_gone():
    sizing = calculate_sizing(
        2.0,
        service=EXAMPLE,
        objective=Objective(95, 5.0),
        policy=Policy(spare_pods=2),
        evidence=False,
    )
    assert sizing.replicas == sizing.needed + 2
    assert sizing.without_spares.high_s <= 5.0
    assert sizing.whole.objective_s <= sizing.without_spares.objective_s
    assert sizing.without_spares.pods == sizing.needed
    assert sizing.whole.utilisation < sizing.without_spares.utilisation <= 0.8
    assert sizing.hpa_utilisation_percent == int(100 * sizing.whole.utilisation)


def test_utilisation_binds_where_the_objective_is_loose():
    sizing = calculate_sizing(
        100.0,
        service=SMALL,
        objective=Objective(95, 60.0),
        policy=Policy(balancing=Balancing.SHARED),
        evidence=False,
    )
    assert sizing.bound_by == "utilisation"
    assert sizing.needed == math.ceil(180 / 0.8) == 225


def test_a_service_slower_than_the_objective_is_infeasible_whatever_is_done():
    sizing = calculate_sizing(2.0, service=EXAMPLE, objective=Objective(95, 3.0))
    assert not sizing.feasible
    assert (sizing.replicas, sizing.needed, sizing.whole) == (None, None, None)
    slow = float(np.mean(np.array(EXAMPLE.samples_s) > 3.0))
    percentile_s = float(np.percentile(EXAMPLE.samples_s, 95))
    assert slow > 0.05
    said = sizing.reason.removeprefix("infeasible: ")
    assert float(said.partition("%")[0]) == pytest.approx(100 * slow, rel=0.05)
    assert float(said.partition("p95 ")[2].partition(" s")[0]) == pytest.approx(
        percentile_s, rel=0.05
    )
    assert "no number of Pods" in said
    assert any("a smaller model" in item for item in sizing.advice)
    assert calculate_sizing(0.001, service=EXAMPLE, objective=Objective(95, 3.0)).feasible is False


def test_an_objective_without_room_for_any_wait_is_infeasible():
    limit_s = float(np.percentile(EXAMPLE.samples_s, 95)) + 1e-3
    sizing = calculate_sizing(50.0, service=EXAMPLE, objective=Objective(95, limit_s))
    assert not sizing.feasible
    # of two kinds of requests exactly as many are slow as may be
    atoms = Service([1.0] * 19 + [10.0])
    sizing = calculate_sizing(1.0, service=atoms, objective=Objective(95, 5.0))
    assert "no number of Pods is enough" in sizing.reason


@pytest.mark.parametrize(
    ("balancing", "advice"),
    [(Balancing.RANDOM, "another balancer"), (Balancing.SHARED, "a shorter")],
)
def test_a_load_beyond_the_most_pods_is_infeasible_with_advice(balancing, advice):
    sizing = calculate_sizing(
        20_000.0,
        service=SMALL,
        objective=Objective(95, 9.0),
        policy=Policy(balancing=balancing),
        evidence=False,
    )
    assert f"not even {MOST_PODS} Pods" in sizing.reason
    assert sizing.advice[0].startswith(advice)


def test_without_an_objective_utilisation_decides():
    sizing = calculate_sizing(2.0, service=EXAMPLE, policy=Policy(spare_pods=1))
    assert sizing.needed == math.ceil(3.6 / 0.8)
    assert sizing.objective is None
    assert "no latency objective was given" in sizing.reason


def test_the_ratio_scales_the_service():
    plain = calculate_sizing(2.0, service=EXAMPLE, objective=Objective(95, 10.0), evidence=False)
    slow = calculate_sizing(
        2.0, 2.0, service=EXAMPLE, objective=Objective(95, 10.0), evidence=False
    )
    assert slow.offered_load == pytest.approx(2 * plain.offered_load)
    assert slow.replicas > plain.replicas


def test_the_same_seed_gives_the_same_answer_and_bytes():
    asked = {"service": SMALL, "objective": Objective(95, 6.0)}
    first, second = (calculate_sizing(2.0, **asked) for _ in range(2))
    assert msgspec.json.encode(first) == msgspec.json.encode(second)


def test_the_evidence_contains_the_answer():
    sizing = calculate_sizing(2.0, service=SMALL, objective=Objective(95, 6.0))
    chosen = [point for point in sizing.by_pods if point.pods == sizing.needed]
    assert len(chosen) == 1
    assert [point.pods for point in sizing.by_pods] == sorted(
        {point.pods for point in sizing.by_pods}
    )
    figures = [point.objective_s for point in sizing.by_pods]
    assert figures[0] > figures[-1]
    assert any(point.target_rps == 2.0 for point in sizing.by_rps)
    assert sizing.by_rps[-1].utilisation == pytest.approx(0.98)
    changed = {item.changed for item in sizing.sensitivity}
    assert changed == {"target rps", "service time, times", "burstiness"}
    loads = [item.replicas for item in sizing.sensitivity if item.changed == "target rps"]
    assert loads == sorted(loads)
    check = sizing.cross_check
    assert check.simulated_wait_s == pytest.approx(check.allen_cunneen_wait_s, rel=0.5, abs=0.05)


def test_bursts_long_clips_and_hard_clips_need_more_pods():
    def replicas(**changes):
        return calculate_sizing(
            2.0, objective=Objective(95, 20.0), evidence=False, **{"service": SMALL, **changes}
        ).replicas

    plain = replicas()
    assert replicas(burstiness=8.0) >= plain
    assert replicas(windows={1: 0.5, 3: 0.5}) > plain
    hard = msgspec.structs.replace(SMALL, hard_share=0.04)
    assert replicas(service=hard) >= plain
