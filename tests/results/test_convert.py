import json
import math
import re

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.documents import result_of, saved_document
from support.samples import CLIP, NO_LIMIT, WEIGHTS, evidence, plan
from whisper_bench.case.case import Case
from whisper_bench.case.record import trust_warnings
from whisper_bench.case.record_check import check_record
from whisper_bench.case.work import NO_SPLIT
from whisper_bench.errors import BenchError
from whisper_bench.measure.gather import gathered
from whisper_bench.results.convert import results_of
from whisper_bench.results.files import (
    file_name,
    load_results,
    save_all_results,
    save_results,
)
from whisper_bench.saved.file import parse_saved
from whisper_bench.weights.pins import PINS

TEN_KEYS = [
    "timestamp", "architecture", "cpu_model", "model_size", "iterations",
    "avg_latency_ms", "total_time_s", "rps", "cpu_limit", "memory_mb",
]  # fmt: skip


def test_a_result_begins_with_the_ten_keys_of_the_design_and_their_types(tmp_path):
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
def test_a_results_figures_follow_from_the_samples(samples):
    result = result_of(*samples)
    latency = result.detail.latency
    assert result.iterations == len(samples)
    assert result.total_time_s == pytest.approx(sum(samples))
    assert result.rps == pytest.approx(len(samples) / sum(samples))
    assert result.avg_latency_ms == pytest.approx(1000 * np.mean(samples))
    assert latency.p99_s == pytest.approx(np.percentile(samples, 99))
    assert latency.stddev_s == pytest.approx(np.std(samples, ddof=1) if len(samples) > 1 else 0)
    assert result.detail.real_time_factor == pytest.approx(np.mean(samples) / 30)
    assert result.detail.throttling.counters.periods == 10 * len(samples)


def test_a_result_file_is_read_as_it_was_written(tmp_path):
    result = result_of(4.5, 4.6, 4.7)
    assert load_results(save_results(result, tmp_path)) == result


def test_cpu_limit_is_null_without_a_limit_and_may_be_a_fraction():
    assert result_of(evidence=evidence(4.5, limit=NO_LIMIT)).cpu_limit is None
    half = msgspec.structs.replace(
        NO_LIMIT, cpus=0.5, quota_cpus=0.5, source="cgroup v2 quota", quota_group="/sys/fs/cgroup"
    )
    assert result_of(evidence=evidence(4.5, limit=half)).cpu_limit == 0.5


def test_result_files_are_named_by_run_model_and_date():
    assert file_name(result_of(1.0)) == "m4_base_2026-11-24.json"
    other = result_of(
        1.0, case=Case("base", 4, "vi_5s"), clip=msgspec.structs.replace(CLIP, name="vi_5s")
    )
    assert file_name(other) == "m4_base_t4_vi_5s_2026-11-24.json"


def test_a_run_that_is_saved_later_keeps_its_file(tmp_path):
    at_first = result_of(4.5)
    path = save_results(at_first, tmp_path)
    (tmp_path / "m4_base_1.json").mkdir()
    (tmp_path / "m4_base_2.json").write_text("4.5")
    record = msgspec.structs.replace(at_first.detail.record, resumed_rounds=1)
    detail = msgspec.structs.replace(at_first.detail, record=record)
    later = msgspec.structs.replace(at_first, timestamp="2026-11-25T00:00:01Z", detail=detail)
    assert save_all_results([later, result_of(4.6)], tmp_path) == [
        path,
        tmp_path / "m4_base_2026-11-24_2.json",
    ]
    assert load_results(path) == at_first


def test_another_measurement_with_equal_latencies_gets_a_file_of_its_own(tmp_path):
    path = save_results(result_of(4.5, 4.6), tmp_path)
    assert save_results(result_of(4.5, 4.7), tmp_path) != path


def test_a_second_run_on_a_day_does_not_overwrite_the_first(tmp_path):
    first, second = save_results(result_of(4.5), tmp_path), save_results(result_of(4.6), tmp_path)
    assert (first.name, second.name) == ("m4_base_2026-11-24.json", "m4_base_2026-11-24_2.json")
    assert load_results(first).total_time_s == 4.5


