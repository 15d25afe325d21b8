"""The recording that every case transcribes, and what is known of it."""

import codecs
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from whisper_bench.case.language import checked_code
from whisper_bench.case.normalise import has_words
from whisper_bench.case.wav import SAMPLE_RATE_HZ, SAMPLE_WIDTH_BYTES, WavError, pcm_of
from whisper_bench.errors import BenchError
from whisper_bench.files.names import checked_name
from whisper_bench.files.whole import UNREADABLE, read_bounded
from whisper_bench.text.plain import quoted
from whisper_bench.weights.pins import MODEL_NAMES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOW_S = 30
"""Whisper's encoder pads to this length, so that work is counted in such windows."""
_MOST_WAV_BYTES = 2**32 + 8
"""A WAV file's length is a 32-bit number."""
_MOST_TEXT_BYTES = 2**22
"""Of the text and the facts beside a clip: three days of speech have fewer."""
_REMEDY = f"convert it: ffmpeg -i INPUT -ar {SAMPLE_RATE_HZ} -ac 1 -c:a pcm_s16le"

Rate = Annotated[float, Meta(ge=0)]


class ClipFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in CLIP.json beside CLIP.wav; every key may be left out.

    `language` is Whisper's code, None where it is not known; bounds are by the model's name.
    """

    sha256: str | None = None
    language: str | None = None
    word_error_rate_bound: dict[str, Rate] = {}


class Clip(msgspec.Struct, frozen=True):
    """One recording: 16 kHz, mono, 16 bit, with its language and text where they are known."""

    name: str
    path: str
    sha256: str
    duration_s: float
    language: str | None
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
        BenchError: no such file, not 16 kHz mono 16 bit, empty, not the recorded sha256, or
            something in the files beside it is not as it must be.

    """
    checked_name(path.stem, f"clip {path}: name")
    content = _content_of(path)
    frames = len(_pcm_of(path, content)) // SAMPLE_WIDTH_BYTES
    facts = _facts_of(path.with_suffix(".json"))
    text = _text_of(path.with_suffix(".txt"))
    if facts.word_error_rate_bound and text is None:
        raise BenchError(
            f"clip {path}: {path.with_suffix('.json').name} has a bound on word errors, but "
            f"{path.with_suffix('.txt').name} with the text is missing; add it, or remove the "
            "bound"
        )
    digest = hashlib.sha256(content).hexdigest()
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
        text=text,
        word_error_rate_bound=facts.word_error_rate_bound,
    )


def samples_of(clip: Clip) -> "NDArray[np.float32]":
    """Decode a clip to float32 samples in [-1, 1), shape (n,), at 16 kHz.

    Raises:
        BenchError: it cannot be read, or the file is another one since it was loaded.

    """
    import numpy as np

    path = Path(clip.path)
    content = _content_of(path)
    digest = hashlib.sha256(content).hexdigest()
    if digest != clip.sha256:
        raise BenchError(
            f"clip {path}: sha256 was {clip.sha256} when the run began and is {digest} now; "
            "put the file back, or start a new run"
        )
    return np.frombuffer(_pcm_of(path, content), dtype="<i2").astype(np.float32) / np.float32(32768)


def _pcm_of(path: Path, content: bytes) -> memoryview:
    try:
        return pcm_of(content)
    except WavError as error:
        raise BenchError(f"clip {path}: {error}; {_REMEDY} {path.name}") from error


def _content_of(path: Path) -> bytes:
    try:
        return read_bounded(path, _MOST_WAV_BYTES)
    except FileNotFoundError as error:
        raise BenchError(f"clip {path}: no such file; name one with --whisper-clip") from error
    except OSError as error:
        why = error.strerror or error
        raise BenchError(
            f"clip {path}: not a WAV file that can be read ({why}); {_REMEDY} {path.name}"
        ) from error


def _utf_8(path: Path) -> bytes:
    """Read a file of text, without the mark that some editors begin UTF-8 with."""
    return read_bounded(path, _MOST_TEXT_BYTES).removeprefix(codecs.BOM_UTF8)


def _text_of(path: Path) -> str | None:
    try:
        text = " ".join(_utf_8(path).decode().split())
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(
            f"{path}: the clip's text cannot be read ({error}); save it as UTF-8"
        ) from error
    if not has_words(text):
        raise BenchError(
            f"{path}: the clip's text has no words; write what is said in the clip, or remove the "
            "file"
        )
    return text


def _facts_of(path: Path) -> ClipFacts:
    try:
        facts = msgspec.json.decode(_utf_8(path), type=ClipFacts)
    except FileNotFoundError:
        return ClipFacts()
    except (OSError, *UNREADABLE) as error:
        raise BenchError(
            f"{path}: {error}; the keys are {', '.join(ClipFacts.__struct_fields__)}"
        ) from error
    if facts.language is not None:
        checked_code(facts.language, str(path))
    for model in facts.word_error_rate_bound:
        if model not in MODEL_NAMES:
            raise BenchError(
                f"{path}: word_error_rate_bound has {quoted(model)}, which is no model; use "
                f"{', '.join(MODEL_NAMES)}"
            )
    return facts
