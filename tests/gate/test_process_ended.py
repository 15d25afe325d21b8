"""Nothing of a side's process is left, however it is ended."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from support.gate_processes import GROUP, HANG_S, HANGS, failure, group_in
from support.gates import all_ended, in_group
from support.runs import PATIENCE_S, SCRIPTS
from whisper_bench.gate import process
from whisper_bench.gate.side import SideKind
from whisper_bench.interrupt import Interruption


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
    actual = []

    def send():
        actual.append(group_in(home))
        os.kill(os.getpid(), number)

    interruption = Interruption()
    sender = threading.Thread(target=send)
    with interruption.watched():
        sender.start()
        with pytest.raises(KeyboardInterrupt):
            measure(HANGS, interruption=interruption)
        sender.join()
    assert all_ended(actual[0])
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
