"""Closed forms of queues, against the defining sums."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_bench.sizing.queueing import (
    allen_cunneen_wait_s,
    erlang_c,
    erlang_c_wait_s,
)


@given(st.integers(1, 60), st.floats(0.05, 0.98))
def test_erlang_c_is_the_defining_sum(servers, utilisation):
    load = servers * utilisation
    terms = [load**n / math.factorial(n) for n in range(servers)]
    last = load**servers / math.factorial(servers) / (1 - utilisation)
    assert erlang_c(servers, load) == pytest.approx(last / (sum(terms) + last), rel=1e-9)


def test_one_server_waits_as_often_as_it_is_busy():
    assert erlang_c(1, 0.7) == pytest.approx(0.7)
    assert erlang_c_wait_s(1, 0.7, 2.0) == pytest.approx(0.7 * 2.0 / 0.3)


def test_thousands_of_servers_do_not_overflow():
    assert 0 < erlang_c(5000, 4900) < 1


def test_servers_that_cannot_keep_up_have_an_infinite_wait():
    assert erlang_c(3, 3) == 1.0
    assert erlang_c_wait_s(3, 3, 1.0) == math.inf


def test_allen_cunneen_is_exact_for_mmc_and_mg1():
    # M/M/c, and Pollaczek and Khinchine's mean wait for M/G/1
    assert allen_cunneen_wait_s(5, 4, 1.0, 1, 1) == pytest.approx(erlang_c_wait_s(5, 4, 1.0))
    assert allen_cunneen_wait_s(1, 0.6, 2.0, 1, 0.25) == pytest.approx(0.6 * 2.0 * 1.25 / (2 * 0.4))
