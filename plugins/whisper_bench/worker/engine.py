"""The inference that is measured: faster-whisper on the CPU, with fixed decoding options."""

import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from whisper_bench.case.case import Split
from whisper_bench.case.clip import Clip, samples_of
from whisper_bench.case.decoding import Decoding
from whisper_bench.case.language import Language, LanguageSource, checked_code, known_language
from whisper_bench.errors import BenchError
from whisper_bench.ranges import Count, Duration, Seconds
from whisper_bench.weights.held import held_weights
from whisper_bench.weights.resolve import resolve_weights
from whisper_bench.worker.phases import PhaseClock

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LoadedModel:
    """A model in this process, with the threads and decoding that it was loaded for.

    `files` has the sha256 of each file that was loaded, `load_s` the seconds that loading took
    without the hashing. Without a decoding each clip is decoded in its own language: the one in its
    JSON file, else the one that the model detects, once for each clip (`language_of`).
    """

    def __init__(
        self,
        model: Any,
        threads: int,
        decoding: Decoding | None,
        *,
        model_size: str,
        files: Mapping[str, str],
        load_s: float,
    ) -> None:
        self.threads = threads
        self.files = dict(files)
        self.load_s = load_s
        self.compute_type = str(model.model.compute_type)
        self._model = model
        self._clock = model.model = PhaseClock(model.model)
        self._size = model_size
        self._decoding = decoding
        self._detected: dict[str, Language] = {}
        if decoding is not None:
            self._check_language(decoding.language)

    def transcribe(
        self, samples: "NDArray[np.float32]", language: str | None = None
    ) -> tuple[str, int]:
        """Return the text and the number of decoded tokens of samples at 16 kHz, shape (n,).

        `language` is needed if the model was loaded without a decoding.

        Raises:
            BenchError: the language is missing, or the model does not know it.

        """
        options = self._options(language)
        # the segments are a lazy generator: nothing is computed until they are consumed
        segments, _ = self._model.transcribe(samples, **options)
        text, tokens = [], 0
        for segment in segments:
            text.append(segment.text)
            tokens += len(segment.tokens)
        return "".join(text).strip(), tokens

    def _options(self, language: str | None) -> dict[str, Any]:
        """Return faster-whisper's options for a clip in a language."""
        options: dict[str, Any] = msgspec.to_builtins(self._decoding_in(language))
        return options

    def take_split(self) -> Split | None:
        """Return how the time since the last call was spent; None if nothing was transcribed."""
        return self._clock.take()

    def language_of(self, clip: Clip) -> Language:
        """Return the language that `clip` is decoded in, and how it is known.

        Raises:
            BenchError: the clip's language is not the one that the model was loaded for, or none is
                known and the model cannot detect one.

        """
        loaded_for = None if self._decoding is None else self._decoding.language
        known = known_language(clip.language, loaded_for, clip.name, "Decoding.language")
        if known is not None:
            return known
        if clip.sha256 not in self._detected:
            detected = self.detect(samples_of(clip))
            warnings.warn(
                f"clip {clip.name}: language {detected.code}: {detected.known}; pass it with "
                f"load_model(decoding=Decoding(language={detected.code!r}))",
                stacklevel=3,
            )
            self._detected[clip.sha256] = detected
        return self._detected[clip.sha256]

    def detect(self, samples: "NDArray[np.float32]") -> Language:
        """Return the language that this model detects in the first 30 s, with its probability.

        Raises:
            BenchError: the model knows only English, so that it cannot detect a language.

        """
        if not self._model.model.is_multilingual:
            raise BenchError(
                f"model {self._size} knows only English and cannot detect a language; pass it: "
                "--whisper-language=en"
            )
        code, probability, _ = self._model.detect_language(samples)
        return Language(code, LanguageSource("detected", min(1.0, float(probability)), self._size))

    def _decoding_in(self, language: str | None) -> Decoding:
        own = self._decoding
        if own is not None and language in {None, own.language}:
            return own
        if own is not None or language is None:
            raise BenchError(
                f"transcribe: language {language or 'none'}, and the model was loaded for "
                f"{'none' if own is None else own.language}; pass the clip's language, such as "
                "language='en', or load_model(decoding=Decoding(language='en'))"
            )
        self._check_language(language)
        return Decoding(language)

    def _check_language(self, language: str) -> None:
        checked_code(language, "Decoding.language")
        if not self._model.model.is_multilingual and language != "en":
            raise BenchError(
                f"model {self._size} knows only English, and the language is {language}; measure a "
                "multilingual model, or an English clip"
            )
        if self._model.hf_tokenizer.token_to_id(f"<|{language}|>") is None:
            raise BenchError(
                f"model {self._size} does not know the language {language}; measure another model, "
                "or a clip in another language"
            )


