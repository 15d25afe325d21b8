"""Log files as people have them: packed, in any encoding, exported by collectors, in several parts."""

import gzip
import io
import json

import pytest

from support.pod_runs import RUN, framed_log, frames_of
from support.project import RECORDED
from whisper_bench.cli import main
from whisper_bench.parcel import log_file
from whisper_bench.parcel.log_file import LogError, grouped, log_pieces
from whisper_bench.parcel.parcel import unpack

CASES = RECORDED / "cases" / "logs"
OLD, NEW = CASES / "82-rotated-0.log.20261124-101500", CASES / "82-rotated-0.log"
TEXT = framed_log()
STAMP = "2026-11-24T10:00:00.000000000Z"


def text_of(content):
    return "".join(log_pieces(io.BytesIO(content)))


def read(content):
    """What is read before it fails, and why it fails."""
    pieces = []
    try:
        for piece in log_pieces(io.BytesIO(content)):
            pieces.append(piece)  # noqa: PERF402 - what came before the error is kept
    except LogError as error:
        return "".join(pieces), str(error)
    raise AssertionError("it was read without an error")


def collect(capsys, *sources):
    status = main(["k8s", "collect", *map(str, sources)])
    return status, *capsys.readouterr()


@pytest.mark.parametrize("name", ["64-json-escaped-slash.log", "69-rotated.log.20261124-101500.gz"])
def test_a_recorded_log(home, capsys, name):
    status, out, err = collect(capsys, CASES / name)
    assert (status, err) == (0, "")
    assert out.startswith("collected node-avx from ")


@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD)])
def test_one_run_in_two_files(home, capsys, order):
    status, out, err = collect(capsys, *order)
    assert (status, err) == (0, "")
    assert out.startswith(f"collected node-avx from {OLD} + {NEW}: ")


def test_one_run_in_two_files_of_any_names(home, capsys):
    for name, source in (("b", OLD), ("a", NEW)):
        (home / name).write_bytes(source.read_bytes())
    status, out, _ = collect(capsys, "a", "b")
    assert status == 0
    assert out.startswith("collected node-avx from a + b: ")


