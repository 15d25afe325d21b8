"""Saved runs through a log and home again: real ones of the sample, and every way to spoil them."""

import json
import zlib

import msgspec
import pytest

from support.project import ROOT
from whisper_bench.errors import BenchError
from whisper_bench.parcel.collect import Collection
from whisper_bench.parcel.frames import encode, human_lines
from whisper_bench.parcel.parcel import Parcel, pack
from whisper_bench.saved.number import next_path

SAMPLE = ROOT / "docs" / "sample" / "Linux-CPython-3.11-64bit"
RUN = SAMPLE / "0003_avx.json"


def log_of(*paths):
    return "\n".join(["collected 1 item", *(line for path in paths for line in pack(path)), "done"])


def parcel(**changes):
    facts = {"parcel_version": 1, "folder": "Linux", "save_name": "xeon", "saved": RUN.read_text()}
    return encode(zlib.compress(msgspec.json.encode(Parcel(**{**facts, **changes}))))


@pytest.fixture
def home(tmp_path):
    def take(*logs):
        collection = Collection(tmp_path / ".benchmarks", tmp_path / "benchmark_results")
        for number, text in enumerate(logs):
            collection.take(f"log {number}", [("log", [text])])
        collection.finish()
        return collection.collected, collection.faults

    return take


def test_a_collected_run_has_the_same_bytes(home, tmp_path):
    (collected,), faults = home(log_of(RUN))
    assert not faults
    assert collected.saved_run == tmp_path / ".benchmarks" / SAMPLE.name / "0001_avx.json"
    assert collected.saved_run.read_bytes() == RUN.read_bytes()
    assert [result.file.name for result in collected.results] == [
        "avx_base_2026-11-24.json",
        "avx_small-shape-only_2026-11-24.json",
    ]
    assert all(result.file.exists() for result in collected.results)
    assert collected.new
    assert collected.lines()[0] == f"collected avx from log 0: {collected.saved_run}"


def test_collecting_twice_saves_one_run(home, tmp_path):
    home(log_of(RUN))
    (again,), faults = home(log_of(RUN))
    assert not faults
    assert not again.new
    assert again.lines()[0].startswith("already there: avx from log 0")
    assert len(list((tmp_path / ".benchmarks" / SAMPLE.name).iterdir())) == 1
    assert len(list((tmp_path / "benchmark_results").iterdir())) == 2


def test_a_collected_run_gets_the_next_number(home, tmp_path):
    folder = tmp_path / ".benchmarks" / SAMPLE.name
    folder.mkdir(parents=True)
    (folder / "0041_avx.json").write_text("another of this name")
    (folder / "notes_avx.json").write_text("of no number")
    (collected,), _ = home(log_of(RUN))
    assert collected.saved_run.name == "0042_avx.json"


def test_several_runs_of_several_logs_are_saved(home):
    collected, faults = home(log_of(RUN, SAMPLE / "0002_generic.json"), log_of(RUN))
    assert [(run.save_name, run.log, run.new) for run in collected] == [
        ("avx", "log 0", True),
        ("generic", "log 0", True),
        ("avx", "log 1", False),
    ]
    assert not faults


def test_a_cut_log_does_not_stop_the_others(home):
    lines = log_of(RUN).splitlines()
    cut = "\n".join(lines[: len(lines) // 2])
    collected, (fault,) = home(cut, log_of(SAMPLE / "0002_generic.json"))
    assert [run.save_name for run in collected] == ["generic"]
    assert fault.startswith("log 0: ")
    assert fault.endswith("missing or damaged")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "log 0: the log is empty"),
        (" \n", "log 0: the log is empty"),
        ("a\nb\nc\nKilled\n", "The log ends: b / c / Killed"),
        ("\n".join(encode(b"no zlib")), "it cannot be unpacked (Error -3"),
        ("\n".join(encode(zlib.compress(b"{}"))), "it cannot be unpacked (Object missing"),
        ("\n".join(parcel(parcel_version=2)), "it has parcel version 2, and this"),
        (
            "\n".join(parcel(folder="..")),
            "its folder '..': a file gets this name, and it begins with a dot",
        ),
        ("\n".join(parcel(folder="")), "its folder '': a file gets this name, and it is empty"),
        (
            "\n".join(parcel(save_name="a/b")),
            "its save name 'a/b': a file gets this name, and it has /",
        ),
        ("\n".join(parcel(save_name="a\\b")), r"it has / or \ in it"),
        ("\n".join(parcel(save_name="a\nb")), "it has a character that cannot be printed"),
        ("\n".join(parcel(save_name="a" * 201)), "it has 201 bytes, and at most 180"),
        ("\n".join(parcel(saved="{")), "log 0: xeon: it is cut short after 1 bytes"),
        ("\n".join(parcel(saved='{"a": NaN}')), "has NaN or Infinity"),
    ],
)
def test_a_damaged_parcel_is_a_fault_and_saves_nothing(home, tmp_path, text, fault):
    collected, (only,) = home(text)
    assert not collected
    assert fault in only
    assert not list(tmp_path.rglob("*.json"))


