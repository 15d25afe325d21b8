"""The places of this project that tests read, and what a suite of a user's looks like."""

import wave
from pathlib import Path

ROOT = Path(__file__).parents[2]
STANDARD_CLIP = ROOT / "audio" / "vi_30s.wav"
GOLDEN = ROOT / "tests" / "golden"
LIGHT = ROOT / "tests" / "support" / "light"
"""Doubles of libraries that are slow to load, for a fresh process to find first."""
RECORDED = ROOT / "tests" / "recorded"
"""Files as other machines had them; `cases` holds those that once failed."""

ADDOPTS = "-p no:hypothesispytest -p no:anyio"
BENCHMARK = """
def test_transcribe(benchmark, whisper_case):
    whisper_case.run(benchmark)
"""


def write_wav(path: Path, samples, rate=16_000, channels=1, width=2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(bytes(samples))
    return path