def test_nothing_is_written_that_could_not_be_read_again(tmp_path):
    good = result_of(4.5)
    for name, value, message in (
        ("iterations", 0, "iterations is 0: Expected `int` >= 1"),
        ("architecture", "riscv64", "Invalid enum value 'riscv64'"),
        ("timestamp", "yesterday", "timestamp is 'yesterday': Expected `str` matching"),
        ("rps", -1.0, "rps is -1.0: Expected `float`"),
        ("rps", math.nan, "rps is null: Expected `float`"),
    ):
        with pytest.raises(BenchError, match=f"{re.escape(message)}.*; convert the saved run"):
            save_results(msgspec.structs.replace(good, **{name: value}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_broken_result_file_is_refused_by_name(tmp_path):
    path = save_results(result_of(4.5), tmp_path)
    text = path.read_text()
    with pytest.raises(BenchError, match="absent"):
        load_results(tmp_path / "absent.json")
    for broken in (text[: len(text) // 2], text.replace('"rps": ', '"rps": NaN, "x": '), "[]"):
        path.write_text(broken)
        with pytest.raises(BenchError, match=re.escape(f"{path}: ")):
            load_results(path)


def test_warnings_name_few_rounds_one_process_no_limit_and_weights():
    def warnings_of(**settings):
        return result_of(**settings).detail.warnings

    many = evidence(*[4.5] * 60, per_process=12)
    assert warnings_of(evidence=many) == []
    assert "2 rounds: p95 needs 59, p99 299" in warnings_of(evidence=evidence(4.5, 4.6))
    assert any("one process" in line for line in warnings_of(evidence=evidence(4.5, 4.6)))
    assert "no CPU limit in force (none)" in warnings_of(evidence=evidence(4.5, limit=NO_LIMIT))
    shape = msgspec.structs.replace(WEIGHTS, shape_only=True, pinned=False)
    warnings = warnings_of(evidence=many, weights=shape, case=Case("small-shape-only", 1, "vi_30s"))
    assert warnings[0].startswith("shape-only weights")
    assert warnings[1].startswith("unpinned weights, sha256 aaaa")


def test_contended_and_interrupted_runs_have_a_warning():
    busy = evidence(4.5, 4.5, 4.5, 4.5)
    busy.rounds[0] = msgspec.structs.replace(
        busy.rounds[0],
        measured=msgspec.structs.replace(
            busy.rounds[0].measured,
            transcription=msgspec.structs.replace(busy.rounds[0].measured.transcription, cpu_s=2.0),
        ),
    )
    result = result_of(evidence=busy)
    assert result.detail.throttling.contended_rounds == 1
    assert any(line.startswith("1 of 4 rounds contended") for line in result.detail.warnings)
    cut = gathered(plan(rounds=50), busy)
    document = saved_document(evidence=busy)
    document["benchmarks"][0]["extra_info"]["whisper_bench"] = msgspec.to_builtins(cut)
    (result,) = results_of(parse_saved(json.dumps(document).encode(), "m4"), "m4", "m4")
    assert "4 of 50 rounds: the run was interrupted" in result.detail.warnings


def test_every_figure_that_is_null_has_a_reason():
    assert result_of(4.5).detail.unknown == {"work": NO_SPLIT}
    nobody = evidence(
        4.5, 4.5, limit=msgspec.structs.replace(NO_LIMIT, affinity_cpus=2, online_cpus=2)
    )
    for number, line in enumerate(nobody.rounds):
        heard = msgspec.structs.replace(line.measured.transcription, cpu_s=6.0)
        measured = msgspec.structs.replace(
            line.measured, transcription=heard, wait_s=None, counters=None
        )
        case = Case("base", 4, "vi_30s")
        nobody.rounds[number] = msgspec.structs.replace(line, measured=measured, case=case)
    detail = result_of(
        evidence=nobody,
        case=Case("base", 4, "vi_30s"),
        clip=msgspec.structs.replace(CLIP, text=None),
        weights=msgspec.structs.replace(WEIGHTS, revision=None),
    ).detail
    assert detail.throttling.counters is None
    assert detail.record.word_error_rate is None
    assert detail.throttling.contended_rounds is None
    assert set(detail.unknown) == {
        "counters", "contended_rounds", "word_error_rate", "revision", "cpu_limit", "work",
    }  # fmt: skip
    assert any(line.startswith("contention unknown") for line in detail.warnings)


def test_the_files_that_were_loaded_are_in_the_result(tmp_path):
    path = save_results(result_of(0.5, 0.5), tmp_path)
    assert json.loads(path.read_text())["detail"]["record"]["weights"]["files"] == WEIGHTS.files
    assert load_results(path).detail.record.weights.files == WEIGHTS.files


def test_a_result_from_before_every_file_was_hashed_is_read(tmp_path):
    path = save_results(result_of(0.5, 0.5), tmp_path)
    document = json.loads(path.read_text())
    del document["detail"]["record"]["weights"]["files"]
    path.write_text(json.dumps(document))
    assert load_results(path).detail.record.weights.files is None


def test_two_hashes_of_model_bin_in_one_record_are_refused():
    files = {**WEIGHTS.files, "model.bin": "b" * 64}
    record = gathered(plan(), evidence(0.5, 0.5))
    edited = msgspec.structs.replace(
        record, weights=msgspec.structs.replace(record.weights, files=files)
    )
    check_record(record, "it")
    with pytest.raises(BenchError, match=r"it: base-t1-vi_30s: .*sha256 of model\.bin .*b{64}"):
        check_record(edited, "it")


def test_an_unpinned_file_of_the_weights_is_named():
    def warned(files):
        weights = msgspec.structs.replace(WEIGHTS, pinned=False, files=files)
        record = gathered(plan(weights=weights), evidence(0.5, 0.5))
        facts = msgspec.structs.replace(record.weights, files=files)
        return trust_warnings(msgspec.structs.replace(record, weights=facts))[0]

    config = {**PINS["base"].files, "config.json": "b" * 64}
    assert warned(config).endswith("not pinned: config.json")
    assert warned(None) == f"unpinned weights, sha256 {'a' * 64}"


def test_files_that_differ_from_the_plans_are_not_pinned():
    plans = plan(weights=msgspec.structs.replace(WEIGHTS, files={"model.bin": "b" * 64}))
    assert not gathered(plans, evidence(0.5)).weights.pinned
    assert gathered(plan(), evidence(0.5)).weights.pinned
