"""ratio_config.json: whole, unedited, fresh, or refused."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from support.ratios import m4, record, xeon
from whisper_bench import calculate_ratio, load_config, save_config
from whisper_bench.errors import BenchError
from whisper_bench.ratio.config import StaleError, check_age


@pytest.fixture
def path(tmp_path):
    return save_config(calculate_ratio(m4(), xeon()), tmp_path / "benchmark_results")


def test_a_kept_ratio_is_read_as_it_was_written(path):
    report = calculate_ratio(m4(), xeon())
    config = load_config(path)
    assert path.name == "ratio_config.json"
    assert config.cases == report.cases
    assert config.headline == report.headline
    assert config.tool_version == "0.1.0"
    assert (config.reference.name, config.target.name) == ("m4", "xeon")


def test_the_file_begins_with_its_kind_and_versions(path):
    document = json.loads(path.read_text())
    assert list(document)[:4] == ["kind", "schema_version", "tool_version", "created"]
    assert document["cases"][0].keys() >= {"ratio", "low", "high", "identity"}


def test_nothing_is_written_that_could_not_be_read_again(path):
    before, report = path.read_bytes(), calculate_ratio(m4(), xeon())
    broken = msgspec.structs.replace(report, differences=1)
    with pytest.raises(BenchError, match="differences is 1: Expected .*; make it again"):
        save_config(broken, path.parent)
    assert path.read_bytes() == before


def test_a_newer_ratio_replaces_the_older_file(path):
    assert save_config(calculate_ratio(xeon(), m4()), path.parent) == path
    assert load_config(path).reference.name == "xeon"
    assert [item.name for item in path.parent.iterdir()] == ["ratio_config.json"]


def test_an_invalid_ratio_is_not_kept_and_the_older_stays(path):
    before = path.read_bytes()
    with pytest.raises(BenchError, match="INVALID: base-t1-vi_30s: "):
        save_config(calculate_ratio(m4(record(1.0)), xeon()), path.parent)
    assert path.read_bytes() == before


def test_a_full_disk_leaves_the_older_ratio_as_it_was(path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    monkeypatch.setattr("whisper_bench.files.scratch.os.fsync", full)
    with pytest.raises(BenchError, match="cannot write .*ratio_config.json: No space left"):
        save_config(calculate_ratio(xeon(), m4()), path.parent)
    assert path.read_bytes() == before
    assert [item.name for item in path.parent.iterdir()] == ["ratio_config.json"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["cases"][0].update(ratio=1.0), "base-t1-vi_30s's ratio does not follow"),
        (lambda d: d["cases"][0].update(low=None), "base-t1-vi_30s's ratio does not follow"),
        (lambda d: d["cases"][0]["target"]["latency"].update(mean=2.0), "does not follow from its"),
        (lambda d: d["headline"].update(high=9.0), "the headline does not follow from the cases"),
        (lambda d: d.update(headline=None), "the headline does not follow from the cases"),
        (lambda d: d["cases"].clear(), "it has no case"),
        (lambda d: d["cases"][0].update(validity="INVALID"), "base-t1-vi_30s is INVALID"),
        (
            lambda d: d["cases"][0].update(validity="WITHIN_RUN"),
            "validity does not follow from its",
        ),
        (lambda d: d.update(validity="WITHIN_RUN"), "its validity does not follow from the cases"),
        (lambda d: d["cases"][0].update(confidence=1.0), "Expected `float` < 1.0"),
        (lambda d: d["cases"][0]["target"]["latency"].update(variance=-1), "Expected `float` >= 0"),
        (
            lambda d: d["cases"][0]["target"]["latency"].update(mean=1e308),
            "Expected `float` <= 100",
        ),
        (lambda d: d["cases"][0]["target"]["latency"].update(size=1), "base-t1-vi_30s is INVALID"),
        (lambda d: d["cases"][0]["target"].update(processes=2), "has 2 processes, and 3 in its"),
        (
            lambda d: d["cases"][0]["target"].update(latency_s=9.0),
            "target has latency_s 9.0, but",
        ),
        (lambda d: d["cases"][0]["target"].update(cpu_s=None), "target has cpu_s None, but its"),
        (lambda d: d["cases"][0]["reference"].update(rounds=2), "of 3 processes and 2 rounds"),
        (
            lambda d: d["cases"][0]["reference"].update(contended_rounds=99),
            "99 contended rounds of",
        ),
        (
            lambda d: d["cases"][0]["target"].update(peak_rss_bytes=0),
            "peak_rss_bytes is 0: Expected",
        ),
        (lambda d: d["cases"][0].update(threads=-1), "cases[0].threads is -1: Expected `int` >= 1"),
        (
            lambda d: d["cases"][0].update(ratio=-2.5),
            "cases[0].ratio is -2.5: Expected `float` > 0",
        ),
        (
            lambda d: d["cases"][0]["identity"].update(cpu_limit=0),
            "cpu_limit is 0: Expected `float`",
        ),
        (
            lambda d: d["cases"][0].update(model="../base"),
            "model '../base': a file gets this name",
        ),
        (lambda d: d["cases"][0].update(clip="a\x1bb"), r"clip 'a\x1bb': a file gets this name"),
        (lambda d: d.update(kind="other"), "Invalid enum value 'other'"),
        (lambda d: d.update(schema_version=3), "Invalid enum value 3"),
        (lambda d: d.pop("created"), "Object missing required field `created`"),
        (lambda d: d.update(mine=1), "Object contains unknown field `mine`"),
    ],
)
def test_an_edited_or_foreign_file_is_refused(path, change, message):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(BenchError) as caught:
        load_config(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "make it again with whisper-bench ratio" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": NaN}', b"[" * 100_000, b"\xff"])
def test_a_broken_file_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(BenchError, match="make it again with whisper-bench ratio"):
        load_config(path)


def test_a_missing_ratio_config_is_an_error_with_the_remedy(tmp_path):
    with pytest.raises(BenchError, match="No such file or directory; make it again with"):
        load_config(tmp_path / "ratio_config.json")


def test_a_ratio_is_as_old_as_its_older_run_and_none_is_from_the_future():
    now = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    old = m4()
    old = msgspec.structs.replace(
        old, facts=msgspec.structs.replace(old.facts, moment=now - timedelta(days=91))
    )
    report = calculate_ratio(old, xeon())
    with pytest.raises(StaleError, match="its older run is 91 days old, 90 are allowed"):
        check_age(report, 90, now)
    check_age(report, 91, now)
    with pytest.raises(StaleError, match="in the future; correct this machine's clock"):
        check_age(report, 90, now - timedelta(days=200))
    ahead = xeon(moment=now + timedelta(days=400))
    with pytest.raises(StaleError, match="in the future; correct this machine's clock"):
        check_age(calculate_ratio(m4(), ahead), 90, now)