def test_a_parcel_that_unpacks_too_large_is_a_fault(home, monkeypatch):
    monkeypatch.setattr("whisper_bench.parcel.parcel._MOST_BYTES", 1000)
    _, (fault,) = home("\n".join(parcel(saved="x" * 5000)))
    assert "bytes packed and more than 1000 unpacked:" in fault


def test_a_save_name_with_spaces_and_accents_is_kept(home):
    (collected,), _ = home("\n".join(parcel(save_name="máy chủ 1")))
    assert collected.saved_run.name == "0001_máy chủ 1.json"


def test_a_run_of_another_suite_is_a_fault(home):
    saved = json.loads(RUN.read_text())
    saved["machine_info"].pop("whisper_bench")
    _, (fault,) = home("\n".join(parcel(saved=json.dumps(saved))))
    assert "machine_info has no whisper_bench" in fault


def test_human_lines_leave_out_the_frames():
    assert human_lines(log_of(RUN)) == ["collected 1 item", "done"]


def test_the_first_number_in_an_empty_folder_is_one(tmp_path):
    assert next_path(tmp_path / "none", "a") == tmp_path / "none" / "0001_a.json"


def test_concurrent_saves_get_different_numbers(tmp_path, monkeypatch):
    from whisper_bench.saved import number

    real = number.claim

    def claim(scratch, path):
        monkeypatch.setattr(number, "claim", real)
        path.write_bytes(b"another run's")
        return real(scratch, path)

    folder = tmp_path / "machine"
    (tmp_path / "0007_in_the_storage_itself.json").touch()
    monkeypatch.setattr(number, "claim", claim)
    assert number.save_numbered(folder, "m4", b"ours").name == "0009_m4.json"
    assert sorted(path.name for path in folder.iterdir()) == ["0008_m4.json", "0009_m4.json"]
    assert (folder / "0008_m4.json").read_bytes() == b"another run's"


def test_a_number_taken_meanwhile_does_not_change_the_save_name(home, tmp_path, monkeypatch):
    folder = tmp_path / ".benchmarks" / SAMPLE.name
    folder.mkdir(parents=True)
    (folder / "0001_avx.json").write_text("{}")
    names = iter(["0001_avx.json", "0001_avx.json", "0002_avx.json"])
    monkeypatch.setattr("whisper_bench.saved.number.next_path", lambda *_: folder / next(names))
    (collected,), faults = home(log_of(RUN))
    assert not faults
    assert collected.saved_run == folder / "0002_avx.json"


def test_a_broken_link_is_not_the_saved_run(home, tmp_path):
    folder = tmp_path / ".benchmarks" / SAMPLE.name
    folder.mkdir(parents=True)
    (folder / "0001_avx.json").symlink_to("nowhere")
    (collected,), faults = home(log_of(RUN))
    assert not faults
    assert collected.saved_run == folder / "0002_avx.json"


def test_a_run_whose_result_files_cannot_be_written_is_not_saved_either(home, tmp_path):
    (tmp_path / "benchmark_results").write_text("no folder")
    with pytest.raises(BenchError, match="a file is where a folder should be"):
        home(log_of(RUN))
    assert not list(tmp_path.glob(".benchmarks/*/*"))
    (tmp_path / "benchmark_results").unlink()
    home(log_of(RUN))
    (tmp_path / "benchmark_results" / "avx_base_2026-11-24.json").unlink()
    (collected,), _ = home(log_of(RUN))
    assert not collected.new
    assert len(list(tmp_path.glob(".benchmarks/*/*"))) == 1
    for path in (tmp_path / "benchmark_results").iterdir():
        path.unlink()
    (tmp_path / "benchmark_results").rmdir()
    (tmp_path / "benchmark_results").write_text("no folder")
    with pytest.raises(BenchError):
        home(log_of(RUN))
    assert len(list(tmp_path.glob(".benchmarks/*/*"))) == 1


def test_a_run_too_large_to_unpack_is_not_packed(tmp_path, monkeypatch):
    monkeypatch.setattr("whisper_bench.parcel.parcel._MOST_BYTES", 1000)
    with pytest.raises(BenchError, match="at most 1000 can be unpacked .*; run fewer rounds"):
        pack(RUN)
    with pytest.raises(BenchError, match="none.json: No such file"):
        pack(tmp_path / "0001_none.json")
