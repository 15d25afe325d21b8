"""Which items are cases of ours, and whether they can be measured at all. Nothing heavy here."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from whisper_bench.session.bench import Bench
    from whisper_bench.session.config import BenchConfig

FIXTURE = "whisper_case"
PARAMETERS = ("model", "threads", "clip")
BENCH: "pytest.StashKey[Bench]" = pytest.StashKey()


def parametrize(metafunc: pytest.Metafunc, config: "BenchConfig") -> None:
    """Give a benchmark function its matrix of model x threads x clip."""
    cells = [
        (model, threads, clip)
        for clip in config.clips
        for model in config.models
        for threads in config.threads
    ]
    ids = [f"{model}-t{threads}-{clip}" for model, threads, clip in cells]
    metafunc.parametrize(PARAMETERS, cells, ids=ids)


def is_case(item: pytest.Item) -> bool:
    """Tell whether an item measures a case."""
    return FIXTURE in getattr(item, "fixturenames", ())


def why_not(config: pytest.Config) -> str | None:
    """Say why nothing could be measured in this session, or None."""
    if not config.pluginmanager.hasplugin("benchmark"):
        return "pytest-benchmark is not active (-p no:benchmark); run with it"
    if xdist_is_on(config):
        return (
            "pytest-xdist is on (-n): cases that run side by side disturb one another; run "
            "without -n"
        )
    if config.getoption("benchmark_disable") and not config.getoption("benchmark_enable"):
        return "benchmarks are disabled (--benchmark-disable); run without it"
    if config.getoption("benchmark_skip") and not config.getoption("benchmark_only"):
        return "benchmarks are skipped (--benchmark-skip); run without it"
    if config.getoption("benchmark_cprofile"):
        return "a profiler slows what it watches (--benchmark-cprofile); run without it"
    return None


def xdist_is_on(config: pytest.Config) -> bool:
    """Tell whether this is one of xdist's workers, or the process that hands out their work."""
    return hasattr(config, "workerinput") or config.getoption("dist", "no") != "no"
