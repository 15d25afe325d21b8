"""The real gates whose samples come with the documentation: judged again, and told as they were."""

import importlib.util
import json
from collections import Counter

import pytest

from support.project import ROOT

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
    for line in [*trials.table(gates), *trials.slowdowns(gates), *trials.replays(gates)]:
        assert line in shown
    assert Counter(name.partition("-")[0] for name in gates)["slow"] > 0


def test_gates_are_added_to_those_that_are_there(trials, tmp_path):
    gate = {
        "began": "2026-11-25T11:11:39Z",
        "elapsed_s": 61.84,
        "answer": "PASS",
        "cases": [{"metric": "wall time"}],
        "turns": [
            {
                "pair": 1,
                "side": "baseline",
                "samples": [
                    {"latency_s": [0.75, 0.76], "cpu_s": [0.7, 0.71], "contended_rounds": 0}
                ],
            }
        ],
    }
    samples = tmp_path / "gates.csv"
    for name in ("aa-1-01", "aa-1-02"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "gate.json").write_text(json.dumps(gate))
        trials.add(samples, sorted(tmp_path.glob("aa-*")))
    gates = trials.read(samples)
    assert {name: len(rows) for name, rows in gates.items()} == {"aa-1-01": 1, "aa-1-02": 1}
    assert gates["aa-1-02"][0]["date"] == "2026-11-25"
    assert trials.means(gates["aa-1-02"], "baseline", "latency_s") == [pytest.approx(0.755)]
