"""Log files as people have them: compressed, in any encoding, exported by log collectors."""

import gzip
import io
import json

import pytest

from support.collecting import collect
from support.pod_runs import RUN, framed_log, frames_of
from support.project import RECORDED
from whisper_bench.parcel import log_file
from whisper_bench.parcel.log_file import LogError, log_pieces
from whisper_bench.parcel.parcel import unpack

CASES = RECORDED / "cases" / "logs"
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
def test_a_file_in_each_encoding_is_read(content):
    (parcel,), faults = unpack(text_of(content))
    assert parcel.saved == RUN.read_text()
    assert not faults


@pytest.mark.parametrize("content", [b"", b"a", b"\xffab", gzip.compress(b"", mtime=0)])
def test_a_file_of_a_few_bytes_is_read(content):
    assert len(text_of(content)) <= len(content)


def test_a_cut_gzip_is_read_up_to_the_cut(home, capsys):
    text, why = read(PACKED[:-4])
    assert why.startswith("its gzip ends too early")
    assert unpack(text)[0]
    (home / "a.gz").write_bytes(PACKED[:-4])
    status, out, err = collect(capsys, "a.gz")
    assert (status, out.split()[0]) == (1, "collected")
    assert err.startswith("FAILED: a.gz: its gzip ends too early")


def test_a_damaged_gzip_is_read_up_to_the_damage():
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
def test_another_compression_is_refused_with_its_command(beginning, command):
    assert f"{command} FILE | whisper-bench k8s collect -" in read(beginning + b"abc")[1]


def test_a_gzip_that_unpacks_too_large_is_cut(home, capsys, monkeypatch):
    monkeypatch.setattr(log_file, "MOST_LOG_BYTES", 3 * 2**20)
    text, why = read(gzip.compress(b"x" * 50_000_000))
    assert len(text) <= 3 * 2**20
    assert "more than 3 MiB" in why
    assert "zgrep -a whisper-bench-frame: FILE" in why


def test_an_endless_file_is_cut(home, capsys, monkeypatch):
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
def test_logs_as_collectors_export_them(export):
    lines = [part for line in frames_of() for part in EXPORTS[export](line)]
    (parcel,), faults = unpack("\n".join(lines))
    assert parcel.saved == RUN.read_text()
    assert not faults


@pytest.mark.parametrize("trouble", ["folder", "mode", "NUL"])
def test_an_unreadable_file_does_not_stop_the_others(home, capsys, monkeypatch, trouble):
    (home / "a").mkdir()
    (home / "b").write_text(TEXT)
    monkeypatch.setattr("os.access", lambda *_: trouble != "mode")
    name = {"folder": "a", "mode": "b", "NUL": "\0"}[trouble]
    status, _, err = collect(capsys, "b", name)
    assert status == 2
    assert "pass a log file, - for stdin, pod/NAME or job/NAME" in err
    assert not (home / ".benchmarks").exists()


def test_a_read_error_keeps_what_was_read(home, capsys, monkeypatch):
    def broken(_):
        yield TEXT
        raise OSError(5, "Input/output error")

    (home / "a").write_text("")
    monkeypatch.setattr(log_file, "log_pieces", broken)
    status, out, err = collect(capsys, "a")
    assert (status, out.split()[0]) == (1, "collected")
    assert "FAILED: a: it cannot be read completely: Input/output error" in err


EMPTY = gzip.compress(b"", mtime=0)


class WithoutEnd:
    """A beginning, and the same byte without end."""

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
def test_a_file_that_unpacks_to_nothing_is_cut(monkeypatch, file):
    monkeypatch.setattr(log_file, "MOST_LOG_BYTES", 2**20)
    with pytest.raises(LogError, match="more than 1 MiB"):
        list(log_pieces(file))


def test_a_thousand_gzips_in_a_row_are_copied_once_each(monkeypatch):
    copied = []
    real = log_file._rest
    monkeypatch.setattr(
        log_file, "_rest", lambda rest, read: copied.append(len(rest)) or real(rest, read)
    )
    content = 20_000 * EMPTY + gzip.compress(TEXT.encode())
    assert text_of(content) == TEXT
    assert sum(copied) < 1000 * len(content)
    assert len(list(log_pieces(io.BytesIO(3000 * gzip.compress(b"x\n"))))) < 5
