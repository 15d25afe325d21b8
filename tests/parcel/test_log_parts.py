"""Logs in several files: rotated, or of any names, joined to one run."""

import pytest

from support.collecting import collect
from support.pod_runs import framed_log, frames_of
from support.project import RECORDED
from whisper_bench.parcel.log_file import grouped

CASES = RECORDED / "cases" / "logs"
OLD, NEW = CASES / "82-rotated-0.log.20261124-101500", CASES / "82-rotated-0.log"
TEXT = framed_log()


@pytest.mark.parametrize("name", ["64-json-escaped-slash.log", "69-rotated.log.20261124-101500.gz"])
def test_a_recorded_log_is_collected(home, capsys, name):
    status, out, err = collect(capsys, CASES / name)
    assert (status, err) == (0, "")
    assert out.startswith("collected node-avx from ")


@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD)])
def test_a_run_in_two_rotated_files_is_joined(home, capsys, order):
    status, out, err = collect(capsys, *order)
    assert (status, err) == (0, "")
    assert out.startswith(f"collected node-avx from {OLD} + {NEW}: ")


def test_a_run_in_two_files_of_any_names_is_joined(home, capsys):
    for name, source in (("b", OLD), ("a", NEW)):
        (home / name).write_bytes(source.read_bytes())
    status, out, _ = collect(capsys, "a", "b")
    assert status == 0
    assert out.startswith("collected node-avx from a + b: ")


def test_a_run_that_is_complete_in_another_file_is_no_fault(home, capsys):
    (home / "whole").write_text(TEXT)
    (home / "cut").write_text(TEXT[: len(TEXT) // 2])
    for order in (("whole", "cut"), ("cut", "whole")):
        status, _, err = collect(capsys, *order)
        assert (status, err) == (0, "")


def test_an_incomplete_run_is_reported_with_all_its_files(home, capsys):
    lines = frames_of()
    (home / "a").write_text("\n".join(lines[:2]))
    (home / "b").write_text("\n".join(lines[3:]))
    status, _, err = collect(capsys, "a", "b")
    assert status == 1
    assert err.startswith("FAILED: a + b: ")
    assert f"frame 3 of {len(lines)} missing" in err


def test_two_different_runs_of_one_id_are_not_joined(home, capsys):
    from whisper_bench.parcel import frames

    head, *rest = frames_of()
    name = head.split(":")[2]
    (home / "a").write_text("\n".join(rest))
    (home / "b").write_text(frames._line(f"{name}:2/{1 + len(rest)}", b"x"))
    status, _, err = collect(capsys, "a", "b")
    assert status == 1
    assert "two different frames have the same number" in err


def test_the_older_part_of_a_log_may_have_no_frames(home, capsys):
    """The kubelet adds the time to the name; together they are one log with one run."""
    (home / "0.log.20261124-101500").write_text("collected 1 item\n")
    (home / "0.log").write_text(TEXT)
    assert collect(capsys, "0.log", "0.log.20261124-101500")[0] == 0
    (home / "1.log").write_text("collected 1 item\n")
    status, _, err = collect(capsys, "0.log", "1.log")
    assert status == 1
    assert err.startswith("FAILED: 1.log: it has no results")


def test_rotated_files_are_grouped_by_their_names():
    names = ["p/0.log", "p/0.log.20261124-120000", "p/0.log.20261124-110000.gz", "q/0.log", "a.1"]
    assert grouped([*names, "a.1"]) == [
        ["p/0.log.20261124-110000.gz", "p/0.log.20261124-120000", "p/0.log"],
        ["q/0.log"],
        ["a.1"],
    ]
