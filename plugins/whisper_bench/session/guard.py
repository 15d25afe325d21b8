"""pytest-benchmark's last steps: their errors are found early, and lose no data of ours."""

import traceback
from collections.abc import Callable, Collection
from functools import partial, wraps
from pathlib import Path
from typing import Any

import pytest

from whisper_bench.errors import BenchError
from whisper_bench.files.whole import check_writable
from whisper_bench.files.write_errors import remedy_of
from whisper_bench.session.bench import Bench
from whisper_bench.session.collect import benchmark_session
from whisper_bench.session.given import given_option


def check_last_steps(config: pytest.Config, tests: Collection[str]) -> None:
    """Find out now what would be raised when every round has been measured.

    Raises:
        BenchError: it names the option and the remedy.

    """
    benchmarks = benchmark_session(config)
    if benchmarks.histogram:
        _check_histogram(benchmarks.histogram)
    if benchmarks.json and benchmarks.json.is_dir():
        raise BenchError(f"--benchmark-json={benchmarks.json}: this is a folder; name a file")
    if benchmarks.compare_fail:
        _check_compared(benchmarks, tests)


def check_blanks(config: pytest.Config) -> None:
    """Refuse blank values of pytest-benchmark's options, which takes them for none or this folder.

    Raises:
        BenchError: it names the option.

    """
    for key, value in vars(config.option).items():
        option = f"--{key.replace('_', '-')}"
        if not key.startswith("benchmark_") or not given_option(config, option):
            continue
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str | Path) and not str(text).strip():
                raise BenchError(
                    f"{option} {str(text)!r}: a blank value is invalid; give one, or leave the "
                    "option out"
                )


def _check_histogram(prefix: str) -> None:
    try:
        from pytest_benchmark import histogram  # noqa: F401 - whether it can be imported
    except ImportError as error:
        raise BenchError(
            "--benchmark-histogram: its package pygal is not installed; "
            "pip install 'pytest-whisper-bench[histogram]', or run without the option"
        ) from error
    remedy = "name another place with --benchmark-histogram=PREFIX"
    check_writable(Path(prefix).parent, "histograms", remedy)


def _check_compared(benchmarks: Any, tests: Collection[str]) -> None:
    """Refuse a comparison that could not fail, since nothing would be compared."""
    if not benchmarks.compared_mapping:
        asked = f"={benchmarks.compare}" if isinstance(benchmarks.compare, str) else ""
        raise BenchError(
            f"--benchmark-compare-fail: there is no saved run to compare with in "
            f"{benchmarks.storage}; name one with --benchmark-compare (given: "
            f"{f'--benchmark-compare{asked}' if benchmarks.compare else 'none'}), or run without it"
        )
    if not any(test in saved for saved in benchmarks.compared_mapping.values() for test in tests):
        names = ", ".join(map(str, benchmarks.compared_mapping))
        raise BenchError(
            f"--benchmark-compare-fail: none of this run's cases is in {names}, so nothing "
            "would be compared; name a run of the same cases with --benchmark-compare"
        )


def guard(config: pytest.Config, bench: Bench) -> None:
    """Catch what pytest-benchmark's saving, grouping and table raise, so that pytest goes on.

    Methods of its session, since its hooks also run pytest's own steps, which must not be lost.
    """
    benchmarks = benchmark_session(config)
    for step, tell in (("handle_saving", _not_saved), ("finish", _after), ("display", _after)):
        method = getattr(benchmarks, step)
        setattr(benchmarks, step, _guarded(method, partial(tell, config, bench)))


def _guarded(step: Callable[..., Any], tell: Callable[[Exception], None]) -> Callable[..., Any]:
    @wraps(step)
    def run(*arguments: Any) -> Any:
        try:
            return step(*arguments)
        except Exception as error:  # noqa: BLE001 - a storage or a hook of others raises anything
            tell(error)
            return None

    return run


def _not_saved(config: pytest.Config, bench: Bench, error: Exception) -> None:
    """Keep the journal: its rounds are all that is left of the run."""
    bench.is_saved = False
    _show_traceback(config, error)
    bench.troubles.append(
        f"the run could not be saved: {_text(error)}. Every round is kept in "
        f"{bench.journal.path}: {_remedy(error)}, then run again with --whisper-resume"
    )


def _after(config: pytest.Config, bench: Bench, error: Exception) -> None:
    """Tell what pytest-benchmark raised when it had saved."""
    regressions = benchmark_session(config).performance_regressions
    if regressions:
        lines = "; ".join(f"{name}: {fail}" for name, fail in regressions)
        bench.troubles.append(f"--benchmark-compare-fail: slower than allowed: {lines}")
        return
    _show_traceback(config, error)
    bench.troubles.append(f"pytest-benchmark could not show its table: {_text(error)}")


def _remedy(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return remedy_of(error, "--benchmark-storage or --benchmark-json")
    return "fix that (see --benchmark-storage and --benchmark-json)"


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"


def _show_traceback(config: pytest.Config, error: Exception) -> None:
    """Show where an error comes from that may be a storage's or a hook's of the user's own."""
    if not isinstance(error, OSError | pytest.UsageError | BenchError):
        benchmark_session(config).logger.error("".join(traceback.format_exception(error)))
