"""Is a saved run the one in a journal, and which files has a kill cut short."""

import pytest

from support.samples import ready, round_line
from whisper_bench.errors import BenchError
from whisper_bench.files.write_errors import remedy_in_place
from whisper_bench.measure.journal import Journal, RunLine
from whisper_bench.saved.same import half_written, is_cut_short, saved_of, saved_with
from whisper_bench.session import resumed, storage
from whisper_bench.session.resumed import open_journal


@pytest.fixture
def sample(pytestconfig):
    return min((pytestconfig.rootpath / "docs" / "sample").glob("*/*.json"))


def rounds_of(path):
    from whisper_bench.saved.file import read_saved, records_of

    return [
        round_line(item.process, item.latency_s, case=record.case)
        for record in records_of(read_saved(path), str(path))
        for item in record.rounds
    ]


def test_a_saved_run_is_found_by_its_rounds(sample):
    rounds = rounds_of(sample)
    assert saved_with([sample.parent], rounds) == sample
    assert saved_with([sample.parent], rounds[:3]) == sample
    assert saved_with([sample.parent], [*rounds, round_line(1, 4.5)]) is None
    assert saved_with([sample.parent], []) is None


def test_a_saved_part_of_a_run_is_not_the_whole_run(sample, tmp_path):
    from whisper_bench.saved.file import read_saved, records_of

    records = records_of(read_saved(sample), str(sample))
    for name in ("0001_avx", "0002_xeon"):
        (tmp_path / f"{name}.json").write_bytes(sample.read_bytes())
    path = tmp_path / "0001_avx.json"
    assert saved_of(tmp_path, "avx", records) == (path, [])
    assert saved_of(tmp_path, "avx", records[:1]) == (None, [path])
    assert saved_of(tmp_path, "m4", records) == (None, [])
    assert saved_of(tmp_path, "avx", []) == (None, [])


def test_unreadable_files_hold_no_rounds(sample, tmp_path):
    rounds = rounds_of(sample)
    content = sample.read_bytes()
    (tmp_path / "0001_avx.json").write_bytes(content[:-40])
    (tmp_path / "0002_avx.json").mkdir()
    assert saved_with([tmp_path], rounds) is None


def test_half_written_files_are_those_cut_short_with_these_rounds_alone(sample, tmp_path):
    rounds, content = rounds_of(sample), sample.read_bytes()
    texts = {
        "0001_avx": content[: len(content) // 2],
        "0002_avx": b"",
        "0003_avx": content[: len(content) // 2] + bytes(500),
        "0004_xeon": content[: len(content) // 2],
        "0005_avx": content,
        "0006_avx": b"no JSON at all",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.json").write_bytes(text)
    actual = half_written([tmp_path], "avx", rounds)
    assert sorted(path.stem for path in actual) == ["0001_avx", "0002_avx", "0003_avx"]
    actual = half_written([tmp_path], "avx", [round_line(1, 4.5)])
    assert [path.stem for path in actual] == ["0002_avx"]
    assert not is_cut_short(content)


def test_a_half_written_file_that_cannot_be_removed_is_named(tmp_path, monkeypatch):
    path = tmp_path / "0001_m4.json"
    path.mkdir()
    said = []
    resumed._take_away(path, tmp_path / "m4.jsonl", said.append)
    assert said[0].startswith(f"{path} is incomplete and cannot be removed (")
    assert said[0].endswith("delete it")


def test_an_unfinished_run_is_offered_beside_one_in_progress(tmp_path):
    identity = RunLine("m4", {})
    journals = [Journal.begin(tmp_path, identity) for _ in range(2)]
    for journal in journals:
        journal.append(ready(1))
        journal.append(round_line(1, 4.5))
    journals[0].close()
    for go_on in (False, True):
        said = []
        opened = open_journal(tmp_path, identity, [], go_on=go_on, storage=[], say=said.append)
        assert any(f"in progress ({journals[1].path})" in line for line in said)
        assert (opened.journal.path == journals[0].path) is go_on
        assert any("resum" in line and journals[0].path.name in line for line in said)
        (opened.journal.close if go_on else opened.journal.discard)()
    journals[1].close()


def test_a_storage_error_reaches_pytest_benchmark_as_the_systems_error():
    with pytest.raises(PermissionError), storage._as_os_error():
        raise BenchError("ours") from PermissionError(13, "Permission denied")
    with pytest.raises(OSError, match="ours"), storage._as_os_error():
        raise BenchError("ours")


def test_the_remedy_for_a_read_only_journal_does_not_move_it():
    assert remedy_in_place(PermissionError(13, "")) == "make its folder writable"
