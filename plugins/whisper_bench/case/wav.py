"""A WAV file as it is measured: PCM, 16 kHz, mono, 16 bit, every length in it checked.

Python's own `wave` takes a chunk's length on trust, and reads the extensible format in some
versions only. The form is that of "Multimedia Programming Interface and Data Specifications 1.0"
(IBM and Microsoft, 1991), and of WAVEFORMATEXTENSIBLE in Microsoft's mmreg.h.
"""

import struct
from collections.abc import Iterator

from whisper_bench.errors import BenchError
from whisper_bench.text.plain import quoted

SAMPLE_RATE_HZ = 16_000
"""What Whisper takes: openai/whisper, whisper/audio.py, SAMPLE_RATE."""
SAMPLE_WIDTH_BYTES = 2

_HEAD = struct.Struct("<4sI")
_RIFF_BYTES = 12
_MOST_CHUNKS = 1000
"""Programs write a handful; a file of zeros would be millions."""
_FORMAT = struct.Struct("<HHIIHH")
_PCM, _EXTENSIBLE = 0x0001, 0xFFFE
_EXTENSION = struct.Struct("<HHIH14s")
_PCM_TAIL = bytes.fromhex("000000001000800000aa00389b71")
"""What follows the format's tag in KSDATAFORMAT_SUBTYPE_PCM."""
_LENGTH_UNKNOWN = 0xFFFFFFFF
"""What ffmpeg writes for a length where its output is a pipe; SoX and others write 0."""


class WavError(BenchError):
    """Bytes that are no WAV file of the kind that is measured; the message says why."""


def pcm_of(content: bytes) -> memoryview:
    """Return the samples in a WAV file's bytes: 16-bit little-endian, without a copy.

    Raises:
        WavError: a length in it is wrong, it is of another format, or it holds no audio.

    """
    seen_format = False
    for name, start, size in _chunks(content):
        if name == b"data":
            if not seen_format:
                raise WavError("not a WAV file that can be read (no fmt chunk before its audio)")
            return _samples(content, start, size)
        if start + size > len(content):
            raise WavError(
                f"not a WAV file that can be read (its {_shown(name)} chunk is said to be {size} "
                f"bytes long, and {len(content) - start} are left in the file)"
            )
        if name == b"fmt ":
            _check_format(content[start : start + size])
            seen_format = True
    raise WavError("not a WAV file that can be read (it ends before its audio begins)")


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and length of each chunk; a length may be more than is there."""
    if len(content) < _RIFF_BYTES:
        raise WavError(f"not a WAV file that can be read (it is {len(content)} bytes long)")
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        begins = f"{_shown(content[:4])} and {_shown(content[8:12])}"
        raise WavError(
            f"not a WAV file that can be read (it begins with {begins}, not 'RIFF' and 'WAVE')"
        )
    at = _RIFF_BYTES
    for _ in range(_MOST_CHUNKS):
        if at + _HEAD.size > len(content):
            return
        name, size = _HEAD.unpack_from(content, at)
        yield name, at + _HEAD.size, size
        at += _HEAD.size + size + size % 2  # a chunk of odd length is padded


def _check_format(chunk: bytes) -> None:
    if len(chunk) < _FORMAT.size:
        raise WavError(
            f"not a WAV file that can be read (its fmt chunk has {len(chunk)} bytes, "
            f"{_FORMAT.size} are the fewest)"
        )
    tag, channels, rate_hz, _, block_bytes, bits = _FORMAT.unpack_from(chunk)
    if tag == _EXTENSIBLE:
        tag, bits = _extended(chunk, bits)
    if tag != _PCM:
        raise WavError(f"its audio is of format {tag:#06x}, but PCM (0x0001) is measured")
    if (rate_hz, channels, bits) != (SAMPLE_RATE_HZ, 1, 8 * SAMPLE_WIDTH_BYTES):
        raise WavError(
            f"{rate_hz} Hz, {channels} channel(s), {bits} bit, "
            "but 16000 Hz, 1 channel, 16 bit is measured"
        )
    if block_bytes != SAMPLE_WIDTH_BYTES:
        raise WavError(
            f"not a WAV file that can be read (its fmt chunk says {block_bytes} bytes a sample, "
            f"and 16 bit are {SAMPLE_WIDTH_BYTES})"
        )


def _extended(chunk: bytes, bits: int) -> tuple[int, int]:
    """Return the tag and bits of the extensible format, which stand in its extension."""
    if len(chunk) < _FORMAT.size + _EXTENSION.size:
        raise WavError(
            f"not a WAV file that can be read (its extensible fmt chunk has {len(chunk)} bytes, "
            f"{_FORMAT.size + _EXTENSION.size} are the fewest)"
        )
    _, valid_bits, _, tag, tail = _EXTENSION.unpack_from(chunk, _FORMAT.size)
    if tail != _PCM_TAIL:
        raise WavError("its audio is of a format of its own, but PCM (0x0001) is measured")
    return tag, valid_bits or bits  # 0: as many as the container has


def _samples(content: bytes, start: int, size: int) -> memoryview:
    left = len(content) - start
    if size == _LENGTH_UNKNOWN or (size == 0 and left):
        raise WavError(
            f"its length is not written in it (its data chunk says {size} bytes), as where it was "
            "written to a pipe"
        )
    if left < size:
        raise WavError(
            f"it is cut short, {left // SAMPLE_WIDTH_BYTES} of {size // SAMPLE_WIDTH_BYTES} "
            "samples are there"
        )
    if size % SAMPLE_WIDTH_BYTES:
        raise WavError(f"its audio is {size} bytes long, which is no whole number of samples")
    if size == 0:
        raise WavError("it holds no audio")
    return memoryview(content)[start : start + size]


def _shown(name: bytes) -> str:
    return quoted(name.decode("latin-1"))
