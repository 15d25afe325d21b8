"""Finding and parsing the runs that pytest-benchmark saved."""

import json
from pathlib import Path

import pytest

from support.documents import encoded, save, saved_document
from whisper_bench.errors import BenchError
from whisper_bench.results.convert import results_of
from whisper_bench.saved.file import parse_saved, read_saved
from whisper_bench.saved.find import find_all_saved, find_saved, save_name


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


def test_a_missing_run_is_an_error_that_lists_those_saved(tmp_path):
    save(tmp_path, "Linux-A/0002_m4.json", encoded(1.0))
    with pytest.raises(BenchError, match="'xeon' in .*: m4; .*--benchmark-save"):
        find_saved("xeon", tmp_path)
    with pytest.raises(BenchError, match="saved there: none"):
        find_saved("xeon", tmp_path / "absent")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (encoded(1.0)[:-30], "it is cut short after"),
        (encoded(1.0).replace(b'"data": [1.0', b'"data": [NaN'), "it has NaN or Infinity"),
        (b"{}", "it is not a saved run of this suite (Object missing required field"),
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"[1, 2}", "it is not JSON"),
        (b"[]", "it is not a saved run of this suite"),
        (b'{"a": "\xff"}', "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (
            encoded(1.0).replace(b"2026-11-24T10:30:00.123456+02:00", b"yesterday"),
            "not a saved run",
        ),
        (
            b'{"benchmarks": [1, {"extra_info": 2}, {"extra_info": {"whisper_bench": 3}}]}',
            "not a saved",
        ),
        (
            encoded(1.0).replace(b'"record_version": 1, "model"', b'"record_version": 0, "size"'),
            "it is of record version 0, and this whisper-bench reads 1; measure again or name",
        ),
        (encoded(1.0).replace(b"CPU-s", b"x").replace(b'"rounds"', b'"rinds"'), "not a saved run"),
    ],
)
def test_a_broken_saved_run_is_refused_with_path_and_cause(tmp_path, content, message):
    path = save(tmp_path, "0001_m4.json", content)
    with pytest.raises(BenchError) as caught:
        read_saved(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_a_saved_run_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(BenchError, match="No such file"):
        read_saved(tmp_path / "absent.json")


def test_a_run_of_another_suite_is_refused():
    document = saved_document(1.0)
    document["benchmarks"][0]["extra_info"] = {}
    with pytest.raises(BenchError, match="no case of whisper-bench is in it"):
        results_of(parse_saved(json.dumps(document).encode(), "m4"), "m4", "m4")


def test_a_run_with_more_rounds_than_samples_is_refused():
    document = saved_document(1.0, 2.0)
    document["benchmarks"][0]["stats"]["data"] = [1.0]
    with pytest.raises(BenchError, match="1 samples and 2 rounds on record"):
        results_of(parse_saved(json.dumps(document).encode(), "m4"), "m4", "m4")


def test_a_record_of_another_version_is_refused():
    document = saved_document(1.0)
    document["benchmarks"][0]["extra_info"]["whisper_bench"]["record_version"] = 2
    with pytest.raises(BenchError, match=r"version 2, .* 1; measure again"):
        results_of(parse_saved(json.dumps(document).encode(), "m4"), "m4", "m4")


@pytest.mark.parametrize("wrong", [0.0, -1.0])
def test_a_latency_of_zero_or_below_is_refused(wrong):
    for place in ("data", "rounds", "processes"):
        document = saved_document(1.0, 2.0)
        (benchmark,) = document["benchmarks"]
        record = benchmark["extra_info"]["whisper_bench"]
        if place == "data":
            benchmark["stats"]["data"][0] = wrong
        elif place == "rounds":
            record["rounds"][0]["latency_s"] = wrong
        else:
            record["processes"][0]["mean_latency_s"] = wrong
        message = (
            "its samples are not those" if place == "data" else f"latency_s is {wrong}: Expected"
        )
        with pytest.raises(BenchError, match=message):
            results_of(parse_saved(json.dumps(document).encode(), "m4"), "m4", "m4")


def test_a_pattern_finds_all_and_a_plain_name_the_newest(tmp_path):
    older = save(tmp_path, "A/0001_n1.json", encoded(1.0, moment="2026-11-01T00:00:00+00:00"))
    newer = save(tmp_path, "B/0001_n1.json", encoded(1.0, moment="2026-11-01T01:00:00+05:00"))
    other = save(tmp_path, "B/0002_n2.json", encoded(1.0))
    assert find_all_saved("n*", tmp_path) == [older, newer, other]
    assert find_all_saved("*_n2", tmp_path) == [other]
    # five hours ahead of UTC: an hour later by the clock, four earlier in truth
    assert find_all_saved("n1", tmp_path) == [older]
    assert find_all_saved(str(other), tmp_path) == [other]
    with pytest.raises(BenchError, match="--benchmark-save=NAME"):
        find_all_saved("x*", tmp_path)


def test_a_process_mean_that_is_not_its_rounds_mean_is_refused():
    document = saved_document(1.0, 2.0)
    record = document["benchmarks"][0]["extra_info"]["whisper_bench"]
    record["processes"][0]["mean_latency_s"] = 1.0
    with pytest.raises(BenchError, match=r"mean of 1 s .* 1\.5"):
        results_of(parse_saved(json.dumps(document).encode(), "m4"), "m4", "m4")


def test_a_saved_run_with_a_case_twice_is_refused():
    document = saved_document(1.0, 2.0)
    document["benchmarks"] *= 2
    with pytest.raises(BenchError, match="m4: .*base-t1-vi_30s .*twice; keep one"):
        results_of(parse_saved(json.dumps(document).encode(), "m4"), "m4", "m4")


def test_a_name_too_long_for_a_file_is_a_missing_run(tmp_path):
    with pytest.raises(BenchError, match="no saved run 'xxx"):
        find_all_saved("x" * 5000 + ".json", tmp_path)


def test_a_saved_run_without_machine_facts_is_refused():
    document = saved_document(1.0)
    del document["machine_info"]["whisper_bench"]
    with pytest.raises(BenchError, match="machine_info has no whisper_bench"):
        results_of(parse_saved(json.dumps(document).encode(), "m4"), "m4", "m4")


def test_an_older_broken_file_does_not_hide_a_whole_one(tmp_path):
    save(tmp_path, "Linux-A/0001_m4.json", b"{")
    whole = save(tmp_path, "Linux-A/0002_m4.json", encoded(1.0))
    assert find_saved("m4", tmp_path) == whole
    for newer in ("Linux-A/0003_m4.json", "Linux-B/0001_m4.json"):
        doubtful = save(tmp_path, newer, b'{"datetime": "2026')
        with pytest.raises(BenchError, match=f"{newer}: it is cut short"):
            read_saved(find_saved("m4", tmp_path))
        doubtful.unlink()
    whole.unlink()
    save(tmp_path, "Linux-B/0001_m4.json", b"{")
    with pytest.raises(BenchError, match=r"Linux-B/0001_m4\.json: it is cut short"):
        read_saved(find_saved("m4", tmp_path))
    (tmp_path / "Linux-B/0001_m4.json").unlink()
    with pytest.raises(BenchError, match=r"0001_m4\.json: it is cut short"):
        read_saved(find_saved("m4", tmp_path))
