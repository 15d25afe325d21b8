"""A case is measured only once, and a failure that a plugin takes back is none the less one."""

import pytest

from support.runs import results
from whisper_bench.case.case import Case
from whisper_bench.errors import BenchError
from whisper_bench.session.course import Course

WRONG_ONCE = """
import pytest
from whisper_bench.errors import WrongAnswerError
from whisper_bench.case.transcript import TranscriptCheck
real, heard = TranscriptCheck.check, []
def check(self, *arguments):
    heard.append(arguments)
    if len(heard) == 1:
        raise WrongAnswerError("base-t1-noise, process 1: the transcript differs")
    return real(self, *arguments)
TranscriptCheck.check = check
"""
RUN_AGAIN = """
from _pytest.runner import runtestprotocol
def pytest_addoption(parser):
    parser.addoption("--reruns", type=int, default=1)
def pytest_runtest_protocol(item, nextitem):
    for left in reversed(range(1 + item.config.getoption("--reruns"))):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if left and any(report.failed for report in reports):
            item._initrequest()
            continue
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        return True
"""
REPORT_PASSED = """
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = "passed"
"""
CALL_SWALLOWED = """
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    outcome = yield
    outcome.force_result(None)
"""
STATUS_TAKEN_BACK = """
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session):
    yield
    session.exitstatus = 0
"""
ENDED_GREEN = """
def pytest_sessionfinish(session):
    pytest.exit("all is well", returncode=0)
"""
XFAIL = """
def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.xfail(reason="known"))
"""
ONE_ROUND = ("--benchmark-save=m4", "--whisper-rounds=1", "--whisper-processes=1")

HIDES_A_WRONG_ANSWER = {
    "run again until it passes": RUN_AGAIN,
    "run again, and reported as passed": RUN_AGAIN + REPORT_PASSED,
    "reported as passed": REPORT_PASSED,
    "swallowed around the call": CALL_SWALLOWED,
    "exit status taken back": STATUS_TAKEN_BACK,
    "ended with exit status 0": ENDED_GREEN,
    "expected to fail": XFAIL,
}


@pytest.mark.parametrize("how", HIDES_A_WRONG_ANSWER)
def test_a_wrong_answer_stays_red_when_a_plugin_hides_it(bench, pytester, how):
    pytester.makeconftest(WRONG_ONCE + HIDES_A_WRONG_ANSWER[how])
    outcome = bench(*ONE_ROUND)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["FAILED: base-t1-noise, process 1: the transcript differs"])
    assert results(pytester.path) == []


def test_the_message_names_the_case_the_option_and_the_first_failure(bench, pytester):
    pytester.makeconftest(WRONG_ONCE + RUN_AGAIN)
    outcome = bench(*ONE_ROUND, "--reruns=2")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    message = "started a second time*measured only once*without --reruns=2*the transcript differs"
    outcome.stdout.fnmatch_lines([f"FAILED: base-t1-noise: the case was {message}"])


def test_a_case_that_passed_and_is_run_again_is_red(bench, pytester):
    pytester.makeconftest(
        """
        from _pytest.runner import runtestprotocol
        def pytest_runtest_protocol(item, nextitem):
            runtestprotocol(item, nextitem=item)
            item._initrequest()
            runtestprotocol(item, nextitem=nextitem)
            return True
        """
    )
    outcome = bench(*ONE_ROUND)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["FAILED: base-t1-noise: the case was started a second time*"])


AFTER_MEASURING = {
    "assert 1 == 2": "FAILED: base-t1-noise: AssertionError: assert 1 == 2",
    "raise OSError('the user\\'s own')": "FAILED: base-t1-noise: OSError: the user's own",
    "pytest.skip('enough')": "FAILED: base-t1-noise: skipped: enough",
    "pytest.xfail('enough')": "FAILED: base-t1-noise: enough",
    "raise SystemExit(0)": "FAILED: base-t1-noise: SystemExit: 0",
}


