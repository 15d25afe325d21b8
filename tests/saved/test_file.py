"""A saved run that no measurement gives is refused by every command that reads one."""

import json
import math
import shutil

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.foreign import HONEST, OTHER, changed, commands, left_in, main
from support.project import RECORDED
from whisper_bench.case.record_check import check_record
from whisper_bench.errors import BenchError
from whisper_bench.ratio.pandas_frames import samples_frame
from whisper_bench.results.convert import results_of
from whisper_bench.results.files import file_name, load_results, save_results
from whisper_bench.saved.file import cases_of, parse_saved, read_saved
from whisper_bench.saved.find import find_saved

COMMANDS = ("results", "throttling", "ratio", "matrix", "predict", "size", "gate", "collect")
RECORDED_RUNS = RECORDED / "cases" / "saved"


def _at(*path, value):
    """Return a change of one field of the record."""

    def change(_document, record):
        *way, last = path
        for step in way:
            record = record[step]
        record[last] = value

    return change


def _twice(_document, record):
    record["processes"].append(record["processes"][0])


def _missing(_document, record):
    record["processes"].pop()


def _no_rounds(document, record):
    record["rounds"].clear()
    document["benchmarks"][0]["stats"]["data"].clear()


def _other_samples(document, _record):
    document["benchmarks"][0]["stats"]["data"][0] *= 2


def _fewer_samples(document, _record):
    document["benchmarks"][0]["stats"]["data"].pop()


def _same_case_twice(document, _record):
    document["benchmarks"] += document["benchmarks"][:1]


def _params(**others):
    return lambda document, _record: document["benchmarks"][0]["params"].update(others)


def _params(**others):
    return lambda document, _record: document["benchmarks"][0]["params"].update(others)


def _dated(moment):
    return lambda document, _record: document.update(datetime=moment)


