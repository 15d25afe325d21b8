"""What is drawn, and the percentiles of it with their error bounds."""

import msgspec
import numpy as np
import pytest

from support.queues import by_pod
from support.services import SMALL, lognormal
from whisper_bench.sizing.demand import Load, Objective, Question
from whisper_bench.sizing.estimate import predict_latency
from whisper_bench.sizing.policy import Policy
from whisper_bench.sizing.search import fewest_pods
from whisper_bench.sizing.simulate import Balancing

OWN_QUEUES = [balancing for balancing in Balancing if balancing.has_own_queues]


def test_draws_have_the_mean_of_the_service():
    service = msgspec.structs.replace(SMALL, factor=1.5, hard_share=0.1, hard_factor=5.0)
    mix = Load(1.0, windows={1: 3.0, 2: 1.0})
    drawn = service.draw(mix, 400_000, np.random.default_rng(1)).services_s
    assert drawn.mean() == pytest.approx(service.mean_s(mix), rel=0.01)
    of_two = msgspec.structs.replace(SMALL, windows=2)
    assert of_two.mean_s(Load(1.0, windows={2: 1.0})) == pytest.approx(SMALL.mean_s(Load(1.0)))


@pytest.mark.parametrize("burstiness", [1.0, 4.0])
def test_arrivals_have_the_rate_and_burstiness_of_the_load(burstiness):
    gaps = Load(5.0, burstiness).arrivals(1_000_000, np.random.default_rng(1))
    assert gaps.mean() == pytest.approx(0.2, rel=0.02)
    assert (gaps.std() / gaps.mean()) ** 2 == pytest.approx(burstiness, rel=0.05)


@pytest.mark.parametrize("burstiness", [1.0, 4.0])
@pytest.mark.parametrize("balancing", OWN_QUEUES)
@pytest.mark.parametrize("pods", [1, 5])
def test_a_pod_gets_its_share_of_the_arrivals_with_the_burstiness_of_theory(
    pods, balancing, burstiness
):
    """Round robin sums as many times as there are Pods; random choice thins them (a renewal's)."""
    random = np.random.default_rng(1)
    gaps_s = Load(5.0, burstiness).at_a_pod(pods, balancing, 400_000, random)
    assert gaps_s.mean() == pytest.approx(pods / 5.0, rel=0.02)
    expected = burstiness / pods
    if balancing is Balancing.RANDOM:
        expected = 1 + (burstiness - 1) / pods
    assert (gaps_s.std() / gaps_s.mean()) ** 2 == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("burstiness", [1.0, 4.0])
@pytest.mark.parametrize("balancing", OWN_QUEUES)
def test_one_pod_answers_like_all_of_them(balancing, burstiness):
    pods, load, count = 5, Load(5 * 0.7 / 1.8, burstiness), 200_000
    service, random = lognormal(count=500), np.random.default_rng(4)
    question = Question(service, load, Policy(balancing=balancing), Objective(95, 1e-3))
    arrivals_s = np.cumsum(load.arrivals(count, random))
    services_s = service.draw(load, count, random).services_s
    answers_s = by_pod(arrivals_s, services_s, pods, balancing, random)[count // 10 :]
    parts = np.array_split(answers_s, 20)
    for percent, name in ((50, "p50_s"), (95, "p95_s"), (99, "p99_s")):
        true_s = np.percentile(answers_s, percent)
        error_s = np.std([np.percentile(part, percent) for part in parts], ddof=1) / 20**0.5
        of_seeds_s = [
            getattr(predict_latency(msgspec.structs.replace(question, seed=seed), pods), name)
            for seed in range(5)
        ]
        error_s = np.hypot(error_s, np.std(of_seeds_s, ddof=1) / 5**0.5)
        assert np.mean(of_seeds_s) == pytest.approx(true_s, abs=4 * error_s)


def test_pods_that_cannot_keep_up_have_no_figures():
    actual = predict_latency(Question(SMALL, Load(2.0), Policy(), Objective(95, 5.0)), 3)
    assert actual.utilisation == pytest.approx(1.2)
    assert actual.objective_s is None
    assert actual.misses(Objective(95, 1e9))
    assert not actual.meets(Objective(95, 1e9))


def test_the_bound_is_never_below_the_estimate_however_busy_the_pods_are():
    for rps, pods, balancing in ((5, 10, "shared"), (2, 4, "shared"), (0.5, 1, "random")):
        question = Question(
            lognormal(count=500),
            Load(rps),
            Policy(balancing=Balancing(balancing), max_utilisation=0.99),
            Objective(99, 20.0),
        )
        actual = predict_latency(question, pods)
        assert actual.utilisation >= 0.89
        assert actual.low_s < actual.objective_s
        assert actual.high_s is None or actual.high_s > actual.objective_s


def test_pods_too_busy_to_be_simulated_do_not_hold():
    question = Question(
        SMALL,
        Load(0.999 / 1.8),
        Policy(balancing=Balancing.SHARED, max_utilisation=0.9995),
        Objective(95, 1e6),
    )
    actual = predict_latency(question, 1)
    assert actual.high_s is None
    assert not actual.meets(question.objective)
    assert fewest_pods(question).pods == 2
