"""The simulation, held to Ciw, to closed forms, and to itself done slowly."""

import math
from unittest import mock

import ciw
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.queues import by_pod
from support.untraced import untraced
from whisper_bench.sizing import simulate
from whisper_bench.sizing.queueing import erlang_c_wait_s
from whisper_bench.sizing.simulate import Balancing, waits

MEAN_S, CV = 1.8, 0.5
SIGMA = math.sqrt(math.log(1 + CV**2))
MU = math.log(MEAN_S) - SIGMA**2 / 2
EXPONENTIAL, LOGNORMAL = "exponential", "lognormal"


def services(kind, count, random):
    if kind == EXPONENTIAL:
        return random.exponential(MEAN_S, count)
    return random.lognormal(MU, SIGMA, count)


def ours(kind, pods, utilisation, balancing, *, count=150_000, seed=1):
    """Return answers in seconds after the system has filled."""
    random = np.random.default_rng(seed)
    rate = pods * utilisation / MEAN_S
    arrivals_s = np.cumsum(random.exponential(1 / rate, count))
    services_s = services(kind, count, random)
    answers_s = by_pod(arrivals_s, services_s, pods, balancing, random)
    return answers_s[count // 10 :]


@untraced
def theirs(kind, pods, utilisation, balancing, *, customers=30_000, seed=2):
    """The same in Ciw: one node of many servers, or a node a Pod."""
    ciw.seed(seed)
    rate = pods * utilisation / MEAN_S
    service = (
        ciw.dists.Exponential(rate=1 / MEAN_S)
        if kind == EXPONENTIAL
        else ciw.dists.Lognormal(mean=MU, sd=SIGMA)
    )
    nodes = pods if balancing is Balancing.RANDOM else 1
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=rate / nodes)] * nodes,
        service_distributions=[service] * nodes,
        number_of_servers=[pods // nodes] * nodes,
        routing=[[0.0] * nodes for _ in range(nodes)],
    )
    simulation = ciw.Simulation(network)
    end_s = customers / rate
    simulation.simulate_until_max_time(end_s)
    records = sorted(simulation.get_all_records(), key=lambda record: record.arrival_date)
    answers_s = [r.waiting_time + r.service_time for r in records if r.arrival_date > end_s / 10]
    return np.array(answers_s)


def figure_and_error(answers_s, figure, batches=20):
    item = [figure(part) for part in np.array_split(answers_s, batches)]
    return figure(answers_s), np.std(item, ddof=1) / math.sqrt(batches)


FIGURES = {
    "mean": np.mean,
    "p50": lambda part: np.percentile(part, 50),
    "p95": lambda part: np.percentile(part, 95),
}


@pytest.mark.parametrize("kind", [EXPONENTIAL, LOGNORMAL])
@pytest.mark.parametrize("balancing", [Balancing.SHARED, Balancing.RANDOM])
@pytest.mark.parametrize("pods", [1, 4])
@pytest.mark.parametrize("utilisation", [0.5, 0.8])
def test_the_simulation_agrees_with_ciw_within_the_errors_of_both(
    kind, balancing, pods, utilisation
):
    here = ours(kind, pods, utilisation, balancing)
    there = theirs(kind, pods, utilisation, balancing)
    for name, figure in FIGURES.items():
        (value, error), (true, true_error) = (
            figure_and_error(answers, figure) for answers in (here, there)
        )
        assert abs(value - true) <= 4 * math.hypot(error, true_error), name


@pytest.mark.parametrize(("pods", "utilisation"), [(1, 0.6), (3, 0.9), (20, 0.9)])
def test_the_simulation_agrees_with_erlang_c(pods, utilisation):
    answers_s = ours(EXPONENTIAL, pods, utilisation, Balancing.SHARED, count=300_000)
    value, error = figure_and_error(answers_s, np.mean)
    true = MEAN_S + erlang_c_wait_s(pods, pods * utilisation, MEAN_S)
    assert abs(value - true) <= 4 * error
    assert error < 0.05 * true


