"""Where a transcription's time goes: the encoder's 30 s windows, and the decoder's tokens.

faster-whisper calls two methods of CTranslate2's model: `encode`, once a window, and `generate`.
Both return when they are done. They are timed from outside, so that the library stays as it is.
"""

import time
from collections.abc import Callable
from typing import Any

from whisper_bench.case.case import Split


class PhaseClock:
    """CTranslate2's Whisper, whose encoder and decoder are timed; all else is the model's own."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._encoder, self._decoder = _Phase(), _Phase()

    def __getattr__(self, name: str) -> Any:
        """Pass on whatever else is asked of the model."""
        return getattr(self._model, name)

    def encode(self, *arguments: Any, **options: Any) -> Any:
        """Compute one window's features."""
        return self._encoder.timed(self._model.encode, arguments, options)

    def generate(self, *arguments: Any, **options: Any) -> Any:
        """Decode a window's tokens."""
        return self._decoder.timed(self._model.generate, arguments, options)

    def take(self) -> Split | None:
        """Return the split since the last call, and begin anew; None if a phase never ran."""
        encoder, decoder = self._encoder, self._decoder
        self._encoder, self._decoder = _Phase(), _Phase()
        if not (encoder.calls and decoder.calls):
            return None
        return Split(
            windows=encoder.calls,
            encode_s=encoder.wall_s,
            decode_s=decoder.wall_s,
            encode_cpu_s=encoder.cpu_s,
            decode_cpu_s=decoder.cpu_s,
        )


class _Phase:
    """How often a phase ran, and its wall and CPU seconds."""

    def __init__(self) -> None:
        self.calls = 0
        self.wall_s = self.cpu_s = 0.0

    def timed(self, call: Callable[..., Any], arguments: Any, options: Any) -> Any:
        cpu_start_s, start_s = time.process_time(), time.perf_counter()
        answer = call(*arguments, **options)
        self.wall_s += time.perf_counter() - start_s
        self.cpu_s += time.process_time() - cpu_start_s
        self.calls += 1
        return answer
