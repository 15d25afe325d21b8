"""Measure Whisper on a CPU, and decide how much Kubernetes it needs.

The names below are imported when they are first used, so that loading the pytest plugin stays
cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from whisper_bench.engine import load_model, run_benchmark, run_warmup
    from whisper_bench.errors import BenchError
    from whisper_bench.machine import detect_architecture, detect_cpu_model
    from whisper_bench.results.files import load_results, save_results
    from whisper_bench.results.schema import Result

_HOMES = {
    "BenchError": "whisper_bench.errors",
    "Result": "whisper_bench.results.schema",
    "detect_architecture": "whisper_bench.machine",
    "detect_cpu_model": "whisper_bench.machine",
    "load_model": "whisper_bench.engine",
    "load_results": "whisper_bench.results.files",
    "run_benchmark": "whisper_bench.engine",
    "run_warmup": "whisper_bench.engine",
    "save_results": "whisper_bench.results.files",
}

__all__ = [
    "BenchError",
    "Result",
    "detect_architecture",
    "detect_cpu_model",
    "load_model",
    "load_results",
    "run_benchmark",
    "run_warmup",
    "save_results",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
