"""One case as pytest-benchmark runs it: pedantic mode, a round a call, the worker in between."""

from collections.abc import Callable
from typing import Any, NoReturn, Protocol

import msgspec
import pytest

from whisper_bench.case.case import Case
from whisper_bench.case.record import EXTRA_INFO_KEY
from whisper_bench.errors import BenchError
from whisper_bench.measure.gather import gathered
from whisper_bench.measure.measurement import Measurement
from whisper_bench.results.summary import case_line
from whisper_bench.session.bench import Bench


class BenchmarkFixture(Protocol):
    """What is used of pytest-benchmark's fixture, which has no types."""

    group: str | None
    extra_info: dict[str, Any]
    stats: Any

    def pedantic(
        self,
        target: Callable[[], None],
        *,
        setup: Callable[[], None] | None = None,
        teardown: Callable[[], None] | None = None,
        rounds: int = 1,
    ) -> None:
        """Time `target` `rounds` times, `setup` before and `teardown` after each untimed."""


class CaseRun:
    """What a benchmark function is given: `run` measures its case."""

    def __init__(self, bench: Bench, case: Case, repeater: str) -> None:
        self.case = case
        self._bench = bench
        self._repeater = repeater

    def run(self, benchmark: BenchmarkFixture) -> None:
        """Measure every round that is left; if that fails, fail the test with the reason."""
        try:
            self._bench.course.begin(self.case, "run", self._repeater)
        except BenchError as error:
            self._fail(error)
        benchmark.group = self.case.model
        measurement: Measurement | None = None
        failure: BenchError | None = None
        try:
            measurement = self._bench.measurement(self.case)
            _measure(benchmark, measurement)
        except BenchError as error:
            failure = error
        finally:
            self._keep(benchmark, measurement, failed=failure is not None)
        if failure is not None:
            self._fail(failure)

    def _fail(self, failure: BenchError) -> NoReturn:
        """Fail the test, and keep the failure where no plugin takes it back."""
        text = _told(self.case, failure)
        self._bench.course.fail(self.case, text)
        pytest.fail(text, pytrace=False)

    def _keep(
        self, benchmark: BenchmarkFixture, measurement: Measurement | None, *, failed: bool
    ) -> None:
        """Put what was measured where pytest-benchmark saves it, also after Ctrl-C."""
        self._bench.progress.end(self.case)
        if measurement is not None:
            measurement.close()
        if failed or measurement is None or not measurement.finished.rounds:
            self._bench.forget(benchmark.stats)
            return
        record = gathered(measurement.plan, measurement.finished)
        self._bench.records[self.case] = record
        benchmark.extra_info[EXTRA_INFO_KEY] = msgspec.to_builtins(record)
        # a resumed run's rounds stand before those that pytest-benchmark timed itself, and those of
        # copies in the place of their sets, which it timed as one
        benchmark.stats.stats.data[:] = [measured.latency_s for measured in record.rounds]
        self._bench.terminal.say(case_line(record))


def _told(case: Case, failure: BenchError) -> str:
    """Begin the message with the case, which a wrong answer's does by itself."""
    text = str(failure)
    return text if text.startswith(case.label) else f"{case.label}: {text}"


def _measure(benchmark: BenchmarkFixture, measurement: Measurement) -> None:
    if measurement.remaining == 0:
        benchmark.pedantic(_nothing)  # all is in the journal; what this times is not kept
    else:
        benchmark.pedantic(
            measurement.round,
            setup=measurement.before_round,
            teardown=lambda: measurement.after_round(benchmark.stats.stats.data[-1]),
            rounds=measurement.remaining,
        )


def _nothing() -> None:
    """Stand for a round where none is left: pedantic mode wants one."""
