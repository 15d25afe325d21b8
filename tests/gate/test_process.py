"""One process of a side: how it ended, and what it printed."""

import json
import tempfile

import pytest

from support.gate_processes import SAVED_AS, failure
from support.gates import conditions
from support.pod_runs import RUN, framed_log
from support.runs import PATIENCE_S
from whisper_bench.errors import BenchError
from whisper_bench.gate import process
from whisper_bench.gate.process import Runner, SideFailedError
from whisper_bench.gate.side import Side, SideKind
from whisper_bench.interrupt import Interruption


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
    assert [f"{item.name}[{item.record.label}]" for item in run.cases] == [
        item["name"] for item in saved["benchmarks"]
    ]
    assert [[one.latency_s for one in item.record.rounds] for item in run.cases] == [
        pytest.approx(item["stats"]["data"]) for item in saved["benchmarks"]
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
    assert said.splitlines()[1:] == [f"  noise {item}" for item in range(4, 10)]


def test_a_command_that_is_not_there(scratch):
    runner = Runner(conditions(), Interruption(), timeout_s=PATIENCE_S)
    with pytest.raises(
        SideFailedError, match=r"(?s)127: the command was not found.*absent-command"
    ):
        runner(Side(SideKind.COMMAND, "absent-command benchmarks"))
    with pytest.raises(SideFailedError, match=r"absent/bin/pytest cannot be started: No such file"):
        runner(Side(SideKind.VENV, "absent"))
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("script", ["exec yes told", "yes told | head -c 3000000; exit 0"])
def test_a_side_that_prints_without_end_is_ended(measure, monkeypatch, script):
    monkeypatch.setattr(process, "_MOST_OUTPUT_BYTES", 2 * 2**20)
    message = failure(measure, script)
    assert message.startswith("it printed more than 2 MiB and was killed; make it print less")
    assert message.splitlines()[1:2] == ["  told"]


def test_why_a_side_failed_is_looked_for_at_the_end_of_what_it_printed(measure):
    script = "echo FAILED: long ago; yes x | head -c 1000000; echo FAILED: just now; exit 1"
    assert failure(measure, script) == "exit status 1\n  FAILED: just now"
