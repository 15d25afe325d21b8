import json
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samples import CLIP, NO_LIMIT, WEIGHTS, evidence, plan
from whisper_bench.case import Case
from whisper_bench.errors import BenchError
from whisper_bench.gather import gathered
from whisper_bench.results.convert import results_of
from whisper_bench.results.files import file_name, load_results, save_results
from whisper_bench.results.schema import Result, generated_schema, schema, validate
from whisper_bench.saved import find_saved, parse_saved, read_saved, save_name

TEN_KEYS = [
    "timestamp", "architecture", "cpu_model", "model_size", "iterations",
    "avg_latency_ms", "total_time_s", "rps", "cpu_limit", "memory_mb",
]  # fmt: skip


def saved_document(*latencies_s, moment="2026-11-24T10:30:00.123456+02:00", **settings):
    found = settings.pop("evidence", None) or evidence(*latencies_s)
    record = gathered(plan(rounds=len(found.rounds), **settings), found)
    return {
        "machine_info": {
            "node": "n1", "system": "Linux", "release": "6.1", "python_version": "3.12.1",
            "whisper_bench": {"architecture": "x86_64", "cpu_model": "A test's chip"},
        },
        "commit_info": {},
        "datetime": moment,
        "version": "5.3.1",
        "benchmarks": [
            {
                "name": "test_transcribe[base-t1-vi_30s]",
                "extra_info": {"whisper_bench": msgspec.to_builtins(record)},
                "stats": {"data": [line.latency_s for line in found.rounds], "mean": 1.0},
            }
        ],
    }  # fmt: skip


def encoded(*latencies_s, **settings):
    return json.dumps(saved_document(*latencies_s, **settings)).encode()


def result_of(*latencies_s, **settings):
    (result,) = results_of(parse_saved(encoded(*latencies_s, **settings), "m4"), "m4", "m4")
    return result


def test_the_ten_keys_stand_first_with_the_designs_types(tmp_path):
    path = save_results(result_of(0.5, 0.5, 0.5, 0.5), tmp_path)
    document = json.loads(path.read_text())
    assert list(document)[:10] == TEN_KEYS
    assert {key: document[key] for key in TEN_KEYS} == {
        "timestamp": "2026-11-24T08:30:00Z",
        "architecture": "x86_64",
        "cpu_model": "A test's chip",
        "model_size": "base",
        "iterations": 4,
        "avg_latency_ms": 500.0,
        "total_time_s": 2.0,
        "rps": 2.0,
        "cpu_limit": 1,
        "memory_mb": 300,
    }
    assert list(document)[10:] == ["schema_version", "detail"]


@given(st.lists(st.floats(0.01, 1000), min_size=1, max_size=60))
def test_figures_follow_from_the_samples(samples):
    result = result_of(*samples)
    latency = result.detail.latency
    assert result.iterations == len(samples)
    assert result.total_time_s == pytest.approx(sum(samples))
    assert result.rps == pytest.approx(len(samples) / sum(samples))
    assert result.avg_latency_ms == pytest.approx(1000 * np.mean(samples))
    assert latency.p99_s == pytest.approx(np.percentile(samples, 99))
    assert latency.stddev_s == pytest.approx(np.std(samples, ddof=1) if len(samples) > 1 else 0)
    assert result.detail.real_time_factor == pytest.approx(np.mean(samples) / 30)
    assert result.detail.counters.periods == 10 * len(samples)


def test_a_round_trip_through_the_file(tmp_path):
    result = result_of(4.5, 4.6, 4.7)
    assert load_results(save_results(result, tmp_path)) == result


def test_no_limit_is_null_and_a_fraction_stays():
    assert result_of(evidence=evidence(4.5, limit=NO_LIMIT)).cpu_limit is None
    half = msgspec.structs.replace(NO_LIMIT, cpus=0.5, source="cgroup v2 quota")
    assert result_of(evidence=evidence(4.5, limit=half)).cpu_limit == 0.5


def test_file_names():
    assert file_name(result_of(1.0)) == "m4_base_2026-11-24.json"
    other = result_of(
        1.0, case=Case("base", 4, "vi_5s"), clip=msgspec.structs.replace(CLIP, name="vi_5s")
    )
    assert file_name(other) == "m4_base_t4_vi_5s_2026-11-24.json"


def test_a_second_run_on_a_day_does_not_overwrite_the_first(tmp_path):
    first, second = save_results(result_of(4.5), tmp_path), save_results(result_of(4.6), tmp_path)
    assert (first.name, second.name) == ("m4_base_2026-11-24.json", "m4_base_2026-11-24_2.json")
    assert load_results(first).total_time_s == 4.5


