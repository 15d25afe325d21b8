"""The main path for real: base's own weights on the standard clip, from pytest to the result file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.project import ROOT
from whisper_bench.results.files import load_results
from whisper_bench.weights.pins import PINS


@pytest.mark.real
@pytest.mark.usefixtures("base_weights")
def test_base_on_one_and_two_threads(pytester):
    outcome = pytester.runpytest_subprocess(
        str(ROOT / "benchmarks"), f"--rootdir={ROOT}", "-p", "no:cacheprovider",
        "--benchmark-save=m4", "--whisper-rounds=2", "--whisper-processes=2",
        "--whisper-warmup-rounds=0", "--whisper-threads=1,2",
    )  # fmt: skip
    outcome.assert_outcomes(passed=2)
    (saved,) = pytester.path.glob(".benchmarks/*/0001_m4.json")
    assert [item["params"]["threads"] for item in json.loads(saved.read_text())["benchmarks"]] == [
        1,
        2,
    ]
    one, two = (
        load_results(path) for path in sorted((pytester.path / "benchmark_results").glob("*.json"))
    )
    assert (one.model_size, one.iterations, two.detail.record.threads) == ("base", 2, 2)
    assert one.detail.record.weights.sha256 == PINS["base"].model_sha256
    assert one.detail.record.weights.revision == PINS["base"].revision
    assert one.detail.record.transcript == two.detail.record.transcript
    assert "thành phố" in one.detail.record.transcript
    assert (
        0.3 < one.detail.record.word_error_rate <= one.detail.record.word_error_rate_bound == 0.75
    )
    assert one.detail.record.tokens == two.detail.record.tokens > 100
    assert one.memory_mb > 200
    assert one.rps == pytest.approx(2 / one.total_time_s)
    again = subprocess.run(
        [str(Path(sys.executable).parent / "whisper-bench"), "results", "m4"],
        cwd=pytester.path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert len(again.stdout.splitlines()) == 3
    assert len(list((pytester.path / "benchmark_results").glob("*.json"))) == 2
