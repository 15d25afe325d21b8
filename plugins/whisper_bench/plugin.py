"""The pytest plugin: hooks, each of which hands over in a few lines. Nothing heavy is imported."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from whisper_bench.session import collect, options
from whisper_bench.session.config import BenchConfig

if TYPE_CHECKING:
    from whisper_bench.case import Case
    from whisper_bench.session.case_run import CaseRun


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    BenchConfig.of(config)  # misuse is told before anything is collected
    if config.pluginmanager.hasplugin("benchmark"):
        config.pluginmanager.register(BenchmarkHooks(config), "whisper_bench_benchmark_hooks")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if collect.FIXTURE in metafunc.fixturenames:
        collect.parametrize(metafunc, BenchConfig.of(metafunc.config))


def pytest_collection_finish(session: pytest.Session) -> None:
    items = [item for item in session.items if collect.is_case(item)]
    if not items or session.config.option.collectonly or collect.xdist_is_on(session.config):
        return
    if reason := collect.why_not(session.config):
        raise pytest.UsageError(f"nothing would be measured: {reason}")
    from whisper_bench.session.hooks import begin

    begin(session, [_case_of(_params_of(item)) for item in items])


@pytest.fixture
def whisper_case(request: pytest.FixtureRequest, model: str, threads: int, clip: str) -> "CaseRun":
    """One cell of the matrix; `whisper_case.run(benchmark)` measures it."""
    from whisper_bench.session.case_run import CaseRun

    bench = request.config.stash.get(collect.BENCH, None)
    if bench is None:
        pytest.fail(f"nothing was measured: {collect.why_not(request.config)}", pytrace=False)
    return CaseRun(bench, _case_of({"model": model, "threads": threads, "clip": clip}))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    try:
        outcome = yield
    except OSError as error:
        if collect.BENCH not in session.config.stash:
            raise
        from whisper_bench.session.hooks import not_saved

        not_saved(session, error)
        return None
    if bench := session.config.stash.get(collect.BENCH, None):
        from whisper_bench.session.hooks import last_word

        last_word(session, bench)
    return outcome


def pytest_unconfigure(config: pytest.Config) -> None:
    if bench := config.stash.get(collect.BENCH, None):
        bench.close()


class BenchmarkHooks:
    """Hooks that only make sense where pytest-benchmark is active."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._saved: dict[str, Any] | None = None

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
        self._saved = output_json

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        # a plain hook: it runs after pytest-benchmark's wrapper has saved
        if bench := session.config.stash.get(collect.BENCH, None):
            from whisper_bench.session.hooks import finish

            finish(session, bench, self._saved)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if bench := self._config.stash.get(collect.BENCH, None):
            from whisper_bench.session.hooks import summary

            summary(terminalreporter, bench)


def _params_of(item: Any) -> dict[str, Any]:
    """Return what an item was parametrized with; its callspec is not in pytest's types."""
    params: dict[str, Any] = item.callspec.params
    return params


def _case_of(params: dict[str, Any]) -> "Case":
    from whisper_bench.case import Case

    return Case(**{name: params[name] for name in collect.PARAMETERS})
