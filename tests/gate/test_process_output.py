"""What a side's process printed: one whole run of this suite, or a failure that says what it was."""

import json

import pytest

from support.pod_runs import RUN, SAMPLE, framed_log, frames_of
from whisper_bench.gate.process import SideFailedError, run_of
from whisper_bench.parcel.parcel import pack


def another_suites():
    document = json.loads(RUN.read_text())
    for item in document["benchmarks"]:
        item["extra_info"] = {}
    return document


def of_no_machine():
    document = json.loads(RUN.read_text())
    del document["machine_info"]["whisper_bench"]
    return document


def edited():
    document = json.loads(RUN.read_text())
    document["benchmarks"][0]["stats"]["data"][0] /= 2
    return document


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (another_suites, "no case of whisper-bench is in it"),
        (of_no_machine, "machine_info has no whisper_bench"),
        (edited, "its samples are not those of its rounds on record"),
    ],
)
def test_frames_of_what_is_no_run_of_this_suite(tmp_path, made, why):
    path = tmp_path / "Linux-A" / "0001_gate.json"
    path.parent.mkdir()
    path.write_text(json.dumps(made()))
    with pytest.raises(SideFailedError, match=why) as caught:
        run_of("\n".join(pack(path)), 0, "command:x", "gate")
    assert str(caught.value).startswith("its results are invalid: ")


def gate_log(path=RUN):
    return framed_log(path, "gate")


FRAMES = frames_of(save_name="gate")
NOT_WHOLE = {
    "none": ("1 passed\n", "0 saved runs in its output instead of one"),
    "nothing": ("", "0 saved runs"),
    "two": (
        gate_log() + gate_log(SAMPLE / "0001_avx2.json"),
        "2 saved runs in its output instead of one",
    ),
    "one cut out": ("\n".join(FRAMES[:3] + FRAMES[4:]), f"frame 4 of {len(FRAMES)} missing or dam"),
    "the end cut off": ("\n".join(FRAMES)[:-500], "missing or damaged"),
    "whole, and one that is cut": (
        "\n".join([*FRAMES, *frames_of(SAMPLE / "0001_avx2.json", "gate")[1:]]), "frame 1 of",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_WHOLE)
def test_green_without_one_whole_run_is_a_failure(name):
    text, why = NOT_WHOLE[name]
    with pytest.raises(SideFailedError) as caught:
        run_of(text, 0, "command:x", "gate")
    assert str(caught.value).startswith("it exited with status 0 but without complete results (")
    assert why in str(caught.value)


def test_among_other_lines_and_twice_it_is_one():
    run = run_of(gate_log() + "noise\n" + gate_log(), 0, "command:x", "gate")
    assert {item.name for item in run.cases} == {"test_transcribe"}


def test_an_exit_status_counts_for_more_than_a_whole_run():
    with pytest.raises(SideFailedError, match="exit status 1"):
        run_of(gate_log(), 1, "command:x", "gate")


def test_a_run_under_another_name_than_the_gates_is_a_failure():
    """A side that prints some other saved run has not measured for this gate."""
    with pytest.raises(SideFailedError, match=r"its run is named 'avx', expected 'gate'"):
        run_of(framed_log(), 0, "command:x", "gate")
