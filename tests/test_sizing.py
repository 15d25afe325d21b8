"""Sizing: the worked example, properties, refusals, and the plain formula."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whisper_bench import calculate_sizing
from whisper_bench.errors import BenchError
from whisper_bench.sizing import search
from whisper_bench.sizing.demand import Load, Objective, Policy, Question, seconds
from whisper_bench.sizing.estimate import predict_latency
from whisper_bench.sizing.pod import pod_size
from whisper_bench.sizing.search import MOST_PODS, fewest_for_utilisation, fewest_pods
from whisper_bench.sizing.service import Service
from whisper_bench.sizing.simulate import Balancing

SIGMA = math.sqrt(math.log(1 + 0.5**2))


def lognormal(mean_s=1.8, count=20_000):
    """Service times of a mean and a coefficient of variation of 0.5, by quantiles."""
    normal = np.random.default_rng(5).normal(size=count)
    normal = (normal - normal.mean()) / normal.std()
    drawn = np.exp(SIGMA * normal)
    return Service((drawn * mean_s / drawn.mean()).tolist())


EXAMPLE = lognormal()


@pytest.mark.parametrize(
    ("balancing", "pods"),
    [
        (Balancing.SHARED, 5),
        (Balancing.LEAST_OUTSTANDING, 5),
        (Balancing.ROUND_ROBIN, 6),
        (Balancing.RANDOM, 13),
    ],
)
def test_the_worked_example(balancing, pods):
    sizing = calculate_sizing(
        2.0,
        service=EXAMPLE,
        objective=Objective(95, 5.0),
        policy=Policy(balancing=balancing, max_utilisation=0.99, spare_pods=0),
        evidence=False,
    )
    assert sizing.replicas == pods


def test_as_many_pods_as_there_is_work_are_far_too_few():
    policy = Policy(balancing=Balancing.SHARED, max_utilisation=0.99)
    question = Question(EXAMPLE, Load(2.0), policy, Objective(95, 5.0))
    found = predict_latency(question, math.ceil(2.0 * 1.8))
    assert found.objective_s == pytest.approx(10.6, rel=0.1)
    assert found.fails(Objective(95, 5.0))


def test_the_search_ends_at_the_most_pods(monkeypatch):
    policy = Policy(balancing=Balancing.RANDOM, max_utilisation=0.99)
    question = Question(SMALL, Load(2.0), policy, Objective(95, 5.0))
    assert fewest_pods(question).pods > 8
    monkeypatch.setattr(search, "MOST_PODS", 8)
    assert fewest_pods(question) is None


def test_a_guess_changes_nothing_but_the_time():
    policy = Policy(balancing=Balancing.RANDOM, max_utilisation=0.99)
    question = Question(SMALL, Load(2.0), policy, Objective(95, 5.0))
    found = {fewest_pods(question, near=near).pods for near in (1, 9, 13, 40, 10**9)}
    assert found == {fewest_pods(question).pods}


def test_rates_alone_give_the_plain_formula():
    sizing = calculate_sizing(10, 2.5, 0.9)
    assert sizing.replicas == math.ceil(10 * 2.5 / 0.9 / 0.8)
    assert sizing.bound_by == "rate"
    assert sizing.service is None
    assert calculate_sizing(target_rps=4, ratio=2.0, m4_rps=1.0).replicas == 10
    spare = calculate_sizing(4, 2.0, 1.0, policy=Policy(spare_pods=2))
    assert spare.replicas == 12


@given(st.floats(0.01, 500), st.floats(0.1, 10), st.floats(0.05, 20))
def test_the_plain_formula_is_one(target_rps, ratio, m4_rps):
    exact = target_rps * ratio / m4_rps / 0.8
    replicas = calculate_sizing(target_rps, ratio, m4_rps).replicas
    assert replicas in {
        math.ceil(exact * (1 - 1e-9)),
        math.ceil(exact),
        math.ceil(exact * (1 + 1e-9)),
    }


SLOWS = st.floats(1.05, 2.0)
BALANCINGS = st.sampled_from(Balancing)
QUICK = settings(max_examples=20, deadline=None)


def pods(rps, service, limit_s, balancing):
    policy = Policy(balancing=balancing, max_utilisation=0.9)
    found = fewest_pods(Question(service, Load(rps), policy, Objective(95, limit_s)))
    return math.inf if found is None else found.pods


SMALL = lognormal(count=500)


@given(st.floats(0.2, 8), SLOWS, st.floats(4, 12), BALANCINGS)
@QUICK
def test_more_load_never_needs_fewer_pods(rps, more, limit_s, balancing):
    assert pods(rps, SMALL, limit_s, balancing) <= pods(rps * more, SMALL, limit_s, balancing)


@given(st.floats(0.2, 8), SLOWS, st.floats(4, 12), BALANCINGS)
@QUICK
def test_a_slower_service_never_needs_fewer_pods(rps, slower, limit_s, balancing):
    slow = msgspec.structs.replace(SMALL, factor=slower)
    assert pods(rps, SMALL, limit_s, balancing) <= pods(rps, slow, limit_s, balancing)


@given(st.floats(0.2, 8), SLOWS, st.floats(4, 12), BALANCINGS)
@QUICK
def test_a_tighter_objective_never_needs_fewer_pods(rps, tighter, limit_s, balancing):
    assert pods(rps, SMALL, limit_s, balancing) <= pods(rps, SMALL, limit_s / tighter, balancing)


def test_the_objective_holds_with_the_spare_pods_gone():
    sizing = calculate_sizing(
        2.0, service=EXAMPLE, objective=Objective(95, 5.0), policy=Policy(spare_pods=2)
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
    assert sizing.reason.startswith(
        "infeasible: 9.22% of the requests take longer than 3 s in a Pod"
    )
    assert "(p95 3.48 s), and 5 % may" in sizing.reason
    assert "no number of Pods helps" in sizing.reason
    assert any("a smaller model" in each for each in sizing.advice)
    assert calculate_sizing(0.001, service=EXAMPLE, objective=Objective(95, 3.0)).feasible is False


def test_an_objective_without_room_for_any_wait_is_infeasible():
    limit_s = float(np.percentile(EXAMPLE.samples_s, 95)) + 1e-3
    sizing = calculate_sizing(50.0, service=EXAMPLE, objective=Objective(95, limit_s))
    assert not sizing.feasible
    # of two kinds of requests exactly as many are slow as may be
    atoms = Service([1.0] * 19 + [10.0])
    sizing = calculate_sizing(1.0, service=atoms, objective=Objective(95, 5.0))
    assert "no number of Pods helps" in sizing.reason


@pytest.mark.parametrize(
    ("balancing", "advice"),
    [(Balancing.RANDOM, "another balancer"), (Balancing.SHARED, "a shorter")],
)
def test_more_pods_than_can_be_had(balancing, advice):
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


def test_evidence_goes_through_the_answer():
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
    changed = {each.changed for each in sizing.sensitivity}
    assert changed == {"target rps", "service time, times", "burstiness"}
    loads = [each.replicas for each in sizing.sensitivity if each.changed == "target rps"]
    assert loads == sorted(loads)
    check = sizing.cross_check
    assert check.simulated_wait_s == pytest.approx(check.allen_cunneen_wait_s, rel=0.5, abs=0.05)


def test_bursts_and_long_clips_and_hard_ones_need_more():
    def replicas(**changes):
        return calculate_sizing(
            2.0, objective=Objective(95, 20.0), evidence=False, **{"service": SMALL, **changes}
        ).replicas

    plain = replicas()
    assert replicas(burstiness=8.0) >= plain
    assert replicas(windows={1: 0.5, 3: 0.5}) > plain
    hard = msgspec.structs.replace(SMALL, hard_share=0.04)
    assert replicas(service=hard) >= plain


def test_draws_have_the_mean_that_is_told():
    service = msgspec.structs.replace(SMALL, factor=1.5, hard_share=0.1, hard_factor=5.0)
    mix = {1: 3.0, 2: 1.0}
    drawn = service.draw(mix, 400_000, np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(service.mean_s(mix), rel=0.01)
    of_two = msgspec.structs.replace(SMALL, windows=2)
    assert of_two.mean_s({2: 1.0}) == pytest.approx(SMALL.mean_s({1: 1.0}))


@pytest.mark.parametrize("burstiness", [1.0, 4.0])
def test_arrivals_have_the_rate_and_the_burstiness_that_is_told(burstiness):
    gaps = Load(5.0, burstiness).arrivals(1_000_000, np.random.default_rng(1))
    assert gaps.mean() == pytest.approx(0.2, rel=0.02)
    assert (gaps.std() / gaps.mean()) ** 2 == pytest.approx(burstiness, rel=0.05)


def test_pods_that_cannot_keep_up_have_no_figures():
    found = predict_latency(Question(SMALL, Load(2.0), Policy(), Objective(95, 5.0)), 3)
    assert found.utilisation == pytest.approx(1.2)
    assert found.objective_s is None
    assert found.fails(Objective(95, 1e9))
    assert not found.holds(Objective(95, 1e9))


def test_a_whole_number_of_pods_is_not_rounded_up():
    service = Service([0.8])
    assert fewest_for_utilisation(service, Load(1.0), Policy()) == 1
    question = Question(service, Load(1.0), Policy(), Objective(95, 5.0))
    assert question.offered_load == pytest.approx(0.8)


def test_a_pod_asks_for_what_was_measured():
    pod = pod_size(
        threads=1, cpu_limit=1.0, peak_rss_bytes=343 * 2**20, busy_cpus=1.0, measured_on="xeon"
    )
    assert (pod.cpu, pod.memory_mib, pod.threads) == (1, 448, 1)
    assert pod.memory_mib >= 343 * 1.25
    two = pod_size(
        threads=2,
        cpu_limit=None,
        peak_rss_bytes=2**30,
        busy_cpus=1.4,
        measured_on="xeon",
        concurrency=2,
    )
    assert (two.cpu, two.memory_mib) == (4, 2560)
    half = pod_size(threads=1, cpu_limit=0.5, peak_rss_bytes=1, busy_cpus=0.5, measured_on="x")
    assert half.cpu == 1
    # a busy worker is half a CPU of the one that is asked for
    sized = calculate_sizing(2.0, service=EXAMPLE, policy=Policy(spare_pods=0), pod=half)
    assert sized.hpa_utilisation_percent == int(100 * sized.utilisation / 2)


def test_the_bound_is_never_below_the_estimate_however_busy_the_pods_are():
    for rps, pods, balancing in ((5, 10, "shared"), (2, 4, "shared"), (0.5, 1, "random")):
        question = Question(
            lognormal(count=500),
            Load(rps),
            Policy(balancing=Balancing(balancing), max_utilisation=0.99),
            Objective(99, 20.0),
        )
        found = predict_latency(question, pods)
        assert found.utilisation >= 0.89
        assert found.low_s < found.objective_s
        assert found.high_s is None or found.high_s > found.objective_s


def test_pods_too_busy_to_be_simulated_do_not_hold():
    question = Question(
        SMALL,
        Load(0.999 / 1.8),
        Policy(balancing=Balancing.SHARED, max_utilisation=0.9995),
        Objective(95, 1e6),
    )
    found = predict_latency(question, 1)
    assert found.high_s is None
    assert not found.holds(question.objective)
    assert fewest_pods(question).pods == 2


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Load(0), "target rps 0: give requests a second above 0"),
        (lambda: Load(math.nan), "target rps nan"),
        (lambda: Load(1, 0.5), "burstiness 0.5: give 1 (Poisson) or more"),
        (lambda: Load(1, 1, {}), "audio mix {}"),
        (lambda: Load(1, 1, {1: math.nan}), "audio mix {1: nan}"),
        (lambda: Load(1, 1, {1.5: 1.0}), "audio mix {1.5: 1.0}"),
        (lambda: Load(1, 1, {481: 1.0}), "lengths of 1 to 480 windows of 30 s"),
        (lambda: Load(1, 1, {1: 1.0}, 0.0), "audio of 0 s: give a length above 0"),
        (lambda: Load(1e300), "target rps 1e+300, burstiness 1: up to 100000 and 100"),
        (lambda: Load(1, 1e3), "target rps 1, burstiness 1000: up to 100000 and 100"),
        (lambda: Objective(150, 1), "objective of p150: give a percentile such as 95"),
        (lambda: Objective(math.nan, 1), "objective of pnan"),
        (lambda: Policy(spare_pods=1.5), "spare Pods 1.5: give whole numbers"),
        (lambda: Policy(concurrency=1000), "concurrency 1000 and spare Pods 1: give whole numbers"),
        (lambda: Policy(max_utilisation=1e-9), "utilisation 1e-09: give a share from 0.01"),
        (lambda: Question(SMALL, Load(1), Policy(), Objective(95, 9), -1), "seed -1: give a whole"),
        (
            lambda: calculate_sizing(4, 2.0, 1.0, objective=Objective(95, 0.1)),
            "an objective is held over measured service times; give service= as well",
        ),
        (lambda: Load(1, 1, {0: 1.0}), "audio mix {0: 1.0}"),
        (lambda: Load(1, 1, {1: -1.0}), "audio mix {1: -1.0}"),
        (lambda: Objective(95, 0), "objective of 0 s"),
        (lambda: Policy(max_utilisation=1.0), "utilisation 1: give a share from 0.01 to below 1"),
        (lambda: Policy(concurrency=0), "concurrency 0 and spare Pods 1"),
        (lambda: Policy(spare_pods=-1), "concurrency 1 and spare Pods -1"),
        (lambda: Service([]), "service times must be positive numbers of seconds"),
        (lambda: Service([1.0, math.nan]), "service times must be positive numbers of seconds"),
        (lambda: Service([1.0], factor=0.0), "factor 0 and share of hard clips 0"),
        (lambda: Service([1.0], hard_share=2.0), "share of hard clips 2"),
        (lambda: Service([1.0], hard_factor=0.5), "hard clips take 0.5 times as long"),
        (lambda: calculate_sizing(1.0, 0.0, 1.0), "ratio 0: give a number above 0"),
        (lambda: calculate_sizing(1.0, 1.0), "m4_rps None: without measured service times"),
        (lambda: calculate_sizing(1.0, 1.0, -1.0), "m4_rps -1.0: without measured"),
        (lambda: seconds("soon"), "'soon' is no time; write it as 5s, 750ms or 2m"),
    ],
)
def test_what_is_not_possible_is_named(make, told):
    with pytest.raises(BenchError) as caught:
        make()
    assert told in str(caught.value)


def test_times_are_read():
    assert [seconds(text) for text in ("5s", "750ms", "2m", "1.5", "3 min")] == [
        5,
        0.75,
        120,
        1.5,
        180,
    ]
