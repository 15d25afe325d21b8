"""The real gates whose samples come with the documentation: judged again, and told as they were."""

import importlib.util
from collections import Counter

import pytest

from conftest import ROOT

SAMPLES = ROOT / "docs" / "sample" / "gates.csv"


@pytest.fixture(scope="module")
def trials():
    spec = importlib.util.spec_from_file_location("trials", ROOT / "benchmarks" / "gate_trials.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_samples_say_what_the_gates_said(trials):
    gates = trials.read(SAMPLES)
    assert {name: trials.judged_again(gate) for name, gate in gates.items()} == {
        name: gate[0]["answer"] for name, gate in gates.items()
    }


def test_every_gate_ran_in_abba_and_was_looked_at_when_it_may(trials):
    for gate in trials.read(SAMPLES).values():
        sides = "".join(row["side"][0] for row in gate)
        assert sides == (len(gate) // 4) * "bccb"
        assert len(gate) // 2 in {4, 6, 8, 12, 16, 24, 32}


def test_the_documentation_has_their_table(trials):
    gates = trials.read(SAMPLES)
    shown = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
    for line in [*trials.table(gates), *trials.slowdowns(gates)]:
        assert line in shown
    assert Counter(name.partition("-")[0] for name in gates)["slow"] > 0
