"""WAV files whose lengths, format or bytes are not what they should be, and those that are."""

import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.project import RECORDED, STANDARD_CLIP
from whisper_bench.case.clip import load_clip
from whisper_bench.case.wav import WavError, pcm_of
from whisper_bench.errors import BenchError

RECORDED_CLIPS = RECORDED / "cases" / "clips"
PCM_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
AUDIO = struct.pack("<4h", 1, -2, 3, -4)


def fmt(tag=1, *, channels=1, rate=16_000, block=2, bits=16, rest=b""):
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, 32_000, block, bits) + rest)


def extensible(valid_bits=16, tag=1, tail=PCM_GUID_TAIL):
    return fmt(0xFFFE, rest=struct.pack("<HHIH", 22, valid_bits, 4, tag) + tail)


def chunk(name, body, size=None):
    return name + struct.pack("<I", len(body) if size is None else size) + body


def wav(*chunks):
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def data(size=None):
    return chunk(b"data", AUDIO, size)


@pytest.mark.parametrize(
    "content",
    [
        wav(fmt(), data()),
        wav(extensible(), data()),
        wav(extensible(valid_bits=0), data()),
        wav(fmt(), chunk(b"LIST", b"odd", 3) + b"\0", data()),
        wav(fmt(rest=b"\0\0"), data(), chunk(b"id3 ", b"", 10**9)),
        wav(fmt(), data()).replace(b"RIFF" + struct.pack("<I", 44), b"RIFF\xff\xff\xff\xff"),
    ],
    ids=["plain", "extensible", "extensible-0-valid-bits", "odd-chunk", "after-it", "riff-unknown"],
)
def test_a_good_file_gives_its_samples(content):
    assert bytes(pcm_of(content)) == AUDIO


@pytest.mark.parametrize(
    ("content", "actual"),
    {
        "nothing": (b"", "it is 0 bytes long"),
        "text": (b"no wave at all", "it begins with 'no w' and 'at a'"),
        "escape": (b"\x1b[2J\0\0\0\0WAVE", r"it begins with '\\x1b\[2J'"),
        "rf64": (b"RF64" + wav(fmt(), data())[4:], "it begins with 'RF64'"),
        "no-audio-chunk": (wav(fmt()), "it ends before its audio begins"),
        "zeros": (wav(fmt()) + bytes(80_000), "it ends before its audio begins"),
        "audio-before-fmt": (wav(data(), fmt()), "no fmt chunk before its audio"),
        "fmt-too-long": (wav(chunk(b"fmt ", bytes(16), 200)), "200 bytes long, and 16 are left"),
        "fmt-empty": (wav(chunk(b"fmt ", b""), data()), "its fmt chunk has 0 bytes, 16 are"),
        "list-too-long": (wav(fmt(), chunk(b"LIST", b"x", 2**32 - 1)), "'LIST' chunk is said"),
        "float": (wav(fmt(tag=3, bits=32, block=4), data()), "format 0x0003, but PCM"),
        "extensible-float": (wav(extensible(tag=3), data()), "format 0x0003, but PCM"),
        "extensible-own": (wav(extensible(tail=bytes(14)), data()), "a format of its own"),
        "extensible-short": (wav(fmt(0xFFFE), data()), "extensible fmt chunk has 16 bytes, 40"),
        "extensible-12-bit": (wav(extensible(valid_bits=12), data()), "1 channel.s., 12 bit"),
        "no-channels": (wav(fmt(channels=0), data()), "16000 Hz, 0 channel"),
        "rate-0": (wav(fmt(rate=0), data()), "^0 Hz"),
        "block": (wav(fmt(block=4), data()), "4 bytes a sample, and 16 bit are 2"),
        "pipe": (wav(fmt(), data(0xFFFFFFFF)), "its length is not written in it"),
        "pipe-0": (wav(fmt(), data(0)), "its length is not written in it"),
        "no-samples": (wav(fmt(), chunk(b"data", b"")), "it holds no audio"),
        "odd": (wav(fmt(), data(7)), "7 bytes long, which is no whole number of samples"),
        "too-long": (wav(fmt(), data(4000)), "cut short, 4 of 2000 samples are there"),
    }.values(),
)
def test_a_bad_file_is_refused_with_the_reason(content, actual):
    with pytest.raises(WavError, match=actual):
        pcm_of(content)


def test_a_recorded_clip_with_a_fmt_chunk_beyond_its_end_is_refused():
    with pytest.raises(BenchError) as caught:
        load_clip(RECORDED_CLIPS / "fmt-chunk-too-long.wav")
    message = str(caught.value)
    assert "fmt-chunk-too-long.wav" in message
    assert "'fmt ' chunk is said to be 200 bytes long, and 88 are left" in message
    assert "ffmpeg -i INPUT -ar 16000 -ac 1" in message


@given(at=st.integers(0, 63), bits=st.integers(1, 255), cut=st.integers(0, 64))
def test_any_byte_changed_or_cut_is_read_or_refused(at, bits, cut):
    content = bytearray(STANDARD_CLIP.read_bytes()[:44] + bytes(20))
    content[40:44] = struct.pack("<I", 20)
    content[at] ^= bits
    try:
        samples = pcm_of(bytes(content[:cut] if cut else content))
    except WavError:
        return
    assert len(samples) == 20


@given(st.binary(max_size=200))
def test_any_bytes_after_the_first_are_read_or_refused(body):
    with suppress(WavError):
        pcm_of(b"RIFF\0\0\0\0WAVE" + body)


def test_a_device_without_an_end_is_not_read():
    with pytest.raises(BenchError, match=r"/dev/zero: not a WAV file .*it is not a regular file"):
        load_clip(Path("/dev/zero"))


def test_a_clip_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("whisper_bench.case.clip._MOST_WAV_BYTES", 40)
    path = tmp_path / "large.wav"
    path.write_bytes(wav(fmt(), data()))
    with pytest.raises(BenchError, match=r"large\.wav: not a WAV file .*more than 40 bytes"):
        load_clip(path)
