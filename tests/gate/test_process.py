"""One process of a side: its end, what it printed, and that nothing of it is left."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest

from support.gates import all_ended, conditions, in_group
from support.pod_runs import RUN, framed_log
from support.runs import PATIENCE_S, SCRIPTS, wait_until
from whisper_bench.errors import BenchError
from whisper_bench.gate import process, side
from whisper_bench.gate.process import Runner, SideFailedError
from whisper_bench.gate.side import Side, SideKind
from whisper_bench.interrupt import Interruption

GROUP = "ps -o pgid= -p $$ > group"
HANGS = f"{GROUP}; sleep 1000 & sleep 1000"
HANG_S = 3.0
"""Given to a side that hangs: long enough for its first line to run on a busy machine."""
SAVED_AS = "gate-000000000000"
"""What every run is to be saved as, where a test has asked for `one_name`."""


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


def group_in(folder):
    """Wait for the process group that a script writes down, and return it."""

    def written():
        return (folder / "group").exists() and (folder / "group").read_text().strip()

    return int(wait_until(written, lambda: "no group was written down"))


def failure(measure, script, **settings):
    with pytest.raises(SideFailedError) as caught:
        measure(script, **settings)
    return str(caught.value)


def test_samples_that_were_given_before_are_refused(home, measure):
    runner = Runner(conditions(), Interruption(), timeout_s=PATIENCE_S)
    replay = Side(SideKind.COMMAND, "sh -c 'cat log'")
    assert runner(replay).cases
    with pytest.raises(SideFailedError, match="the same samples as an earlier process"):
        runner(replay)


def test_a_run_of_an_earlier_gate_is_refused_at_once(home):
    """It was never given to this gate, and so only its name tells."""
    (home / "log").write_text(framed_log(save_name=SAVED_AS))
    runner = Runner(conditions(), Interruption(), timeout_s=PATIENCE_S)
    with pytest.raises(SideFailedError) as refused:
        runner(Side(SideKind.COMMAND, "sh -c 'cat log'"))
    assert f"its run is named '{SAVED_AS}', expected 'gate-" in str(refused.value)
    assert "print no older run" in str(refused.value)


def test_no_folder_for_temporary_files(home, measure, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(home / "gone"))
    with pytest.raises(BenchError, match="temporary files cannot be written .*(TMPDIR)"):
        measure("cat log")


def test_a_whole_run_is_taken_as_it_was_saved(measure, scratch):
    run = measure("cat log")
    saved = json.loads(RUN.read_text())
    assert run.machine.node == saved["machine_info"]["node"]
    assert [f"{each.name}[{each.record.label}]" for each in run.cases] == [
        each["name"] for each in saved["benchmarks"]
    ]
    assert [[one.latency_s for one in each.record.rounds] for each in run.cases] == [
        pytest.approx(each["stats"]["data"]) for each in saved["benchmarks"]
    ]
    assert list(scratch.iterdir()) == []


ENDS = {
    "exit 1": "exit status 1",
    "exit 4": "exit status 4",
    "exit 125": "exit status 125: the container could not be started",
    "exit 126": "exit status 126: the command cannot be executed",
    "exit 127": "exit status 127: the command was not found",
    "exit 137": "it was killed by SIGKILL; usually it was out of memory",
    "exit 143": "it was killed by SIGTERM",
    "kill -KILL $$": "it was killed by SIGKILL; usually it was out of memory",
    "kill -TERM $$": "it was killed by SIGTERM",
    "kill -SEGV $$": "it was killed by SIGSEGV",
    "exit 255": "exit status 255",
    "cat log; exit 1": "exit status 1",
}


@pytest.mark.parametrize("script", ENDS)
def test_an_end_that_is_none_is_said_in_words(measure, script):
    said = failure(measure, script)
    assert said.splitlines()[0] == ENDS[script]
    assert ("memory" in said) == ("SIGKILL" in said)


def test_its_own_words_tell_why_and_frames_are_none(measure):
    noise = "for each in 1 2 3 4 5 6 7 8 9; do echo noise $each; done"
    said = failure(measure, f"cat log; echo 'FAILED: not measured: x' >&2; {noise}; exit 1")
    assert said == "exit status 1\n  FAILED: not measured: x"
    said = failure(measure, f"cat log; {noise}; exit 1")
    assert said.splitlines()[1:] == [f"  noise {each}" for each in range(4, 10)]


def test_a_command_that_is_not_there(scratch):
    runner = Runner(conditions(), Interruption(), timeout_s=PATIENCE_S)
    with pytest.raises(
        SideFailedError, match=r"(?s)127: the command was not found.*absent-command"
    ):
        runner(Side(SideKind.COMMAND, "absent-command benchmarks"))
    with pytest.raises(SideFailedError, match=r"absent/bin/pytest cannot be started: No such file"):
        runner(Side(SideKind.VENV, "absent"))
    assert list(scratch.iterdir()) == []


def test_a_hang_is_killed_with_its_children(measure, home, scratch, monkeypatch):
    monkeypatch.setattr(process, "_GRACE_S", PATIENCE_S)
    start_s = time.monotonic()
    said = failure(measure, f"trap 'exit 0' TERM\n{HANGS}", timeout_s=HANG_S)
    assert said == "it had not ended after 3 s and was killed; raise --timeout"
    assert time.monotonic() - start_s < PATIENCE_S  # it ends when told to
    assert list(scratch.iterdir()) == []
    assert all_ended(group_in(home))


def test_one_that_ignores_being_told_to_end_is_killed(measure, home, monkeypatch):
    monkeypatch.setattr(process, "_GRACE_S", 0.3)
    failure(measure, f"trap '' TERM\n{HANGS}", timeout_s=HANG_S)
    assert all_ended(group_in(home))


def test_what_a_green_process_leaves_running_is_ended(measure, home):
    assert measure(f"{GROUP}; sleep 1000 & cat log").cases
    assert all_ended(group_in(home))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_gate_ends_the_process_and_its_children(measure, home, scratch, number):
    found = []

    def send():
        found.append(group_in(home))
        os.kill(os.getpid(), number)

    interruption = Interruption()
    sender = threading.Thread(target=send)
    with interruption.watched():
        sender.start()
        with pytest.raises(KeyboardInterrupt):
            measure(HANGS, interruption=interruption)
        sender.join()
    assert all_ended(found[0])
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_leaves_nothing(home, scratch, number):
    (home / "hangs.sh").write_text(HANGS)
    gate = subprocess.Popen(
        [sys.executable, SCRIPTS / "whisper-bench", "gate", "sh ./hangs.sh", "sh ./hangs.sh"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    group = group_in(home)
    assert in_group(group)
    gate.send_signal(number)
    said, _ = gate.communicate(timeout=PATIENCE_S)
    assert gate.returncode == 130
    assert "interrupted; nothing is decided" in said
    assert all_ended(group)
    assert list(scratch.iterdir()) == []
    assert not list(Path("benchmark_results").glob("gate.*"))


ENGINE = 'echo "$@" >> calls; [ $1 = run ] || exit 0\n'


def test_a_container_that_hangs_is_removed_by_its_name(measure, home):
    failure(measure, f"{ENGINE}{HANGS}", kind=SideKind.IMAGE, timeout_s=HANG_S)
    run, removal = (home / "calls").read_text().splitlines()
    assert removal.startswith("rm --force --volumes whisper-bench-gate-")
    assert f"--name={removal.split()[-1]} " in run
    assert all_ended(group_in(home))


def test_a_container_whose_client_was_killed_is_removed(measure, home):
    """The daemon goes on with it."""
    failure(measure, f"{ENGINE}kill -KILL $$", kind=SideKind.IMAGE)
    assert (home / "calls").read_text().splitlines()[-1].startswith("rm --force ")


def test_a_container_that_ended_by_itself(measure):
    assert measure(f"{ENGINE}cat log", kind=SideKind.IMAGE).cases


@pytest.mark.parametrize("script", ["exec yes told", "yes told | head -c 3000000; exit 0"])
def test_a_side_that_prints_without_end_is_ended(measure, monkeypatch, script):
    monkeypatch.setattr(process, "_MOST_OUTPUT_BYTES", 2 * 2**20)
    message = failure(measure, script)
    assert message.startswith("it printed more than 2 MiB and was killed; make it print less")
    assert message.splitlines()[1:2] == ["  told"]


def test_why_a_side_failed_is_looked_for_at_the_end_of_what_it_printed(measure):
    script = "echo FAILED: long ago; yes x | head -c 1000000; echo FAILED: just now; exit 1"
    assert failure(measure, script) == "exit status 1\n  FAILED: just now"
