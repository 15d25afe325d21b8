"""The pytest plugin: hooks, each of which hands over in a few lines. Nothing heavy is imported."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from whisper_bench.session import collect, options
from whisper_bench.session.config import BenchConfig
from whisper_bench.session.storage_package import check_storage_package

if TYPE_CHECKING:
    from whisper_bench.session.case_run import CaseRun


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    BenchConfig.of(config)  # misuse is an error before anything is collected
    check_storage_package(config)
    if config.pluginmanager.hasplugin("benchmark"):
        config.pluginmanager.register(BenchmarkHooks(config), "whisper_bench_benchmark_hooks")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if collect.FIXTURE in metafunc.fixturenames:
        collect.parametrize(metafunc, BenchConfig.of(metafunc.config))


def pytest_collection_finish(session: pytest.Session) -> None:
    items = [item for item in session.items if collect.is_case(item)]
    if not items or collect.only_lists(session.config) or collect.xdist_is_on(session.config):
        return
    if reason := collect.why_not(session.config):
        raise pytest.UsageError(f"nothing would be measured: {reason}")
    from whisper_bench.session.hooks import begin

    begin(session, items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if collect.is_case(item) and (bench := item.config.stash.get(collect.BENCH, None)):
        from whisper_bench.session.watch import begin_test

        begin_test(item, bench)


@pytest.hookimpl(wrapper=True, trylast=True)  # innermost: before others can take a failure back
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    bench = pyfuncitem.config.stash.get(collect.BENCH, None)
    if bench is None or not collect.is_case(pyfuncitem):
        return (yield)
    from whisper_bench.session.watch import keep_failure

    with keep_failure(pyfuncitem, bench):
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    bench = item.config.stash.get(collect.BENCH, None)
    if bench and call.excinfo is not None and collect.is_case(item):
        from whisper_bench.session.watch import note_failure

        note_failure(item, bench, call.excinfo.value)


@pytest.fixture
def whisper_case(
    request: pytest.FixtureRequest, model: str, threads: int, clip: str, copies: int
) -> "CaseRun":
    """One cell of the matrix; `whisper_case.run(benchmark)` measures it."""
    from whisper_bench.session.watch import case_run

    cell = {"model": model, "threads": threads, "clip": clip, "copies": copies}
    return case_run(request, cell)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    try:
        return (yield)
    finally:
        if bench := session.config.stash.get(collect.BENCH, None):
            from whisper_bench.session.hooks import last_word

            last_word(session, bench)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if bench := config.stash.get(collect.BENCH, None):
        from whisper_bench.session.hooks import keep_red

        bench.close()
        keep_red(config.pluginmanager.getplugin("session"), bench)


class BenchmarkHooks:
    """Hooks that only make sense where pytest-benchmark is active."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_benchmark_update_machine_info(self, machine_info: dict[str, Any]) -> None:
        from whisper_bench.session.facts import machine_info_of

        machine_info.update(machine_info_of(self._config))

    def pytest_benchmark_update_json(
        self, benchmarks: list[Any], output_json: dict[str, Any]
    ) -> None:
        from whisper_bench.session.facts import add_samples, add_verdicts

        add_samples(benchmarks, output_json)
        if bench := self._config.stash.get(collect.BENCH, None):
            add_verdicts(bench, output_json)
            bench.saved = output_json

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        # a plain hook: it runs after pytest-benchmark's wrapper has saved
        if bench := session.config.stash.get(collect.BENCH, None):
            from whisper_bench.session.hooks import finish

            finish(session, bench)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if bench := self._config.stash.get(collect.BENCH, None):
            from whisper_bench.session.hooks import summary

            summary(terminalreporter, bench)