CHANGES = {
    "cpus -1": (_at("cpu_limit", "cpus", value=-1), "cpus is -1"),
    "cpus 0": (_at("cpu_limit", "cpus", value=0), "cpus is 0"),
    "cpus 1e9": (_at("cpu_limit", "cpus", value=1e9), "cpus is 1"),
    "cpus above the quota": (_at("cpu_limit", "cpus", value=3.5), "CPU limit of 3.5"),
    "no limit under a quota": (_at("cpu_limit", "cpus", value=None), "no CPU limit is on record"),
    "limit of nothing": (_at("cpu_limit", "quota_cpus", value=None), "CPU limit of"),
    "quota above the limit": (_at("cpu_limit", "quota_cpus", value=10.0), "a quota of 10,"),
    "quota 0": (_at("cpu_limit", "quota_cpus", value=0), "quota_cpus is 0"),
    "affinity 0": (_at("cpu_limit", "affinity_cpus", value=0), "affinity_cpus is 0"),
    "online -2": (_at("cpu_limit", "online_cpus", value=-2), "online_cpus is -2"),
    "threads -1": (_at("threads", value=-1), "threads is -1"),
    "threads 0": (_at("threads", value=0), "threads is 0"),
    "threads a million": (_at("threads", value=10**6), "threads is 1000000"),
    "duration 0": (_at("clip", "duration_s", value=0), "duration_s is 0"),
    "duration -30": (_at("clip", "duration_s", value=-30), "duration_s is -30"),
    "windows 0": (_at("clip", "windows", value=0), "windows is 0"),
    "windows 9": (_at("clip", "windows", value=9), "9 windows on record"),
    "clip's sha256": (_at("clip", "sha256", value="zz"), "sha256 is 'zz'"),
    "model's sha256": (_at("weights", "sha256", value="A" * 64), "sha256 is 'AAA"),
    "files of other weights": (
        _at("weights", "files", value={"model.bin": "b" * 64}), "in weights.files",
    ),
    "shape only": (_at("weights", "shape_only", value=True), "shape_only is True"),
    "latency 0": (_at("rounds", 0, "latency_s", value=0), "latency_s is 0"),
    "latency -1": (_at("rounds", 0, "latency_s", value=-1), "latency_s is -1"),
    "latency 1e300": (_at("rounds", 0, "latency_s", value=1e300), "latency_s is 1"),
    "latency another": (_at("rounds", 0, "latency_s", value=99.0), "has a mean of"),
    "wall 0": (_at("rounds", 0, "wall_s", value=0), "wall_s is 0"),
    "wall above the latency": (_at("rounds", 0, "wall_s", value=99.0), "a round of 99 s"),
    "CPU-seconds -1": (_at("rounds", 0, "cpu_s", value=-1), "cpu_s is -1"),
    "CPU-seconds impossible": (_at("rounds", 0, "cpu_s", value=9e5), "900000 CPU-seconds"),
    "contended": (_at("rounds", 0, "contended", value=True), "contended True on record"),
    "contended not told": (_at("rounds", 0, "contended", value=None), "contended None on"),
    "wait -1": (_at("rounds", 0, "wait_s", value=-1), "wait_s is -1"),
    "tokens -5": (_at("tokens", value=-5), "tokens is -5"),
    "tokens of a round -5": (_at("rounds", 0, "tokens", value=-5), "tokens is -5"),
    "tokens of a round another": (_at("rounds", 0, "tokens", value=5), "a round of 5 tokens"),
    "process 0": (_at("rounds", 0, "process", value=0), "process is 0"),
    "process unknown": (_at("rounds", 0, "process", value=77), "process 1 has"),
    "process twice": (_twice, "process 1 is there twice"),
    "process missing": (_missing, "which is not in the list of processes"),
    "process's rounds": (_at("processes", 0, "rounds", value=9), "9 rounds on record"),
    "process's mean": (_at("processes", 0, "mean_latency_s", value=9.0), "a mean of 9 s"),
    "process's CPU mean": (_at("processes", 0, "mean_cpu_s", value=9.0), "9 CPU-seconds"),
    "load -1": (_at("processes", 0, "load_s", value=-1), "load_s is -1"),
    "memory 0": (_at("processes", 0, "peak_rss_bytes", value=0), "peak_rss_bytes is 0"),
    "memory -1": (_at("processes", 0, "peak_rss_bytes", value=-1), "peak_rss_bytes is -1"),
    "throttled -9": (
        _at("processes", 0, "counters", "throttled_periods", value=-9), "throttled_periods is -9",
    ),
    "throttled above periods": (
        _at("processes", 0, "counters", "throttled_periods", value=10**6), "1000000 throttled",
    ),
    "more periods than the kernel can count": (
        _at("processes", 0, "counters", "periods", value=10**9), "1000000000 periods in",
    ),
    "periods -1": (_at("processes", 0, "counters", "periods", value=-1), "periods is -1"),
    "throttled seconds": (_at("processes", 0, "counters", "throttled_s", value=-0.5), "is -0.5"),
    "planned 0": (_at("planned_rounds", value=0), "planned_rounds is 0"),
    "resumed 99": (_at("resumed_rounds", value=99), "99 resumed rounds"),
    "warm-up -1": (_at("warmup_rounds", value=-1), "warmup_rounds is -1"),
    "beam 0": (_at("decoding", "beam_size", value=0), "beam_size is 0"),
    "word error rate -1": (_at("word_error_rate", value=-1), "word_error_rate is -1"),
    "word error rate above its bound": (
        _at("word_error_rate_bound", value=0.1), "above its bound of 0.1",
    ),
    "threads of the parameters": (_params(threads=4), "threads is '4' in its params"),
    "model of the parameters": (_params(model="x\x1b"), r"model is 'x\x1b' in its params"),
    "versions": (_at("record_version", value=2), "record version 2"),
    "no rounds": (_no_rounds, "it has no rounds on record"),
    "other samples": (_other_samples, "its samples are not those"),
    "fewer samples": (_fewer_samples, "samples and"),
    "a case twice": (_same_case_twice, "is in it twice"),
    "model leaves its folder": (_at("model", value="../../../escaped/base"), "it has /"),
    "clip leaves its folder": (_at("clip", "name", value="/etc/cron.d/x"), "it has /"),
    "model has an escape": (_at("model", value="base\x1b[2J"), "cannot be printed"),
    "clip is empty": (_at("clip", "name", value=""), "length"),
    "year 1": (_dated("0001-01-01T00:00:00+14:00"), "datetime is 0001"),
    "year 9999": (_dated("9999-12-31T23:59:59-14:00"), "datetime is 9999"),
}  # fmt: skip