def slowly(traffic, servers):
    """Serve requests one by one by the definition of a shared queue."""
    free_s, waits_s = [0.0] * servers, []
    for arrival_s, service_s in traffic:
        server = free_s.index(min(free_s))
        start_s = max(arrival_s, free_s[server])
        free_s[server] = start_s + service_s
        waits_s.append(start_s - arrival_s)
    return waits_s


STRETCHES = (1, 1 << 9)
"""Requests that are counted at once if none of them waits: two servers' worth at least, and all."""
TRAFFIC = st.lists(st.tuples(st.floats(0, 3), st.floats(0.01, 5)), min_size=1, max_size=60)


def waits_of(traffic, pods, concurrency, balancing, stretch):
    """Return when requests arrive, what they take and how long they wait, in seconds."""
    arrivals_s = np.cumsum([gap for gap, _ in traffic])
    services_s = np.array([service for _, service in traffic])
    with mock.patch.object(simulate, "_STRETCH", stretch):
        waits_s = waits(
            arrivals_s,
            services_s,
            pods=pods,
            concurrency=concurrency,
            balancing=balancing,
            random=np.random.default_rng(3),
        )
    return arrivals_s, services_s, waits_s


@given(TRAFFIC, st.integers(1, 5), st.integers(1, 3), st.sampled_from(Balancing))
@settings(max_examples=200)
@pytest.mark.parametrize("stretch", STRETCHES)
def test_the_fast_simulation_gives_the_waits_of_the_slow_one(
    stretch, traffic, pods, concurrency, balancing
):
    if balancing is Balancing.LEAST_OUTSTANDING:
        pods = 1  # else it chooses
    arrivals_s, services_s, actual = waits_of(traffic, pods, concurrency, balancing, stretch)
    shared = balancing is Balancing.SHARED  # else the traffic is that of one Pod
    moments = zip(arrivals_s, services_s, strict=True)
    true = slowly(moments, concurrency * (pods if shared else 1))
    assert actual == pytest.approx(true, abs=1e-9)


@given(TRAFFIC, st.integers(1, 5), st.integers(1, 3))
@settings(max_examples=100)
@pytest.mark.parametrize("stretch", STRETCHES)
def test_least_outstanding_never_joins_a_fuller_pod(stretch, traffic, pods, concurrency):
    least = Balancing.LEAST_OUTSTANDING
    arrivals_s, services_s, actual = waits_of(traffic, pods, concurrency, least, stretch)
    # whoever waits found every Pod full: at least pods * concurrency requests were there
    leaves_s = arrivals_s + actual + services_s
    for number in np.flatnonzero(actual > 1e-9):
        inside = np.sum(leaves_s[:number] > arrivals_s[number])
        assert inside >= pods * concurrency


@pytest.mark.parametrize("utilisation", [0.7, 0.9])
def test_least_outstanding_waits_alike_in_short_and_long_stretches(utilisation):
    """Where a stretch ends it is forgotten which Pods are busy: they are alike."""
    whole = ours(LOGNORMAL, 20, utilisation, Balancing.LEAST_OUTSTANDING, count=60_000)
    with mock.patch.object(simulate, "_STRETCH", 1):
        parts = ours(LOGNORMAL, 20, utilisation, Balancing.LEAST_OUTSTANDING, count=60_000)
    for figure in FIGURES.values():
        (value, error), (other, other_error) = (
            figure_and_error(answers, figure) for answers in (whole, parts)
        )
        assert abs(value - other) <= 3 * math.hypot(error, other_error)


def test_mean_answers_grow_from_shared_to_random_balancing():
    means = [
        ours(LOGNORMAL, 6, 0.8, balancing, count=100_000).mean()
        for balancing in (
            Balancing.SHARED,
            Balancing.LEAST_OUTSTANDING,
            Balancing.ROUND_ROBIN,
            Balancing.RANDOM,
        )
    ]
    assert means == sorted(means)
