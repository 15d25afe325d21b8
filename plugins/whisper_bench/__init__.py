"""Measure Whisper on a CPU, and decide how much Kubernetes it needs.

The names below are imported when they are first used, so that loading the pytest plugin stays
cheap.
"""

TYPE_CHECKING = False  # as typing's, which takes milliseconds to import: a command begins here
if TYPE_CHECKING:
    from typing import Any

    from whisper_bench.errors import BenchError
    from whisper_bench.machine.identity import detect_architecture, detect_cpu_model
    from whisper_bench.ratio.calculate import calculate_ratio
    from whisper_bench.ratio.comparable import NotComparableError
    from whisper_bench.ratio.config import load_config, save_config
    from whisper_bench.ratio.load import load_run
    from whisper_bench.ratio.matrix import calculate_matrix
    from whisper_bench.ratio.merge import merge_runs
    from whisper_bench.ratio.pandas_frames import matrix_frame, ratio_frame, samples_frame
    from whisper_bench.ratio.predict import predict
    from whisper_bench.ratio.report import RatioReport
    from whisper_bench.report.outputs import generate_report
    from whisper_bench.results.files import load_results, save_results
    from whisper_bench.results.schema import Result
    from whisper_bench.sizing.calculate import calculate_sizing
    from whisper_bench.sizing.source import size_run
    from whisper_bench.worker.engine import load_model, run_benchmark, run_warmup

_HOMES = {
    "BenchError": "whisper_bench.errors",
    "NotComparableError": "whisper_bench.ratio.comparable",
    "RatioReport": "whisper_bench.ratio.report",
    "Result": "whisper_bench.results.schema",
    "calculate_matrix": "whisper_bench.ratio.matrix",
    "calculate_ratio": "whisper_bench.ratio.calculate",
    "calculate_sizing": "whisper_bench.sizing.calculate",
    "detect_architecture": "whisper_bench.machine.identity",
    "detect_cpu_model": "whisper_bench.machine.identity",
    "generate_report": "whisper_bench.report.outputs",
    "load_config": "whisper_bench.ratio.config",
    "load_model": "whisper_bench.worker.engine",
    "load_results": "whisper_bench.results.files",
    "load_run": "whisper_bench.ratio.load",
    "matrix_frame": "whisper_bench.ratio.pandas_frames",
    "merge_runs": "whisper_bench.ratio.merge",
    "predict": "whisper_bench.ratio.predict",
    "ratio_frame": "whisper_bench.ratio.pandas_frames",
    "run_benchmark": "whisper_bench.worker.engine",
    "run_warmup": "whisper_bench.worker.engine",
    "samples_frame": "whisper_bench.ratio.pandas_frames",
    "save_config": "whisper_bench.ratio.config",
    "save_results": "whisper_bench.results.files",
    "size_run": "whisper_bench.sizing.source",
}

__all__ = [
    "BenchError",
    "NotComparableError",
    "RatioReport",
    "Result",
    "calculate_matrix",
    "calculate_ratio",
    "calculate_sizing",
    "detect_architecture",
    "detect_cpu_model",
    "generate_report",
    "load_config",
    "load_model",
    "load_results",
    "load_run",
    "matrix_frame",
    "merge_runs",
    "predict",
    "ratio_frame",
    "run_benchmark",
    "run_warmup",
    "samples_frame",
    "save_config",
    "save_results",
    "size_run",
]


def __getattr__(name: str) -> "Any":
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
