"""A result file that schema version 1 wrote, of a run in docs/sample."""

import json

import pytest
from msgspec.structs import replace

from support.project import RECORDED, ROOT
from whisper_bench import calculate_ratio
from whisper_bench.errors import BenchError
from whisper_bench.results.convert import results_of
from whisper_bench.results.files import load_results, save_results
from whisper_bench.saved.file import read_saved

VERSION_1 = RECORDED / "results" / "version_1_avx_base.json"
SAVED = ROOT / "docs" / "sample" / "Linux-CPython-3.11-64bit" / "0006_avx.json"


def without_sentences(result):
    """Leave out what is worded by the version that wrote the file."""
    detail = result.detail
    verdict = replace(detail.throttling, evidence=[])
    return replace(result, detail=replace(detail, throttling=verdict, warnings=[], unknown={}))


def test_it_is_read_as_what_its_run_is_converted_to_today():
    today = results_of(read_saved(SAVED), "avx", "avx")[0]
    assert without_sentences(load_results(VERSION_1)) == without_sentences(today)
    assert today.schema_version == 2
    assert calculate_ratio(load_results(VERSION_1), today).cases[0].ratio == 1


def test_it_is_written_as_todays_version(tmp_path):
    path = save_results(load_results(VERSION_1), tmp_path)
    assert json.loads(path.read_text())["schema_version"] == 2
    assert load_results(path) == load_results(VERSION_1)


def changed(tmp_path, change):
    document = json.loads(VERSION_1.read_text())
    change(document, document["detail"])
    path = tmp_path / "m4.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _, detail: detail.update(shape_only=True), "detail.shape_only is True"),
        (lambda _, detail: detail.update(contended_rounds=9), "detail.contended_rounds is 9"),
        (lambda _, detail: detail.update(counters=None), "detail.counters is None"),
        (lambda document, _: document.update(rps=9.0), "rps is 9.0"),
        (lambda _, detail: detail.update(record={}), "unknown field `record`"),
        (lambda _, detail: detail.update(threads=0), "detail.threads is 0"),
        (lambda _, detail: detail["rounds"].pop(), "2 rounds on record, and 1 are there"),
        (lambda _, detail: detail["rounds"].clear(), "it has no rounds on record"),
        (lambda document, _: document.update(model_size="../x"), "model '../x'"),
    ],
)
def test_one_that_was_edited_is_refused(tmp_path, change, message):
    path = changed(tmp_path, change)
    with pytest.raises(BenchError) as caught:
        load_results(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_one_that_does_not_name_python_is_read(tmp_path):
    path = changed(tmp_path, lambda _, detail: detail["versions"].pop("python"))
    assert load_results(path).detail.python == "n/a"
    assert load_results(VERSION_1).detail.python == "3.11.7"


def test_files_from_before_the_language_and_the_loaded_files_were_recorded(tmp_path):
    def older(_, detail):
        detail.pop("language_source", None)
        detail["weights"].pop("files")

    record = load_results(changed(tmp_path, older)).detail.record
    assert (record.language_source, record.weights.files) == (None, None)


def test_it_is_not_written_again_beside_itself(tmp_path):
    written = tmp_path / "avx_base_2026-11-24.json"
    written.write_bytes(VERSION_1.read_bytes())
    assert save_results(load_results(VERSION_1), tmp_path) == written
    assert written.read_bytes() == VERSION_1.read_bytes()
