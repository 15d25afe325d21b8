"""The recording that every case transcribes, and what is known of it."""

import wave
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from whisper_bench.errors import BenchError
from whisper_bench.files import sha256_of
from whisper_bench.ranges import NotNegative

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
"""What Whisper takes: openai/whisper, whisper/audio.py, SAMPLE_RATE."""
SAMPLE_WIDTH_BYTES = 2
WINDOW_S = 30
"""Whisper's encoder pads to this length, so that work is counted in such windows."""


class ClipFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in CLIP.json beside CLIP.wav; every key may be left out."""

    sha256: str | None = None
    language: str = "vi"
    word_error_rate_bound: dict[str, NotNegative] = {}


class Clip(msgspec.Struct, frozen=True):
    """One recording: 16 kHz, mono, 16 bit, with its text where that is known."""

    name: str
    path: str
    sha256: str
    duration_s: float
    language: str
    text: str | None
    word_error_rate_bound: dict[str, float]

    @property
    def windows(self) -> int:
        """The number of 30 s windows that the encoder computes."""
        return windows_of(self.duration_s)


def windows_of(duration_s: float) -> int:
    """Return the number of 30 s windows that the encoder computes for a recording."""
    return max(1, -(-round(duration_s * SAMPLE_RATE_HZ) // (WINDOW_S * SAMPLE_RATE_HZ)))


def load_clip(path: Path) -> Clip:
    """Read CLIP.wav with CLIP.txt (its text) and CLIP.json (`ClipFacts`) beside it, if any.

    Raises:
        BenchError: no such file, not 16 kHz mono 16 bit, empty, or not the recorded sha256.

    """
    frames = _frames_of(path)
    facts = _facts_of(path.with_suffix(".json"))
    digest = sha256_of(path)
    if facts.sha256 not in (None, digest):
        raise BenchError(
            f"clip {path}: sha256 is {digest}, {path.with_suffix('.json').name} says "
            f"{facts.sha256}; put the recorded file back or correct the sha256 beside it"
        )
    return Clip(
        name=path.stem,
        path=str(path.absolute()),
        sha256=digest,
        duration_s=frames / SAMPLE_RATE_HZ,
        language=facts.language,
        text=_text_of(path.with_suffix(".txt")),
        word_error_rate_bound=facts.word_error_rate_bound,
    )


def samples_of(path: Path) -> "NDArray[np.float32]":
    """Decode a clip to float32 samples in [-1, 1), shape (n,), at 16 kHz."""
    import numpy as np

    with wave.open(str(path)) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    return pcm.astype(np.float32) / np.float32(32768)


def _frames_of(path: Path) -> int:
    remedy = f"convert it: ffmpeg -i INPUT -ar {SAMPLE_RATE_HZ} -ac 1 -c:a pcm_s16le {path.name}"
    try:
        with wave.open(str(path)) as file:
            found = (file.getframerate(), file.getnchannels(), file.getsampwidth())
            frames: int = file.getnframes()
            held = len(file.readframes(frames)) // (file.getnchannels() * file.getsampwidth())
    except FileNotFoundError as error:
        raise BenchError(f"clip {path}: no such file; name one with --whisper-clip") from error
    except (OSError, EOFError, wave.Error) as error:
        raise BenchError(
            f"clip {path}: not a WAV file that can be read ({error}); {remedy}"
        ) from error
    if found != (SAMPLE_RATE_HZ, 1, SAMPLE_WIDTH_BYTES):
        raise BenchError(
            f"clip {path}: {found[0]} Hz, {found[1]} channel(s), {8 * found[2]} bit, "
            f"but 16000 Hz, 1 channel, 16 bit is measured; {remedy}"
        )
    if held != frames:
        raise BenchError(
            f"clip {path}: it is cut short, {held} of {frames} samples are there; {remedy}"
        )
    if frames == 0:
        raise BenchError(f"clip {path}: it holds no audio; {remedy}")
    return frames


def _text_of(path: Path) -> str | None:
    try:
        return " ".join(path.read_text(encoding="utf-8").split())
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(
            f"{path}: the clip's text cannot be read ({error}); save it as UTF-8"
        ) from error


def _facts_of(path: Path) -> ClipFacts:
    try:
        return msgspec.json.decode(path.read_bytes(), type=ClipFacts)
    except FileNotFoundError:
        return ClipFacts()
    except (OSError, msgspec.MsgspecError) as error:
        raise BenchError(
            f"{path}: {error}; the keys are {', '.join(ClipFacts.__struct_fields__)}"
        ) from error
