"""Small logs that would exhaust a reader: each is read in time that grows with its length alone."""

import tracemalloc
import zlib

import msgspec
import pytest

from support.pod_runs import RUN, framed_log, frames_of
from support.project import RECORDED
from whisper_bench.cli import main
from whisper_bench.errors import BenchError
from whisper_bench.parcel import frames, reassemble
from whisper_bench.parcel.collect import Collection
from whisper_bench.parcel.frames import MARK, MOST_FRAMES, encode
from whisper_bench.parcel.parcel import Parcel, unpack
from whisper_bench.parcel.reassemble import Scanner, payloads_in

CASES = RECORDED / "cases" / "logs"


@pytest.fixture
def tries(monkeypatch):
    """Count how often the end of a cut frame is tried."""
    counted = []
    real = reassemble.frame_at

    def counting(text, mark):
        counted.append(mark)
        return real(text, mark)

    monkeypatch.setattr(reassemble, "frame_at", counting)
    return counted


@pytest.fixture
def collection(tmp_path):
    return Collection(tmp_path / "saved", tmp_path / "results")


def frame_of(number, count=2, place=1):
    return frames._line(f"{number:032x}:{place}/{count}", b"x")


def taken(collection, text, log="a"):
    collection.take(log, [(log, [text])])
    collection.finish()
    return collection.faults


def test_a_claim_of_millions_of_frames_is_refused(home, capsys):
    assert main(["k8s", "collect", str(CASES / "frames-count-bomb.log")]) == 1
    first, *_, last = capsys.readouterr().err.splitlines()
    assert f"a run of 9999999 frames, and at most {MOST_FRAMES} are read; run fewer" in first
    assert last.endswith("80 more runs are incomplete")


def test_missing_frames_are_counted_without_a_loop():
    """Each of 20,000 runs says that it has as many frames as are read."""
    text = "\n".join(frame_of(number, MOST_FRAMES) for number in range(20_000))
    faults = [payload.fault for payload in payloads_in(text)]
    assert len(faults) == 20_000
    assert "frames 2, 3, 4, 5, 6 and 16378 more of 16384 missing or damaged" in faults[0]


@pytest.mark.parametrize(("number", "count"), [(0, 2), (3, 2), (1, 0)])
def test_a_frame_number_beyond_its_count_is_no_frame(number, count):
    (payload,) = payloads_in(frame_of(1, count, number))
    assert payload.fault.startswith("no frame is complete")


def test_lines_that_end_as_a_mark_begins_are_not_tried(tries):
    assert payloads_in((CASES / "log-lines-ending-w-1000.log").read_text() * 20) == []
    assert tries == []


def test_the_tries_for_cut_frames_are_limited(tries, monkeypatch):
    monkeypatch.setattr(reassemble, "_TRIES_IN_ALL", 500)
    text = (f"{MARK}1:ab " + "; " * 20) * 1000
    (payload,) = payloads_in(text)
    assert payload.fault.startswith("no frame is complete")
    assert len(tries) < 2 * 500


@pytest.mark.parametrize("between", ["; " * 300, "word " * 25_000])
def test_the_search_for_the_end_of_a_cut_frame_is_limited(between):
    first, *rest = frames_of()
    text = "\n".join([first[:400], between, "; ", first[400:], *rest])
    (payload,) = payloads_in(text)
    assert "frame 1 of" in payload.fault


def test_a_very_long_line_is_read_in_parts():
    scanner = Scanner()
    lines = frames_of()
    scanner.feed("x" * 3_000_000 + "\\" * 100_000 + " ".join(lines))
    assert len(scanner._line) <= reassemble._LONGEST_LINE
    scanner.finish()
    (gathered,) = scanner.gathered.values()
    assert gathered.is_whole


def test_too_many_frames_in_a_log_are_a_fault(monkeypatch, collection):
    monkeypatch.setattr(reassemble, "MOST_HELD", 10)
    faults = taken(collection, "\n".join(frame_of(number) for number in range(30)))
    assert (
        "a: more than 10 frames in one log, and the rest was not read; pass fewer runs" in faults[0]
    )
    assert len(faults) == 11


def test_copies_of_a_frame_do_not_count_to_the_limit(monkeypatch):
    monkeypatch.setattr(reassemble, "MOST_HELD", len(frames_of()))
    assert not unpack(framed_log() * 3)[1]


def test_too_many_incomplete_runs_are_a_fault(monkeypatch, collection):
    monkeypatch.setattr("whisper_bench.parcel.collect.MOST_HELD", 10)
    faults = taken(collection, "\n".join(frame_of(number) for number in range(12)))
    assert "a: more than 10 frames of incomplete runs; pass fewer logs" in faults[-1]


def test_too_many_complete_runs_are_a_fault(monkeypatch, collection):
    monkeypatch.setattr("whisper_bench.parcel.collect._MOST_RUNS", 2)
    text = "".join(framed_log(save_name=f"n{number}") for number in range(3))
    (fault,) = taken(collection, text)
    assert "it has 3 saved runs, and only the first 2 were saved; pass fewer" in fault
    assert [run.save_name for run in collection.collected] == ["n0", "n1"]


def test_a_bomb_is_not_unpacked_into_memory():
    lines = encode(zlib.compress(b" " * 500_000_000, 9))
    tracemalloc.start()
    try:
        parcels, (fault,) = unpack("\n".join(lines))
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not parcels
    assert "unpacked: no saved run is that large" in fault
    assert peak_bytes < 2 * 67_000_000 + 50_000_000


def test_a_run_of_thousands_of_rounds_is_within_the_bounds():
    """Saved runs have text that repeats much, and pack well."""
    saved = RUN.read_text() * 300
    parcel = Parcel(parcel_version=1, folder="Linux", save_name="long", saved=saved)
    (unpacked,), faults = unpack("\n".join(encode(zlib.compress(msgspec.json.encode(parcel), 9))))
    assert unpacked.saved == saved
    assert not faults


def test_a_run_with_too_many_frames_is_not_printed(monkeypatch):
    monkeypatch.setattr(frames, "MOST_FRAMES", 3)
    with pytest.raises(BenchError, match="2025 at most; run fewer rounds or cases at once"):
        encode(b"x" * 2026)
    assert len(encode(b"x" * 2025)) == 3


def test_a_line_for_people_is_cut():
    (line,) = frames.human_lines("x" * 1_000_000)
    assert len(line) == 2000
