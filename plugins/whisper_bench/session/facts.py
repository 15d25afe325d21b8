"""What goes into pytest-benchmark's own files beside its samples."""

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from whisper_bench.errors import BenchError
from whisper_bench.machine.identity import detect_chip, node_name
from whisper_bench.session.options import name

if TYPE_CHECKING:
    from whisper_bench.session.bench import Bench


def machine_info_of(config: pytest.Config) -> dict[str, Any]:
    """Return what identifies this machine, to stand in machine_info; empty on an unknown one.

    Always the same for a machine, since pytest-benchmark compares machine_info as a whole.
    """
    try:
        chip = detect_chip(name(config, "cpu-model"))
    except BenchError:
        return {}
    return {"node": node_name(), "whisper_bench": msgspec.to_builtins(chip)}


def add_verdicts(bench: "Bench", output_json: dict[str, Any]) -> None:
    """Put the throttling verdicts of our cases in."""
    from whisper_bench.throttling.judge import judged

    report = judged(list(bench.records.values()))
    output_json["whisper_bench"] = {"throttling": msgspec.to_builtins(report)}


def add_samples(benchmarks: list[Any], output_json: dict[str, Any]) -> None:
    """Put every raw sample of our cases in, whether --benchmark-save-data was given or not."""
    ours = {
        benchmark.fullname: benchmark.stats.data
        for benchmark in benchmarks
        if "whisper_bench" in benchmark.extra_info
    }
    for saved in output_json["benchmarks"]:
        if saved["fullname"] in ours:
            saved["stats"]["data"] = ours[saved["fullname"]]
