"""Processes of a gate's sides, made by a script in place of a suite."""

import os
import signal
import tempfile
from contextlib import suppress
from uuid import UUID

import pytest

from support.gate_processes import SAVED_AS, group_in
from support.gates import conditions
from support.pod_runs import framed_log
from support.runs import PATIENCE_S
from whisper_bench.gate import side
from whisper_bench.gate.process import Runner
from whisper_bench.gate.side import Side, SideKind
from whisper_bench.interrupt import Interruption


@pytest.fixture
def scratch(home, monkeypatch):
    """Where temporary folders go, and the only place."""
    (home / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(home / "scratch"))
    monkeypatch.setenv("TMPDIR", str(home / "scratch"))
    return home / "scratch"


@pytest.fixture
def one_name(monkeypatch):
    """Give every process the same save name, so that frames can be made before."""
    monkeypatch.setattr(side, "uuid4", lambda: UUID(int=0))


@pytest.fixture
def measure(home, scratch, one_name):
    """Run a script as a side's command, with the frames of a run in the file `log`."""
    (home / "log").write_text(framed_log(save_name=SAVED_AS))

    def run(script, *, timeout_s=PATIENCE_S, interruption=None, kind=SideKind.COMMAND, **changes):
        (home / "script").write_text(f"#!/bin/sh\n{script}\n")
        (home / "script").chmod(0o755)
        text = "sh ./script" if kind is SideKind.COMMAND else "suite:new"
        engine = str(home / "script")
        runner = Runner(
            conditions(engine=engine, **changes),
            interruption or Interruption(),
            timeout_s=timeout_s,
        )
        return runner(Side(kind, text))

    yield run
    if (home / "group").exists():
        with suppress(ProcessLookupError):
            os.killpg(group_in(home), signal.SIGKILL)