def test_shipped_schema_is_that_of_the_types_and_refuses_what_they_refuse():
    assert schema() == generated_schema()
    good = msgspec.to_builtins(result_of(4.5))
    validate(good, "m4.json")
    for key, value, told in (
        ("iterations", 0, "iterations"),
        ("architecture", "riscv64", "architecture"),
        ("timestamp", "yesterday", "timestamp"),
        ("rps", -1.0, "rps"),
        ("extra", 1, "'extra' was unexpected"),
    ):
        with pytest.raises(BenchError, match=re.escape(told)):
            validate({**good, key: value}, "m4.json")
        with pytest.raises(msgspec.MsgspecError):
            msgspec.convert({**good, key: value}, Result)
    with pytest.raises(BenchError, match="'rps' is a required property"):
        validate({key: value for key, value in good.items() if key != "rps"}, "m4.json")


def test_broken_result_files_are_named(tmp_path):
    path = save_results(result_of(4.5), tmp_path)
    text = path.read_text()
    with pytest.raises(BenchError, match="absent"):
        load_results(tmp_path / "absent.json")
    for broken in (text[: len(text) // 2], text.replace('"rps": ', '"rps": NaN, "x": '), "[]"):
        path.write_text(broken)
        with pytest.raises(BenchError, match=re.escape(f"{path}: ")):
            load_results(path)


def test_warnings_say_what_to_know():
    def told(**settings):
        return result_of(**settings).detail.warnings

    many = evidence(*[4.5] * 60, per_process=12)
    assert told(evidence=many) == []
    assert "2 rounds: p95 needs 59, p99 299" in told(evidence=evidence(4.5, 4.6))
    assert any("one process" in line for line in told(evidence=evidence(4.5, 4.6)))
    assert "no CPU limit in force (none)" in told(evidence=evidence(4.5, limit=NO_LIMIT))
    shape = msgspec.structs.replace(WEIGHTS, shape_only=True, pinned=False)
    warnings = told(evidence=many, weights=shape)
    assert warnings[0].startswith("shape-only weights")
    assert warnings[1].startswith("unpinned weights, sha256 aaaa")


def test_contended_and_interrupted_runs_are_called_so():
    busy = evidence(4.5, 4.5, 4.5, 4.5)
    busy.rounds[0] = msgspec.structs.replace(
        busy.rounds[0],
        measured=msgspec.structs.replace(
            busy.rounds[0].measured,
            transcription=msgspec.structs.replace(busy.rounds[0].measured.transcription, cpu_s=2.0),
        ),
    )
    result = result_of(evidence=busy)
    assert result.detail.contended_rounds == 1
    assert any(line.startswith("1 of 4 rounds contended") for line in result.detail.warnings)
    cut = gathered(plan(rounds=50), busy)
    document = saved_document(evidence=busy)
    document["benchmarks"][0]["extra_info"]["whisper_bench"] = msgspec.to_builtins(cut)
    (result,) = results_of(parse_saved(json.dumps(document).encode(), "m4"), "m4", "m4")
    assert "4 of 50 rounds: the run was interrupted" in result.detail.warnings


def save(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


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


def test_a_figure_that_is_null_has_its_reason():
    assert result_of(4.5).detail.unknown == {}
    nobody = evidence(
        4.5, 4.5, limit=msgspec.structs.replace(NO_LIMIT, affinity_cpus=2, online_cpus=2)
    )
    for number, line in enumerate(nobody.rounds):
        heard = msgspec.structs.replace(line.measured.transcription, cpu_s=6.0)
        told = msgspec.structs.replace(
            line.measured, transcription=heard, wait_s=None, counters=None
        )
        case = Case("base", 4, "vi_30s")
        nobody.rounds[number] = msgspec.structs.replace(line, measured=told, case=case)
    detail = result_of(
        evidence=nobody,
        case=Case("base", 4, "vi_30s"),
        clip=msgspec.structs.replace(CLIP, text=None),
        weights=msgspec.structs.replace(WEIGHTS, revision=None),
    ).detail
    assert detail.counters is None
    assert detail.word_error_rate is None
    assert detail.contended_rounds is None
    assert set(detail.unknown) == {
        "counters", "contended_rounds", "word_error_rate", "revision", "cpu_limit",
    }  # fmt: skip
    assert any(line.startswith("contention unknown") for line in detail.warnings)
