"""Which items are cases of ours, and whether they can be measured at all. Nothing heavy here."""

from typing import TYPE_CHECKING, Any

import pytest

from whisper_bench.session.given import disabled_by, inactive_by, repeated_by, xdist_by

if TYPE_CHECKING:
    from whisper_bench.session.bench import Bench
    from whisper_bench.session.config import BenchConfig

FIXTURE = "whisper_case"
PARAMETERS = ("model", "threads", "clip", "copies")
_LISTS = ("collectonly", "showfixtures", "show_fixtures_per_test")
_SHOWN = 3
"""Tests of one case that a message names."""
BENCH: "pytest.StashKey[Bench]" = pytest.StashKey()


def parametrize(metafunc: pytest.Metafunc, config: "BenchConfig") -> None:
    """Give a benchmark function its matrix of model x threads x clip x copies."""
    from whisper_bench.case.case import Case

    cells = [
        (model, threads, clip, copies)
        for clip in config.clips
        for model in config.models
        for threads in config.threads
        for copies in config.copies
    ]
    metafunc.parametrize(PARAMETERS, cells, ids=[Case(*cell).label for cell in cells])


def is_case(item: pytest.Item) -> bool:
    """Tell whether an item measures a case."""
    return FIXTURE in getattr(item, "fixturenames", ())


def only_lists(config: pytest.Config) -> bool:
    """Tell whether pytest lists tests or fixtures, and runs nothing."""
    return any(config.getoption(name) for name in _LISTS)


def why_not(config: pytest.Config) -> str | None:
    """Say why nothing could be measured in this session, or None."""
    if not config.pluginmanager.hasplugin("benchmark"):
        return f"pytest-benchmark is not active {inactive_by(config)}"
    if xdist_is_on(config):
        return (
            f"pytest-xdist is on ({xdist_by(config)}): cases that run at the same time disturb "
            "each other; run without it"
        )
    benchmarks = benchmark_session(config)
    # what pytest-benchmark made of the options, whoever set them
    if benchmarks.disabled:
        return f"benchmarks are disabled {disabled_by(config)}"
    if benchmarks.skip:
        return "benchmarks are skipped (--benchmark-skip); run without it"
    if benchmarks.cprofile_sort_by:
        return "a profiler slows down what it measures (--benchmark-cprofile); run without it"
    return None


def benchmark_session(config: Any) -> Any:
    """Return pytest-benchmark's session, which it hangs on pytest's config, untyped."""
    return config._benchmarksession  # noqa: SLF001 - pytest-benchmark offers no other way to it


def twins(items: list[pytest.Item]) -> str | None:
    """Say which cases several items measure, and what makes them several; None without any."""
    from whisper_bench.case.case import Case

    by_case: dict[tuple[object, ...], list[pytest.Item]] = {}
    for item in items:
        params = params_of(item)
        by_case.setdefault(tuple(params[name] for name in PARAMETERS), []).append(item)
    several = [same for same in by_case.values() if len(same) > 1]
    if not several:
        return None
    same = several[0]
    label = Case(**{name: params_of(same[0])[name] for name in PARAMETERS}).label
    by, remedy = _cause(same)
    return (
        f"{label}: measured by {by} ({_shown(same)}), and their rounds "
        f"would be mixed; a case is measured only once per run: {remedy}"
    )


def params_of(item: Any) -> dict[str, Any]:
    """Return what an item was parametrized with; its callspec is not in pytest's types."""
    params: dict[str, Any] = item.callspec.params
    return params


def _shown(items: list[pytest.Item]) -> str:
    names = list(dict.fromkeys(item.nodeid for item in items))
    more = ", ..." if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _cause(items: list[pytest.Item]) -> tuple[str, str]:
    """Tell a repeated test from a parametrized one, and both from two functions."""
    others = sorted({name for item in items for name in params_of(item)} - set(PARAMETERS))
    count = f"{len(items)} tests"
    if any(name.startswith("_") for name in others) or len({item.nodeid for item in items}) == 1:
        return count, f"run without {repeated_by(items[0].config)}"
    if others:
        return count, f"do not parametrize it by {', '.join(others)} as well"
    return "more than one benchmark function", "keep one function that uses whisper_case"


def xdist_is_on(config: pytest.Config) -> bool:
    """Tell whether this is one of xdist's workers, or the process that hands out their work."""
    return hasattr(config, "workerinput") or config.getoption("dist", "no") != "no"