@pytest.mark.parametrize("statement", AFTER_MEASURING)
def test_a_failure_after_the_rounds_stays_red_when_it_is_hidden(bench, pytester, statement):
    pytester.makeconftest("import pytest\n" + CALL_SWALLOWED)
    pytester.makepyfile(
        test_bench=f"""
        import pytest
        def test_transcribe(benchmark, whisper_case):
            whisper_case.run(benchmark)
            {statement}
        """
    )
    outcome = bench(*ONE_ROUND)
    outcome.assert_outcomes(passed=1)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines([AFTER_MEASURING[statement]])


def test_a_failure_before_the_rounds_is_not_forgotten_by_a_second_try(bench, pytester):
    pytester.makeconftest("import pytest\n" + RUN_AGAIN)
    pytester.makepyfile(
        test_bench="""
        import pytest
        tries = []
        @pytest.fixture
        def service():
            tries.append(1)
            assert len(tries) > 1, "the service is not there"
        def test_transcribe(service, benchmark, whisper_case):
            whisper_case.run(benchmark)
        """
    )
    outcome = bench(*ONE_ROUND)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        [
            "FAILED: base-t1-noise: AssertionError: the service is not there",
            "FAILED: base-t1-noise: the case was started a second time*",
        ]
    )
    assert results(pytester.path) == []


def test_a_loop_in_the_test_measures_no_case_twice(bench, pytester):
    pytester.makeconftest(WRONG_ONCE)
    pytester.makepyfile(
        test_bench="""
        import pytest
        def test_transcribe(benchmark, whisper_case):
            for _ in range(2):
                try:
                    whisper_case.run(benchmark)
                except pytest.fail.Exception:
                    continue
        """
    )
    outcome = bench(*ONE_ROUND)
    outcome.assert_outcomes(passed=1)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["FAILED: base-t1-noise, process 1: the transcript differs"])
    outcome.stdout.fnmatch_lines(
        ["FAILED: base-t1-noise: the case was started a second time*loop*"]
    )


def test_what_ends_the_run_is_no_failure_of_a_case(bench, pytester):
    pytester.makepyfile(
        test_bench="""
        import pytest
        def test_transcribe(benchmark, whisper_case):
            whisper_case.run(benchmark)
            pytest.exit("enough", returncode=5)
        """
    )
    outcome = bench(*ONE_ROUND)
    assert outcome.ret == 5
    assert "FAILED" not in outcome.stdout.str()
    assert len(results(pytester.path)) == 1


def test_a_failure_told_twice_is_one():
    course, case = Course(), Case(model="base", threads=1, clip="noise")
    course.fail(case, "it is slow\nand cold")
    course.fail(case, "base-t1-noise: it is slow")
    assert course.failures == ["base-t1-noise: it is slow\nand cold"]


def test_a_step_begins_once():
    course, case = Course(), Case(model="base", threads=1, clip="noise")
    course.begin(case, "test", "--reruns=1")
    course.begin(case, "run", "--reruns=1")
    with pytest.raises(BenchError, match=r"base-t1-noise.*measured only once.*without --reruns=1"):
        course.begin(case, "run", "--reruns=1")


WRONG_SECOND = """
from whisper_bench.errors import WrongAnswerError
from whisper_bench.case.transcript import TranscriptCheck
real, heard = TranscriptCheck.check, []
def check(self, *arguments):
    heard.append(arguments)
    if len(heard) == 2:
        raise WrongAnswerError("base-t1-noise, process 1: the transcript differs:", "  other")
    return real(self, *arguments)
TranscriptCheck.check = check
"""
TWO_ROUNDS = ("--benchmark-save=m4", "--whisper-rounds=2", "--whisper-processes=1")


def test_a_wrong_answer_is_not_forgotten_by_a_resume(bench, pytester):
    pytester.makeconftest(WRONG_SECOND)
    assert bench(*TWO_ROUNDS).ret == pytest.ExitCode.TESTS_FAILED
    pytester.makeconftest("")
    outcome = bench(*TWO_ROUNDS, "--whisper-resume")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        [
            "*FAILED: base-t1-noise, process 1: the transcript differs:*",
            "*  other*",
            "*stays failed: *measure again without --whisper-resume*",
        ]
    )
    assert not results(pytester.path)
    assert bench(*TWO_ROUNDS).ret == pytest.ExitCode.OK
