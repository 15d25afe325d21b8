"""The tests of cases, watched as they run: what pytest's reports say later decides nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from whisper_bench.case.case import Case
from whisper_bench.errors import BenchError
from whisper_bench.session.bench import Bench
from whisper_bench.session.case_run import CaseRun
from whisper_bench.session.collect import BENCH, PARAMETERS, params_of, why_not
from whisper_bench.session.given import repeated_by

_STOPPED = (KeyboardInterrupt, pytest.exit.Exception)
"""What ends the whole run, and is no failure of a case: pytest goes on after sys.exit()."""


def case_of(params: dict[str, Any]) -> Case:
    """Return the case of an item's parameters."""
    return Case(**{name: params[name] for name in PARAMETERS})


def case_run(request: pytest.FixtureRequest, params: dict[str, Any]) -> CaseRun:
    """Return what a benchmark function is given; fail its test where nothing can be measured."""
    bench = request.config.stash.get(BENCH, None)
    if bench is None:
        reason = why_not(request.config) or "the test was added after pytest had collected"
        pytest.fail(f"nothing was measured: {reason}", pytrace=False)
    return CaseRun(bench, case_of(params), repeated_by(request.config))


def begin_test(item: pytest.Item, bench: Bench) -> None:
    """Refuse a test that has already begun, whatever runs it again."""
    case = case_of(params_of(item))
    try:
        bench.course.begin(case, "test", repeated_by(item.config))
    except BenchError as error:
        bench.course.fail(case, str(error))
        pytest.fail(str(error), pytrace=False)


@contextmanager
def keep_failure(item: pytest.Item, bench: Bench) -> Iterator[None]:
    """Keep what the test function raises, and let it go on."""
    try:
        yield
    except BaseException as error:
        note_failure(item, bench, error)
        raise


def note_failure(item: pytest.Item, bench: Bench, error: BaseException) -> None:
    """Keep what a test raised in any of its phases; a skip is none the less no success."""
    if not isinstance(error, _STOPPED):
        bench.course.fail(case_of(params_of(item)), _reason(error))


def _reason(error: BaseException) -> str:
    first = next(iter(str(error).splitlines()), "")
    if isinstance(error, pytest.skip.Exception):
        return f"skipped: {first}"
    if isinstance(error, pytest.fail.Exception):
        return first
    return f"{type(error).__name__}: {first}"
