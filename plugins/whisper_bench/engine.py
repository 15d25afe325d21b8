"""The inference that is measured: faster-whisper on the CPU, decoding pinned."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from whisper_bench.audio import Clip, samples_of
from whisper_bench.errors import BenchError
from whisper_bench.weights.held import held_weights
from whisper_bench.weights.resolve import resolve_weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COMPUTE_TYPES = ("int8", "int8_float32", "int16", "float32", "bfloat16", "default", "auto")
"""CTranslate2's types for a CPU (its documentation, "Quantize on model loading")."""


class Decoding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The options that change most how much work a transcription is.

    The others are faster-whisper's defaults, those of the version that every result names.
    """

    language: str = "vi"
    beam_size: int = 5
    temperature: float = 0.0
    without_timestamps: bool = True
    condition_on_previous_text: bool = False
    vad_filter: bool = False


class LoadedModel:
    """A model in this process, with the threads and decoding that it was loaded for.

    `files` has the sha256 of each file that was loaded, `load_s` the seconds that loading took
    without the hashing before it.
    """

    def __init__(
        self,
        model: Any,
        threads: int,
        decoding: Decoding,
        files: Mapping[str, str],
        load_s: float,
    ) -> None:
        self.threads = threads
        self.files = dict(files)
        self.load_s = load_s
        self.compute_type = str(model.model.compute_type)
        self._model = model
        self._options = msgspec.to_builtins(decoding)

    def transcribe(self, samples: "NDArray[np.float32]") -> tuple[str, int]:
        """Return the text and the number of decoded tokens of samples at 16 kHz, shape (n,)."""
        # the segments are a lazy generator: nothing has been computed until they are consumed
        segments, _ = self._model.transcribe(samples, **self._options)
        text, tokens = [], 0
        for segment in segments:
            text.append(segment.text)
            tokens += len(segment.tokens)
        return "".join(text).strip(), tokens


class Transcription(msgspec.Struct, frozen=True):
    """One measured transcription: seconds on the wall, CPU-seconds of the process, what came."""

    wall_s: float
    cpu_s: float
    tokens: int
    text: str


def load_model(
    model_size: str = "base",
    *,
    threads: int = 1,
    compute_type: str = "int8",
    decoding: Decoding | None = None,
    folder: Path | None = None,
    files: Mapping[str, str] | None = None,
) -> LoadedModel:
    """Load weights into this process; `folder` skips the search for them, and their pins.

    Every file that is read is hashed here, as it is loaded: the found ones must be the pinned ones,
    those in `folder` must have the sha256 that `files` names, if it is given. `LoadedModel.files`
    tells what was loaded (docs/measuring.md says what that is worth).

    OpenMP reads OMP_NUM_THREADS once, when its library is first imported: for a measurement set
    it before, in a fresh process, as the worker does.

    Raises:
        BenchError: no weights, the wrong weights, weights that change while they are loaded, or a
            compute type that the CPU cannot do.

    """
    start_s = time.perf_counter()
    import faster_whisper  # noqa: F401 - its seconds are of the loading, the hashing's are not

    imported_s = time.perf_counter() - start_s
    if folder is None:
        weights = resolve_weights(model_size)
        folder, files = Path(weights.folder), weights.files
    with held_weights(folder, files) as held:
        start_s = time.perf_counter()
        try:
            model = _whisper_model(held.folder, threads, compute_type)
        except (ValueError, RuntimeError) as error:
            raise BenchError(
                f"model {model_size} in {folder} with compute type {compute_type!r} does not "
                f"load: {error}; use --whisper-compute-type=int8 or float32, and whole weights"
            ) from error
        load_s = imported_s + time.perf_counter() - start_s
    return LoadedModel(model, threads, decoding or Decoding(), held.files, load_s)


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
    """Transcribe `clip` `rounds` times, untimed: memory is allocated, code and weights cached."""
    samples = samples_of(Path(clip.path))
    for _ in range(rounds):
        model.transcribe(samples)


def run_benchmark(model: LoadedModel, clip: Clip, rounds: int = 50) -> Iterator[Transcription]:
    """Transcribe `clip` `rounds` times and yield each as it ends; decoding the audio is not timed.

    CPU-seconds are those of the whole process, all its threads, user and system.
    """
    # decoded here, at the call: a generator's own body would not run before its first round
    return _rounds(model, samples_of(Path(clip.path)), rounds)


def _rounds(
    model: LoadedModel, samples: "NDArray[np.float32]", rounds: int
) -> Iterator[Transcription]:
    for _ in range(rounds):
        cpu_start_s = time.process_time()
        start_s = time.perf_counter()
        text, tokens = model.transcribe(samples)
        wall_s = time.perf_counter() - start_s
        yield Transcription(wall_s, time.process_time() - cpu_start_s, tokens, text)
