"""`whisper-bench gate` as a user types it, whose sides are played and not run."""

import pytest

from support.gates import Played, around
from whisper_bench.cli import main
from whisper_bench.gate import process as gate_process

SIDES = ["image:suite:main", "image:suite:new"]


@pytest.fixture
def measuring(home, monkeypatch):
    """Let no side run: it is played, and the sides asked for are noted."""

    class Sides(Played):
        def __call__(self, side):
            name = "baseline" if str(side).endswith("main") else "candidate"
            self.order.append(name)
            return getattr(self, name)(self.order.count(name))

    played = Sides(around(1.0), around(1.0, seed=2))
    monkeypatch.setattr(gate_process, "Runner", lambda *_, **__: played)
    return played


@pytest.fixture
def gate(capsys):
    """Type the command: its exit status, what it printed, and what it said."""

    def typed(*options, sides=SIDES):
        status = main(["gate", *sides, *map(str, options)])
        return (status, *capsys.readouterr())

    return typed
