"""The language that a clip is decoded in: written beside it, given, or detected and then pinned."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from whisper_bench.case.language_codes import CODES
from whisper_bench.errors import BenchError
from whisper_bench.text.plain import quoted

LOW_PROBABILITY = 0.5
"""Below this a detected language is doubtful: faster-whisper's language_detection_threshold."""
OPTION = "--whisper-language"

Code = Annotated[str, Meta(pattern="^[a-z]{2,3}$")]
"""A language's code, as far as its form goes: a record may be of a model that knows more."""


class LanguageSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a clip's language came to be known: from the JSON file beside it, the option, or heard.

    `model` is the one that detected it and `probability` what it gave; None where none did.
    """

    source: Literal["file", "option", "detected"]
    probability: Annotated[float, Meta(ge=0, le=1)] | None = None
    model: str | None = None

    @property
    def is_doubtful(self) -> bool:
        """Tell whether it was detected with a low probability."""
        return self.probability is not None and self.probability < LOW_PROBABILITY

    def __str__(self) -> str:
        if self.source == "file":
            return "from the file beside the clip"
        if self.probability is None:
            return f"from {OPTION}"
        return f"detected, probability {self.probability:.2f}"


class Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A language by Whisper's code, and how it came to be known."""

    code: Code
    known: LanguageSource


def checked_code(code: str, where: str) -> str:
    """Return a language's code as it is; `where` names where it was written.

    Raises:
        BenchError: it is none of Whisper's.

    """
    if code not in CODES:
        raise BenchError(
            f"{where}: language {quoted(code)} is not one of Whisper's codes; use one of "
            f"{', '.join(CODES)}"
        )
    return code


def known_language(
    written: str | None, given: str | None, clip: str, given_by: str = OPTION
) -> Language | None:
    """Return the language of a clip that was written beside it or given; None: neither.

    Raises:
        BenchError: the two are not the same.

    """
    if written and given and written != given:
        raise BenchError(
            f"{given_by}={given}: the JSON file beside the clip {clip} says that its language is "
            f"{written}; leave {given_by} out, or correct the file"
        )
    if written:
        return Language(written, LanguageSource("file"))
    return Language(given, LanguageSource("option")) if given else None
