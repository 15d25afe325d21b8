"""A saved run, and a result file, of figures and names that no measurement gives."""

import json
import math
import shutil

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.foreign import HONEST, OTHER, at, changed, dated, left_in
from whisper_bench.case.record_check import check_record
from whisper_bench.errors import BenchError
from whisper_bench.results.convert import results_of
from whisper_bench.results.files import file_name, load_results, save_results
from whisper_bench.saved.file import parse_saved, read_saved, records_of
from whisper_bench.saved.find import find_saved

FIELDS = st.deferred(lambda: st.sampled_from(_figures()))


def _figures():
    """Return the way to every figure of an honest record."""
    record = json.loads(HONEST.read_text())["benchmarks"][0]["extra_info"]["whisper_bench"]
    actual = []

    def walk(value, way):
        if isinstance(value, dict):
            for key in value:
                walk(value[key], (*way, key))
        elif isinstance(value, list):
            for place in range(min(2, len(value))):
                walk(value[place], (*way, place))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            actual.append(way)

    walk(record, ())
    return actual


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    way=FIELDS,
    value=st.one_of(
        st.floats(max_value=-1e-9), st.just(math.nan), st.just(math.inf), st.integers(-(10**30), -1)
    ),
)
def test_a_negative_or_infinite_figure_is_refused(way, value):
    document = json.loads(HONEST.read_text())
    at(*way, value=value)(document, document["benchmarks"][0]["extra_info"]["whisper_bench"])
    with pytest.raises(BenchError, match="measure again"):
        records_of(parse_saved(json.dumps(document).encode(), "m4"), "m4")


def test_honest_runs_are_read():
    for path in (HONEST, OTHER, *HONEST.parent.glob("*.json")):
        saved = read_saved(path)
        assert records_of(saved, str(path))
        assert results_of(saved, "m4", str(path))


def test_throttled_periods_may_exceed_periods_by_one():
    (record,) = records_of(read_saved(HONEST), "m4")[:1]
    process, *others = record.processes
    counters = msgspec.structs.replace(process.counters, throttled_periods=process.counters.periods)
    for more, fits in ((0, True), (1, True), (2, False)):
        throttled = counters.periods + more
        now = msgspec.structs.replace(counters, throttled_periods=throttled)
        changed_record = msgspec.structs.replace(
            record, processes=[msgspec.structs.replace(process, counters=now), *others]
        )
        if fits:
            check_record(changed_record, "m4")
        else:
            with pytest.raises(BenchError, match="throttled periods of"):
                check_record(changed_record, "m4")


def test_a_date_out_of_range_does_not_hide_other_runs(tmp_path):
    broken = changed(tmp_path, dated("0001-01-01T00:00:00+14:00"))
    whole = broken.with_name("0002_xeon.json")
    shutil.copy(HONEST, whole)
    assert find_saved("xeon", tmp_path / ".benchmarks") == whole


RESULT_CHANGES = {
    "iterations": (("iterations",), 49, "iterations is 49"),
    "avg_latency_ms": (("avg_latency_ms",), 1.0, "avg_latency_ms is 1.0"),
    "total_time_s": (("total_time_s",), 1.0, "total_time_s is 1.0"),
    "rps": (("rps",), 1000.0, "rps is 1000.0"),
    "rps negative": (("rps",), -1.0, "rps is -1.0"),
    "cpu_limit": (("cpu_limit",), 4, "cpu_limit is 4"),
    "memory_mb": (("memory_mb",), 1, "memory_mb is 1"),
    "memory_mb 0": (("memory_mb",), 0, "memory_mb is 0"),
    "timestamp": (("timestamp",), "9999-11-24T10:30:00Z", "timestamp is '9999"),
    "p95": (("detail", "latency", "p95_s"), 1.0, "detail.latency.p95_s is 1.0"),
    "CPU-seconds": (("detail", "cpu_s_per_request"), 1.0, "detail.cpu_s_per_request is 1.0"),
    "contended": (
        ("detail", "throttling", "contended_rounds"),
        50,
        "detail.throttling.contended_rounds is 50",
    ),
    "counters": (
        ("detail", "throttling", "counters", "throttled_periods"),
        9999,
        "detail.throttling.counters is",
    ),
    "verdict": (
        ("detail", "throttling", "verdict"),
        "QUOTA_THROTTLED",
        "detail.throttling.verdict is",
    ),
    "throttled share": (
        ("detail", "throttling", "throttled_share"),
        0.5,
        "detail.throttling.throttled_share is",
    ),
    "shape only": (("detail", "record", "weights", "shape_only"), True, "shape_only is True"),
    "a round": (("detail", "record", "rounds", 0, "latency_s"), 99.0, "has a mean of"),
    "save name": (("detail", "save_name"), "../m4", "save name '../m4'"),
    "model": (("detail", "record", "model"), "../base", "model '../base'"),
    "another model": (("model_size",), "small", "model_size is small"),
    "record version": (("detail", "record", "record_version"), 2, "record_version is 2"),
    "schema version": (("schema_version",), 3, "schema_version is 3"),
}


@pytest.mark.parametrize("name", RESULT_CHANGES)
def test_a_changed_result_file_is_refused(name, tmp_path):
    way, value, message = RESULT_CHANGES[name]
    path = save_results(results_of(read_saved(HONEST), "m4", "m4")[0], tmp_path)
    assert load_results(path)
    document = json.loads(path.read_text())
    at(*way, value=value)(None, document)
    path.write_text(json.dumps(document))
    with pytest.raises(BenchError) as caught:
        load_results(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("part", ["save_name", "model", "clip"])
def test_a_result_with_a_path_in_its_name_is_never_written(part, tmp_path):
    result = results_of(read_saved(HONEST), "m4", "m4")[0]
    detail, record = result.detail, result.detail.record
    if part == "save_name":
        detail = msgspec.structs.replace(detail, save_name="../../m4")
    if part == "clip":
        clip = msgspec.structs.replace(record.clip, name="../../x")
        record = msgspec.structs.replace(record, clip=clip)
    if part == "model":
        record = msgspec.structs.replace(record, model="../../base")
    hostile = msgspec.structs.replace(result, detail=msgspec.structs.replace(detail, record=record))
    assert "/" in file_name(hostile)
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(BenchError, match=r"cannot be a file name in .*; give another name"):
        save_results(hostile, tmp_path / "a" / "b" / "results")
    assert left_in(tmp_path) == {}


def test_names_that_are_too_long_together_are_refused(tmp_path):
    result = results_of(read_saved(HONEST), "m4", "m4")[0]
    record = result.detail.record
    clip = msgspec.structs.replace(record.clip, name="x" * 150)
    record = msgspec.structs.replace(record, clip=clip)
    detail = msgspec.structs.replace(result.detail, save_name="y" * 150, record=record)
    with pytest.raises(
        BenchError, match="at most 240 are allowed; give the run or the clip a shorter"
    ):
        save_results(msgspec.structs.replace(result, detail=detail), tmp_path)
