"""The suite: every model on every number of threads with every clip, as pytest-benchmark cases."""

from typing import Any


def test_transcribe(benchmark: Any, whisper_case: Any) -> None:
    """Transcribe the case's clip; the plugin gives the matrix and checks every transcript."""
    whisper_case.run(benchmark)
