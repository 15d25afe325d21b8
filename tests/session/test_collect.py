"""Cases as pytest collects them: each once, and all of them before the first is measured."""

import pytest

from support.runs import ONE_ROUND

REPEATED = {
    "by --count": (
        "--count=2",
        """
        import pytest
        def pytest_addoption(parser):
            parser.addoption("--count", type=int, default=1)
        @pytest.fixture(autouse=True)
        def __pytest_repeat_step_number(request):
            return request.param
        @pytest.hookimpl(trylast=True)
        def pytest_generate_tests(metafunc):
            metafunc.parametrize("__pytest_repeat_step_number", range(2), indirect=True)
        """,
        "*base-t1-noise: measured by 2 tests*run without --count=2",
    ),
    "by a plugin without an option": (
        "-q",
        "def pytest_collection_modifyitems(items): items *= 3",
        "*base-t1-noise: measured by 3 tests*run without the plugin, marker or loop*",
    ),
    "by a parameter": (
        "-q",
        """
        def pytest_generate_tests(metafunc):
            metafunc.fixturenames.append("weather")
            metafunc.parametrize("weather", ["sun", "rain"])
        """,
        "*base-t1-noise: measured by 2 tests*do not parametrize it by weather as well",
    ),
}


@pytest.mark.parametrize("how", REPEATED)
def test_a_case_that_is_collected_twice_is_refused_with_what_does_it(bench, pytester, how):
    argument, conftest, message = REPEATED[how]
    pytester.makeconftest(conftest)
    outcome = bench(*ONE_ROUND, argument)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines([message])


def test_a_test_that_is_added_after_the_collection_measures_nothing(bench, pytester):
    pytester.makeconftest(
        """
        import pytest
        @pytest.hookimpl(tryfirst=True)
        def pytest_collection_finish(session):
            session.late, session.items[:] = list(session.items), []
        @pytest.hookimpl(tryfirst=True)
        def pytest_runtestloop(session):
            session.items[:] = session.late
        """
    )
    outcome = bench(*ONE_ROUND)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["*nothing was measured: the test was added after*"])
