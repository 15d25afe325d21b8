"""Finding and parsing the runs that pytest-benchmark saved."""

import json
from pathlib import Path

import pytest

from documents import encoded, save, saved_document
from whisper_bench.errors import BenchError
from whisper_bench.results.convert import results_of
from whisper_bench.saved import find_saved, parse_saved, read_saved, save_name


def test_the_newest_of_a_name_is_found_across_machine_folders(tmp_path):
    save(tmp_path, "Linux-A/0002_m4.json", encoded(1.0, moment="2026-11-01T00:00:00+00:00"))
    newest = save(
        tmp_path, "Linux-B/0001_m4.json", encoded(1.0, moment="2026-11-02T00:00:00+00:00")
    )
    other = save(tmp_path, "Linux-B/0003_m4_x.json", encoded(1.0))
    assert find_saved("m4", tmp_path) == newest
    assert find_saved("0003", tmp_path) == other
    assert find_saved("0003_m4_x", tmp_path) == other
    assert find_saved(str(other), tmp_path) == other
    assert save_name(other) == "m4_x"
    assert save_name(Path("mine.json")) == "mine"


def test_no_such_run_lists_what_is_there(tmp_path):
    save(tmp_path, "Linux-A/0002_m4.json", encoded(1.0))
    with pytest.raises(
        BenchError, match="no saved run 'xeon' in .*; saved there: m4; save one with"
    ):
        find_saved("xeon", tmp_path)
    with pytest.raises(BenchError, match="saved there: none"):
        find_saved("xeon", tmp_path / "absent")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (encoded(1.0)[:-30], "it is cut short after"),
        (encoded(1.0).replace(b'"data": [1.0', b'"data": [NaN'), "it holds NaN or Infinity"),
        (b"{}", "it is no saved run of this suite (Object missing required field"),
        (b"", "it is cut short after 0 bytes"),
        (encoded(1.0).replace(b"CPU-s", b"x").replace(b'"rounds"', b'"rinds"'), "no saved run"),
    ],
)
def test_broken_saved_runs_are_named_with_the_cause(tmp_path, content, told):
    path = save(tmp_path, "0001_m4.json", content)
    with pytest.raises(BenchError) as caught:
        read_saved(path)
    assert str(path) in str(caught.value)
    assert told in str(caught.value)


def test_a_saved_run_that_cannot_be_read(tmp_path):
    with pytest.raises(BenchError, match="No such file"):
        read_saved(tmp_path / "absent.json")


def test_a_run_of_another_suite_has_no_case_of_ours():
    document = saved_document(1.0)
    document["benchmarks"][0]["extra_info"] = {}
    with pytest.raises(BenchError, match="no case of whisper-bench is in it"):
        results_of(parse_saved(json.dumps(document).encode(), "m4"), "m4", "m4")


def test_samples_and_rounds_must_agree():
    document = saved_document(1.0, 2.0)
    document["benchmarks"][0]["stats"]["data"] = [1.0]
    with pytest.raises(BenchError, match="1 samples and 2 rounds on record"):
        results_of(parse_saved(json.dumps(document).encode(), "m4"), "m4", "m4")


def test_a_machine_nobody_named():
    document = saved_document(1.0)
    del document["machine_info"]["whisper_bench"]
    with pytest.raises(BenchError, match="machine_info has no whisper_bench"):
        results_of(parse_saved(json.dumps(document).encode(), "m4"), "m4", "m4")


def test_a_broken_file_beside_a_whole_one_is_passed_over(tmp_path):
    save(tmp_path, "Linux-A/0001_m4.json", b"{")
    whole = save(tmp_path, "Linux-A/0002_m4.json", encoded(1.0))
    assert find_saved("m4", tmp_path) == whole
    whole.unlink()
    with pytest.raises(BenchError, match=r"0001_m4\.json: it is cut short"):
        find_saved("m4", tmp_path)
