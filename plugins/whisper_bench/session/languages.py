"""The language of each clip, known before anything is measured and the same in the whole run."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from whisper_bench.case.clip import Clip
from whisper_bench.case.decoding import Decoding
from whisper_bench.case.language import OPTION, Language, known_language
from whisper_bench.errors import BenchError
from whisper_bench.weights.resolve import Weights
from whisper_bench.worker.process import Worker
from whisper_bench.worker.protocol import Assignment

_K = TypeVar("_K", Language, Decoding)
Detect = Callable[[Clip], Language]


def languages_of(
    clips: Mapping[str, Clip], given: str | None, earlier: Mapping[str, str], detect: Detect
) -> dict[str, Language]:
    """Return each clip's language; `earlier` are the facts of the journal that is continued.

    One that is neither written nor given is the journal's, and is detected only where there is
    none: a run that is resumed is decoded as it began.

    Raises:
        BenchError: the file beside a clip and the option disagree, or it cannot be detected.

    """
    return {
        name: known_language(clip.language, given, name)
        or _language_before(name, earlier)
        or detect(clip)
        for name, clip in clips.items()
    }


def detector(weights: Weights, compute_type: str) -> Detect:
    """Return a function that detects a clip's language in a worker process of its own."""

    def detect(clip: Clip) -> Language:
        question = Assignment(
            model=weights.name,
            folder=weights.folder,
            clip=clip,
            threads=1,
            compute_type=compute_type,
            decoding=None,
            warmup_rounds=0,
            files=weights.files,
        )
        with Worker(question) as worker:
            return worker.language()

    return detect


def decoding_fact(clip: str) -> str:
    """Name a clip's decoding among the facts that a resumed run must share."""
    return f"clip {clip} decoding"


def language_facts(languages: Mapping[str, Language]) -> dict[str, str]:
    """Return the detected languages as facts for the journal."""
    return {
        _language_fact(clip): msgspec.json.encode(language).decode()
        for clip, language in languages.items()
        if language.known.source == "detected"
    }


def detection_line(clip: str, language: Language) -> str:
    """Say that a language was detected, and how to give it."""
    doubt = ", which is low: check it" if language.known.is_doubtful else ""
    return (
        f"clip {clip}: language {language.code}: {language.known}{doubt}; pass "
        f"{OPTION}={language.code} to set it"
    )


def _language_fact(clip: str) -> str:
    return f"clip {clip} language"


def _language_before(clip: str, earlier: Mapping[str, str]) -> Language | None:
    detected, decoding = earlier.get(_language_fact(clip)), earlier.get(decoding_fact(clip))
    if detected is not None:
        return _parsed(detected, Language, clip)
    if decoding is not None:
        code = _parsed(decoding, Decoding, clip).language
        raise BenchError(
            f"--whisper-resume: the unfinished run was given the language of the clip {clip}; "
            f"give the same one: {OPTION}={code}"
        )
    return None


def _parsed(fact: str, kind: type[_K], clip: str) -> _K:
    try:
        return msgspec.json.decode(fact, type=kind)
    except msgspec.MsgspecError as error:
        raise BenchError(
            f"--whisper-resume: the journal's entry for the clip {clip} cannot be read ({error}); "
            "run without it"
        ) from error
