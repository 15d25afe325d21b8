"""The search for the fewest Pods: its ends, and what more load must never do."""

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.services import SMALL
from whisper_bench.sizing import search
from whisper_bench.sizing.demand import Load, Objective, Question
from whisper_bench.sizing.policy import Policy
from whisper_bench.sizing.search import fewest_for_utilisation, fewest_pods
from whisper_bench.sizing.service import Service
from whisper_bench.sizing.simulate import Balancing


def test_the_search_ends_at_the_most_pods(monkeypatch):
    policy = Policy(balancing=Balancing.RANDOM, max_utilisation=0.99)
    question = Question(SMALL, Load(2.0), policy, Objective(95, 5.0))
    assert fewest_pods(question).pods > 8
    monkeypatch.setattr(search, "MOST_PODS", 8)
    assert fewest_pods(question) is None


def test_a_first_guess_does_not_change_the_answer():
    policy = Policy(balancing=Balancing.RANDOM, max_utilisation=0.99)
    question = Question(SMALL, Load(2.0), policy, Objective(95, 5.0))
    actual = {fewest_pods(question, near=near).pods for near in (1, 9, 13, 40, 10**9)}
    assert actual == {fewest_pods(question).pods}


SLOWS = st.floats(1.05, 2.0)
BALANCINGS = st.sampled_from(Balancing)
RATES = st.floats(0.2, 3)
LIMITS_S = st.floats(4, 8)
FEW = settings(max_examples=8)
"""Each example is two searches over some hundred thousand requests."""


def pods(rps, service, limit_s, balancing):
    policy = Policy(balancing=balancing, max_utilisation=0.9)
    actual = fewest_pods(Question(service, Load(rps), policy, Objective(95, limit_s)))
    return math.inf if actual is None else actual.pods


@given(RATES, SLOWS, LIMITS_S, BALANCINGS)
@FEW
def test_more_load_never_needs_fewer_pods(rps, more, limit_s, balancing):
    assert pods(rps, SMALL, limit_s, balancing) <= pods(rps * more, SMALL, limit_s, balancing)


@given(RATES, SLOWS, LIMITS_S, BALANCINGS)
@FEW
def test_a_slower_service_never_needs_fewer_pods(rps, slower, limit_s, balancing):
    slow = msgspec.structs.replace(SMALL, factor=slower)
    assert pods(rps, SMALL, limit_s, balancing) <= pods(rps, slow, limit_s, balancing)


@given(RATES, SLOWS, LIMITS_S, BALANCINGS)
@FEW
def test_a_tighter_objective_never_needs_fewer_pods(rps, tighter, limit_s, balancing):
    assert pods(rps, SMALL, limit_s, balancing) <= pods(rps, SMALL, limit_s / tighter, balancing)


def test_a_whole_number_of_pods_is_not_rounded_up():
    service = Service([0.8])
    assert fewest_for_utilisation(service, Load(1.0), Policy()) == 1
    question = Question(service, Load(1.0), Policy(), Objective(95, 5.0))
    assert question.offered_load == pytest.approx(0.8)
