"""What the suite adds to a transcription: its median against that of a bare loop.

    python benchmarks/overhead.py [ROUNDS]

A process without this project runs faster-whisper in a loop on the standard clip. Its rounds and
the suite's take turns, so that both run on the same machine at the same time. Prints both medians
and exits 1 if they differ by 1 % or more.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from whisper_bench.measure.measurement import Measurement
from whisper_bench.weights.resolve import resolve_weights

ROOT = Path(__file__).parent.parent
CLIP = ROOT / "audio" / "vi_30s.wav"
LIMIT = 0.01
BARE_LOOP = """
import sys, time
from faster_whisper import WhisperModel
from faster_whisper.audio import decode_audio
model = WhisperModel(sys.argv[1], device="cpu", compute_type="int8", cpu_threads=1)
audio = decode_audio(sys.argv[2])
def transcribe():
    segments, _ = model.transcribe(audio, language="vi", beam_size=5, temperature=0.0,
        without_timestamps=True, condition_on_previous_text=False, vad_filter=False)
    return list(segments)
transcribe()
print("ready", flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    transcribe()
    print(time.perf_counter() - start, flush=True)
"""


class Turns:
    """A pytest plugin that lets the bare loop measure one round before each of the suite's."""

    def __init__(self, loop: "subprocess.Popen[str]") -> None:
        self.bare_s: list[float] = []
        self._loop = loop
        self._before_round = Measurement.before_round

    def pytest_configure(self) -> None:
        """Put the bare loop's turn before the suite's."""

        def before_round(measurement: Measurement) -> None:
            self._before_round(measurement)
            self.bare_s.append(_bare_round(self._loop))

        pytest.MonkeyPatch().setattr(Measurement, "before_round", before_round)


def _bare_round(loop: "subprocess.Popen[str]") -> float:
    assert loop.stdin is not None
    assert loop.stdout is not None
    loop.stdin.write("\n")
    loop.stdin.flush()
    return float(loop.stdout.readline())


def _start_loop() -> "subprocess.Popen[str]":
    loop = subprocess.Popen(
        [sys.executable, "-c", BARE_LOOP, resolve_weights("base").folder, str(CLIP)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert loop.stdout is not None
    loop.stdout.readline()
    return loop


def _suite(turns: Turns, rounds: int, folder: Path) -> list[float]:
    saved = folder / "suite.json"
    arguments = ["-q", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    arguments += [str(ROOT / "benchmarks"), f"--rootdir={ROOT}", f"--whisper-clip={CLIP}"]
    arguments += [f"--whisper-rounds={rounds}", "--whisper-processes=1"]
    arguments += [f"--whisper-results={folder}", f"--benchmark-json={saved}"]
    if pytest.main(arguments, plugins=[turns]) != 0:
        raise SystemExit("the suite failed")
    (case,) = json.loads(saved.read_text())["benchmarks"]
    samples: list[float] = case["stats"]["data"]
    return samples


def main() -> int:
    """Measure, print both medians, and say whether the suite's is within 1 % of the bare loop's."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    loop = _start_loop()
    turns = Turns(loop)
    try:
        with tempfile.TemporaryDirectory() as folder:
            suite_s = _suite(turns, rounds, Path(folder))
    finally:
        loop.kill()
        loop.wait()
    suite, bare = statistics.median(suite_s), statistics.median(turns.bare_s)
    print(f"\nbare loop  median {bare:.4f} s of {len(turns.bare_s)} rounds")
    print(f"suite      median {suite:.4f} s of {len(suite_s)} rounds")
    print(f"difference {suite / bare - 1:+.2%}, limit {LIMIT:.0%}")
    return 0 if abs(suite / bare - 1) < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