def test_a_run_that_is_whole_in_another_file_lacks_nothing(home, capsys):
    (home / "whole").write_text(TEXT)
    (home / "cut").write_text(TEXT[: len(TEXT) // 2])
    for order in (("whole", "cut"), ("cut", "whole")):
        status, _, err = collect(capsys, *order)
        assert (status, err) == (0, "")


def test_one_half_of_a_run_is_told_with_every_file_that_has_some(home, capsys):
    lines = frames_of()
    (home / "a").write_text("\n".join(lines[:2]))
    (home / "b").write_text("\n".join(lines[3:]))
    status, _, err = collect(capsys, "a", "b")
    assert status == 1
    assert err.startswith("FAILED: a + b: ")
    assert f"frame 3 of {len(lines)} missing" in err


def test_two_runs_of_one_id_that_differ_are_not_put_together(home, capsys):
    from whisper_bench.parcel import frames

    head, *rest = frames_of()
    name = head.split(":")[2]
    (home / "a").write_text("\n".join(rest))
    (home / "b").write_text(frames._line(f"{name}:2/{1 + len(rest)}", b"x"))
    status, _, err = collect(capsys, "a", "b")
    assert status == 1
    assert "two different frames have the same number" in err


def test_the_older_part_of_a_log_may_have_no_frames(home, capsys):
    """The kubelet adds the time to the name; together they are one log with one run."""
    (home / "0.log.20261124-101500").write_text("collected 1 item\n")
    (home / "0.log").write_text(TEXT)
    assert collect(capsys, "0.log", "0.log.20261124-101500")[0] == 0
    (home / "1.log").write_text("collected 1 item\n")
    status, _, err = collect(capsys, "0.log", "1.log")
    assert status == 1
    assert err.startswith("FAILED: 1.log: no results in it")


def test_parts_of_one_log_by_their_names():
    names = ["p/0.log", "p/0.log.20261124-120000", "p/0.log.20261124-110000.gz", "q/0.log", "a.1"]
    assert grouped([*names, "a.1"]) == [
        ["p/0.log.20261124-110000.gz", "p/0.log.20261124-120000", "p/0.log"],
        ["q/0.log"],
        ["a.1"],
    ]


PACKED = gzip.compress(TEXT.encode())


@pytest.mark.parametrize(
    "content",
    [
        PACKED,
        gzip.compress(TEXT[:500].encode()) + gzip.compress(TEXT[500:].encode()),
        gzip.compress(b"") + PACKED + b"\0" * 2_000_000,
        gzip.compress(TEXT[:500].encode()) + b"\0" + TEXT[500:].encode(),
        gzip.compress(TEXT.encode("utf-16")),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        TEXT.replace("\n", "\r\n").encode(),
        b"\0" * 3000 + TEXT.encode(),
    ],
    ids=[
        "gzip", "two gzips", "padding", "gzip and text", "UTF-16 in gzip", "UTF-8's mark",
        "little endian", "big endian", "UTF-32", "CRLF", "a hole in front",
    ],
)  # fmt: skip
def test_how_a_file_is_written(content):
    (parcel,), faults = unpack(text_of(content))
    assert parcel.saved == RUN.read_text()
    assert not faults


@pytest.mark.parametrize("content", [b"", b"a", b"\xffab", gzip.compress(b"")])
def test_hardly_anything_is_read_as_it_is(content):
    assert len(text_of(content)) <= len(content)


def test_a_gzip_that_is_cut_is_read_as_far_as_it_goes(home, capsys):
    text, why = read(PACKED[:-4])
    assert why.startswith("its gzip is cut short")
    assert unpack(text)[0]
    (home / "a.gz").write_bytes(PACKED[:-4])
    status, out, err = collect(capsys, "a.gz")
    assert (status, out.split()[0]) == (1, "collected")
    assert err.startswith("FAILED: a.gz: its gzip is cut short")


def test_a_gzip_that_is_damaged():
    assert read(PACKED[:20] + b"\xff" * 50 + PACKED[70:])[1].startswith("its gzip is damaged (")


@pytest.mark.parametrize(
    ("beginning", "command"),
    [
        (b"\x28\xb5\x2f\xfd", "zstd -dc"),
        (b"\xfd7zXZ\0", "xz -dc"),
        (b"BZh9", "bzip2 -dc"),
        (b"\x04\x22\x4d\x18", "lz4 -dc"),
        (b"PK\x03\x04", "unzip -p"),
        (b"7z\xbc\xaf\x27\x1c", "7z x -so"),
    ],
)
def test_packed_by_something_else(beginning, command):
    assert f"{command} FILE | whisper-bench k8s collect -" in read(beginning + b"abc")[1]


def test_a_gzip_that_unpacks_without_end(home, capsys, monkeypatch):
    monkeypatch.setattr(log_file, "MOST_LOG_BYTES", 3 * 2**20)
    text, why = read(gzip.compress(b"x" * 50_000_000))
    assert len(text) <= 3 * 2**20
    assert "more than 3 MiB" in why
    assert "zgrep -a whisper-bench-frame: FILE" in why


def test_a_file_without_end(home, capsys, monkeypatch):
    monkeypatch.setattr(log_file, "MOST_LOG_BYTES", 3 * 2**20)
    status, _, err = collect(capsys, "/dev/zero")
    assert status == 1
    assert err.startswith("FAILED: /dev/zero: it has more than 3 MiB")
    assert err.count("FAILED") == 1


def docker(line, *, end="\n"):
    return json.dumps({"log": line + end, "stream": "stdout", "time": STAMP})


def cut_by_docker(line):
    return [docker("noise " + line[:300], end=""), docker("other"), docker(line[300:])]


EXPORTS = {
    "CRI": lambda line: [f"{STAMP} stdout F {line}"],
    "CRI in parts": lambda line: [f"{STAMP} stdout P {line[:9]}", f"{STAMP} stdout F {line[9:]}"],
    "Docker": lambda line: [docker(line)],
    "Docker in parts": cut_by_docker,
    "slashes escaped": lambda line: [json.dumps({"m": line}).replace("/", "\\/")],
    "every sign escaped": lambda line: [
        '{"m": "' + "".join(f"\\u{ord(sign):04x}" for sign in line) + '"}'
    ],
    "JSON in JSON": lambda line: [
        json.dumps({"m": json.dumps({"m": f"a\n{line}"}).replace("/", "\\/")}).replace(
            ":", "\\u003A"
        )
    ],
    "newlines as signs": lambda line: [json.dumps(f"a\r\n\t{line}\nb")],
    "colours": lambda line: [f"\x1b[32m{line[:14]}\x1b[01;31m\x1b[K{line[14:]}\x1b[m"],
    "colours in JSON": lambda line: [json.dumps(f"\x1b[1m{line[:14]}\x1b[m{line[14:]}")],
    "CSV": lambda line: [f'{STAMP},"{line}",node-1'],
    "the Pod's name": lambda line: [f"[pod/benchmark-avx/whisper-bench] {line}"],
}


@pytest.mark.parametrize("export", EXPORTS)
def test_how_logs_are_exported(export):
    lines = [part for line in frames_of() for part in EXPORTS[export](line)]
    (parcel,), faults = unpack("\n".join(lines))
    assert parcel.saved == RUN.read_text()
    assert not faults


@pytest.mark.parametrize("trouble", ["folder", "mode", "NUL"])
def test_a_file_that_cannot_be_read(home, capsys, monkeypatch, trouble):
    (home / "a").mkdir()
    (home / "b").write_text(TEXT)
    monkeypatch.setattr("os.access", lambda *_: trouble != "mode")
    name = {"folder": "a", "mode": "b", "NUL": "\0"}[trouble]
    status, _, err = collect(capsys, "b", name)
    assert status == 2
    assert "name a log file, - for stdin, pod/NAME or job/NAME" in err
    assert not (home / ".benchmarks").exists()


def test_a_file_that_breaks_off(home, capsys, monkeypatch):
    def broken(_):
        yield TEXT
        raise OSError(5, "Input/output error")

    (home / "a").write_text("")
    monkeypatch.setattr(log_file, "log_pieces", broken)
    status, out, err = collect(capsys, "a")
    assert (status, out.split()[0]) == (1, "collected")
    assert "FAILED: a: it cannot be read to its end: Input/output error" in err


EMPTY = gzip.compress(b"", mtime=0)


class WithoutEnd:
    """A beginning, and the same byte for ever."""

    def __init__(self, beginning, byte):
        self.beginning, self.byte, self.size = beginning, byte, 0

    def read(self, count):
        content, self.beginning = self.beginning or self.byte * count, b""
        self.size += len(content)
        assert self.size < 2 * log_file.MOST_LOG_BYTES, "it is read without end"
        return content


@pytest.mark.parametrize(
    "file",
    [
        WithoutEnd(gzip.compress(b"a line\n"), b"\0"),
        WithoutEnd(b"\x1f\x8b\x08\x08" + bytes(6), b"a"),
    ],
    ids=["zeros behind a gzip", "the name of a gzip"],
)
def test_what_unpacks_to_nothing_is_not_read_without_end(monkeypatch, file):
    monkeypatch.setattr(log_file, "MOST_LOG_BYTES", 2**20)
    with pytest.raises(LogError, match="more than 1 MiB"):
        list(log_pieces(file))


def test_a_thousand_gzips_in_a_row_are_copied_once_each(monkeypatch):
    copied = []
    real = log_file._behind
    monkeypatch.setattr(
        log_file, "_behind", lambda rest, read: copied.append(len(rest)) or real(rest, read)
    )
    content = 20_000 * EMPTY + gzip.compress(TEXT.encode())
    assert text_of(content) == TEXT
    assert sum(copied) < 1000 * len(content)
    assert len(list(log_pieces(io.BytesIO(3000 * gzip.compress(b"x\n"))))) < 5