def refused(path, folder, capsys, names=COMMANDS):
    """Run the commands on a saved run; return what each says, and hold it to writing nothing."""
    said = {}
    for name, words in commands(path, folder).items():
        if name not in names:
            continue
        before = left_in(folder)
        status = main(words)
        out, err = capsys.readouterr()
        assert status == (1 if name == "collect" else 2), (name, out, err)
        assert "Traceback" not in err
        assert left_in(folder) == before, name
        said[name] = err
    return said


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_field_is_refused_by_every_command(name, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    change, told = CHANGES[name]
    path = changed(tmp_path, change)
    for command, err in refused(path, tmp_path, capsys).items():
        assert told in err, command
        assert "measure again" in err, command
        assert (path.name if command != "collect" else "pod.log") in err, command
    with pytest.raises(BenchError) as caught:
        samples_frame(path)
    assert told in str(caught.value)


@pytest.mark.parametrize("source", sorted(RECORDED_RUNS.iterdir()), ids=lambda path: path.stem)
def test_a_recorded_case_is_refused_by_every_command(source, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / ".benchmarks" / "A" / source.name
    path.parent.mkdir(parents=True)
    shutil.copy(source, path)
    outside = left_in(tmp_path.parent)
    refused(path, tmp_path, capsys)
    assert left_in(tmp_path.parent) == outside | left_in(tmp_path)


FIELDS = st.deferred(lambda: st.sampled_from(_figures()))


def _figures():
    """Return the way to every figure of an honest record."""
    record = json.loads(HONEST.read_text())["benchmarks"][0]["extra_info"]["whisper_bench"]
    found = []

    def walk(value, way):
        if isinstance(value, dict):
            for key in value:
                walk(value[key], (*way, key))
        elif isinstance(value, list):
            for place in range(min(2, len(value))):
                walk(value[place], (*way, place))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found.append(way)

    walk(record, ())
    return found


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    way=FIELDS,
    value=st.one_of(
        st.floats(max_value=-1e-9), st.just(math.nan), st.just(math.inf), st.integers(-(10**30), -1)
    ),
)
def test_a_negative_or_infinite_figure_is_refused(way, value):
    document = json.loads(HONEST.read_text())
    _at(*way, value=value)(document, document["benchmarks"][0]["extra_info"]["whisper_bench"])
    with pytest.raises(BenchError, match="measure again"):
        cases_of(parse_saved(json.dumps(document).encode(), "m4"), "m4")


def test_honest_runs_are_read():
    for path in (HONEST, OTHER, *HONEST.parent.glob("*.json")):
        saved = read_saved(path)
        assert cases_of(saved, str(path))
        assert results_of(saved, "m4", str(path))


def test_throttled_periods_may_exceed_periods_by_one():
    (case,) = cases_of(read_saved(HONEST), "m4")[:1]
    process = case.record.processes[0]
    counters = msgspec.structs.replace(process.counters, throttled_periods=process.counters.periods)
    for more, fits in ((0, True), (1, True), (2, False)):
        throttled = counters.periods + more
        now = msgspec.structs.replace(counters, throttled_periods=throttled)
        others = case.record.processes[1:]
        record = msgspec.structs.replace(
            case.record, processes=[msgspec.structs.replace(process, counters=now), *others]
        )
        if fits:
            check_record(record, "m4")
        else:
            with pytest.raises(BenchError, match="throttled periods of"):
                check_record(record, "m4")


def test_a_date_out_of_range_does_not_hide_other_runs(tmp_path):
    broken = changed(tmp_path, _dated("0001-01-01T00:00:00+14:00"))
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
    "contended": (("detail", "contended_rounds"), 50, "detail.contended_rounds is 50"),
    "counters": (("detail", "counters", "throttled_periods"), 9999, "detail.counters is"),
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
    "shape only": (("detail", "shape_only"), True, "detail.shape_only is True"),
    "a round": (("detail", "rounds", 0, "latency_s"), 99.0, "has a mean of"),
    "save name": (("detail", "save_name"), "../m4", "save name '../m4'"),
    "model": (("model_size",), "../base", "model '../base'"),
}


@pytest.mark.parametrize("name", RESULT_CHANGES)
def test_a_changed_result_file_is_refused(name, tmp_path):
    way, value, told = RESULT_CHANGES[name]
    path = save_results(results_of(read_saved(HONEST), "m4", "m4")[0], tmp_path)
    assert load_results(path)
    document = json.loads(path.read_text())
    _at(*way, value=value)(None, document)
    path.write_text(json.dumps(document))
    with pytest.raises(BenchError) as caught:
        load_results(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert told in str(caught.value)


@pytest.mark.parametrize("part", ["save_name", "model_size", "clip"])
def test_a_result_with_a_path_in_its_name_is_never_written(part, tmp_path):
    result = results_of(read_saved(HONEST), "m4", "m4")[0]
    detail = result.detail
    if part == "save_name":
        detail = msgspec.structs.replace(detail, save_name="../../m4")
    if part == "clip":
        clip = msgspec.structs.replace(detail.clip, name="../../x")
        detail = msgspec.structs.replace(detail, clip=clip)
    model = "../../base" if part == "model_size" else result.model_size
    hostile = msgspec.structs.replace(result, model_size=model, detail=detail)
    assert "/" in file_name(hostile)
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(BenchError, match=r"cannot be a file name in .*; give another name"):
        save_results(hostile, tmp_path / "a" / "b" / "results")
    assert left_in(tmp_path) == {}


def test_names_that_are_too_long_together_are_refused(tmp_path):
    result = results_of(read_saved(HONEST), "m4", "m4")[0]
    clip = msgspec.structs.replace(result.detail.clip, name="x" * 150)
    detail = msgspec.structs.replace(result.detail, save_name="y" * 150, clip=clip)
    with pytest.raises(
        BenchError, match="at most 240 are allowed; give the run or the clip a shorter"
    ):
        save_results(msgspec.structs.replace(result, detail=detail), tmp_path)