class Transcription(msgspec.Struct, frozen=True):
    """One measured transcription: wall seconds, CPU-seconds of the process, tokens and text.

    `split` has its two phases, None if the engine does not tell them.
    """

    wall_s: Duration
    cpu_s: Seconds
    tokens: Count
    text: str
    split: Split | None = None


def load_model(
    model_size: str = "base",
    *,
    threads: int = 1,
    compute_type: str = "int8",
    decoding: Decoding | None = None,
    folder: Path | None = None,
    files: Mapping[str, str] | None = None,
) -> LoadedModel:
    """Load weights into this process; with `folder` they are not searched, and pins not checked.

    Every file that is read is hashed here, as it is loaded. Without `folder` each must be a pinned
    one; those in `folder` must have the sha256 in `files`, if that is given. `LoadedModel.files`
    says what was loaded (docs/measuring.md says what that is worth).

    Without a `decoding` the standard one is used, in the language of each clip (`LoadedModel`).

    OpenMP reads OMP_NUM_THREADS once, when its library is first imported: for a measurement set
    it before, in a new process, as the worker does.

    Raises:
        BenchError: no weights, the wrong weights, weights that change while they are loaded, a
            compute type that the CPU cannot do, or a language that the model does not know.

    """
    start_s = time.perf_counter()
    import faster_whisper  # noqa: F401 - importing counts as loading, hashing does not

    imported_s = time.perf_counter() - start_s
    if folder is None:
        weights = resolve_weights(model_size)
        folder, files = Path(weights.folder), weights.files
    with held_weights(folder, files) as held:
        start_s = time.perf_counter()
        try:
            model = _whisper_model(held.folder, threads, compute_type)
        except Exception as error:  # tokenizers raises plain Exception for a broken file
            raise BenchError(
                f"model {model_size} in {folder} with compute type {compute_type!r} cannot be "
                f"loaded: {error}; use --whisper-compute-type=int8 or float32, and complete weights"
            ) from error
        load_s = imported_s + time.perf_counter() - start_s
    return LoadedModel(
        model, threads, decoding, model_size=model_size, files=held.files, load_s=load_s
    )


def _whisper_model(folder: Path, threads: int, compute_type: str) -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(
        str(folder),
        device="cpu",
        compute_type=compute_type,
        cpu_threads=threads,
        num_workers=1,
        local_files_only=True,
    )


def run_warmup(model: LoadedModel, clip: Clip, rounds: int = 1) -> None:
    """Transcribe `clip` `rounds` times without timing, to allocate memory and fill caches."""
    samples, language = samples_of(clip), model.language_of(clip).code
    for _ in range(rounds):
        model.transcribe(samples, language)


def run_benchmark(model: LoadedModel, clip: Clip, rounds: int = 50) -> Iterator[Transcription]:
    """Transcribe `clip` `rounds` times and yield each as it ends; decoding the audio is not timed.

    CPU-seconds are those of the whole process, all its threads, user and system.
    """
    # decoded here, at the call: a generator's body runs only with its first round
    return _rounds(model, samples_of(clip), model.language_of(clip).code, rounds)


def _rounds(
    model: LoadedModel, samples: "NDArray[np.float32]", language: str, rounds: int
) -> Iterator[Transcription]:
    for _ in range(rounds):
        model.take_split()
        cpu_start_s = time.process_time()
        start_s = time.perf_counter()
        text, tokens = model.transcribe(samples, language)
        wall_s = time.perf_counter() - start_s
        cpu_s = time.process_time() - cpu_start_s
        yield Transcription(wall_s, cpu_s, tokens, text, model.take_split())
