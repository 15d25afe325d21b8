"""pytest-benchmark's last steps fail: our section, the files and the journal are there all the same."""

import pytest

from support.runs import ONE_ROUND, results
from whisper_bench.session.collect import benchmark_session

STORAGE_FAILS = """
import pytest
@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    def save(document, name):
        raise ConnectionError("no route to the storage")
    config._benchmarksession.storage.save = save
"""
HOOK_FAILS = """
import pytest
@pytest.hookimpl(trylast=True)
def pytest_benchmark_update_json(output_json):
    raise KeyError("commit_info")
"""
TABLE_FAILS = """
from pytest_benchmark.table import TableResults
def display(*arguments, **named):
    raise ZeroDivisionError("no table today")
TableResults.display = display
"""


def test_a_storage_that_fails_loses_nothing_of_the_run(bench, pytester):
    pytester.makeconftest(STORAGE_FAILS)
    outcome = bench(*ONE_ROUND, "--benchmark-save=m4", "--junitxml=junit.xml")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        [
            "*= whisper-bench =*",
            "base-t1-noise  1 in 1*",
            "wrote benchmark_results/m4_base_noise_*.json",
            "kept benchmark_results/journal/m4_*: --whisper-resume continues from it",
            "FAILED: the run could not be saved: no route to the storage*--benchmark-storage*",
        ]
    )
    assert len(results(pytester.path)) == 1
    assert (pytester.path / "junit.xml").exists()
    assert "Traceback" not in outcome.stdout.str() + outcome.stderr.str()


def test_what_a_failed_storage_did_not_take_is_saved_by_a_resume(bench, pytester):
    pytester.makeconftest(STORAGE_FAILS)
    bench(*ONE_ROUND, "--benchmark-save=m4")
    pytester.makeconftest("")
    outcome = bench(*ONE_ROUND, "--benchmark-save=m4", "--whisper-resume")
    assert outcome.ret == pytest.ExitCode.OK
    outcome.stdout.fnmatch_lines(["resuming m4_*: 1 rounds are already measured"])
    assert len(list(pytester.path.glob(".benchmarks/*/*_m4.json"))) == 1


def test_a_folder_that_became_a_file_names_what_helps(bench, pytester):
    pytester.makeconftest(
        "def pytest_runtest_teardown():\n"
        "    import pathlib, shutil\n"
        "    shutil.rmtree('.benchmarks')\n"
        "    pathlib.Path('.benchmarks').touch()"
    )
    outcome = bench(*ONE_ROUND, "--benchmark-save=m4")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        [
            "FAILED: the run could not be saved: *a file is where a folder should be*--benchmark-storage*"
        ]
    )


def test_a_storage_without_its_package_is_told_before_pytest_benchmark_begins(pytester):
    pytester.makeconftest("import sys; sys.modules['elasticsearch'] = None")
    outcome = pytester.runpytest_subprocess(
        "--benchmark-storage=elasticsearch+http://localhost:9/runs/a"
    )
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(
        ["*--benchmark-storage=elasticsearch+http*package elasticsearch*pip install*"]
    )
    assert "INTERNALERROR" not in outcome.stderr.str() + outcome.stdout.str()


def test_an_error_that_is_no_full_disk_is_shown_with_where_it_comes_from(bench, pytester):
    pytester.makeconftest(HOOK_FAILS)
    outcome = bench(*ONE_ROUND, "--benchmark-save=m4")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["FAILED: the run could not be saved: KeyError: 'commit_info'*"])
    outcome.stderr.fnmatch_lines(["*conftest.py*in pytest_benchmark_update_json*"])


def test_a_json_file_that_cannot_be_written_keeps_the_journal(bench, pytester):
    pytester.makeconftest(
        "def pytest_runtest_teardown(): __import__('os').mkdir('out.json')"  # too late to be told
    )
    outcome = bench(*ONE_ROUND, "--benchmark-json=out.json")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        ["base-t1-noise  1 in 1*", "FAILED: the run could not be saved: *out.json*"]
    )
    assert list(pytester.path.glob("benchmark_results/journal/*.jsonl"))


def test_a_table_that_fails_comes_after_all_is_saved(bench, pytester):
    pytester.makeconftest(TABLE_FAILS)
    outcome = bench(*ONE_ROUND, "--benchmark-save=m4", "--stress", "--whisper-threads=1",
                    "--whisper-on-throttling=warn")  # fmt: skip
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        [
            "wrote benchmark_results/m4_base_noise_*.json",
            "FAILED: pytest-benchmark could not show its table: *no table today",
            "stress test *",
        ]
    )
    assert not (pytester.path / "benchmark_results" / "journal").exists()


def test_a_group_that_does_not_exist_comes_after_all_is_saved(bench, pytester):
    outcome = bench(*ONE_ROUND, "--benchmark-save=m4", "--benchmark-group-by=param:weather")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        ["base-t1-noise  1 in 1*", "FAILED: pytest-benchmark could not*KeyError: 'weather'"]
    )
    assert not (pytester.path / "benchmark_results" / "journal").exists()


def test_a_regression_is_told_in_our_section(bench, pytester):
    bench(*ONE_ROUND, "--benchmark-save=m4").assert_outcomes(passed=1)
    (path,) = pytester.path.glob(".benchmarks/*/0001_m4.json")
    text = path.read_text()
    mean = next(line for line in text.splitlines() if '"mean"' in line)
    path.write_text(text.replace(mean, '"mean": 1e-9,'))
    outcome = bench(
        *ONE_ROUND, "--benchmark-save=m4", "--benchmark-compare", "--benchmark-compare-fail=mean:5%"
    )
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        [
            "*= whisper-bench =*",
            "wrote benchmark_results/*",
            "FAILED: --benchmark-compare-fail: slower than allowed: *test_transcribe*mean*",
        ]
    )
    assert "Traceback" not in outcome.stdout.str() + outcome.stderr.str()


def test_an_error_of_another_plugin_loses_nothing_either(bench, pytester):
    pytester.makeconftest("def pytest_terminal_summary(): raise OSError('not ours')")
    outcome = bench(*ONE_ROUND, "--benchmark-save=m4")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["wrote benchmark_results/m4_base_noise_*.json"])
    assert "OSError: not ours" in outcome.stderr.str()
    assert "could not be saved" not in outcome.stdout.str()


def test_an_error_before_our_own_end_loses_nothing_either(bench, pytester):
    pytester.makeconftest("def pytest_sessionfinish(): raise OSError('not ours')")
    outcome = bench(*ONE_ROUND, "--benchmark-save=m4")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["wrote benchmark_results/m4_base_noise_*.json"])
    assert "OSError: not ours" in outcome.stderr.str()


NO_PYGAL = "import sys; sys.modules['pygal'] = None"
TOLD_EARLY = {
    "a histogram without its package": (
        NO_PYGAL,
        ["--benchmark-histogram"],
        "*--benchmark-histogram: *pygal is not installed; pip install *histogram*",
    ),
    "a histogram in a file's place": (
        "",
        ["--benchmark-histogram=test_bench.py/plot"],
        "*histograms cannot be written in *--benchmark-histogram=PREFIX*",
    ),
    "a JSON file that is a folder": (
        "",
        ["--benchmark-json=."],
        "*--benchmark-json=.: this is a folder; name a file*",
    ),
    "a blank JSON file": ("", ["--benchmark-json="], "*--benchmark-json=.: this is a folder*"),
    "a comparison with a run that is not there": (
        "",
        ["--benchmark-compare=0007", "--benchmark-compare-fail=min:5%"],
        "*--benchmark-compare-fail: there is no saved run*(given: --benchmark-compare=0007)*",
    ),
    "a comparison with the last run where there is none": (
        "",
        ["--benchmark-compare", "--benchmark-compare-fail=min:5%"],
        "*--benchmark-compare-fail: there is no saved run*(given: --benchmark-compare)*",
    ),
    "a limit and no comparison": (
        "",
        ["--benchmark-compare-fail=min:5%"],
        "*--benchmark-compare-fail: there is no saved run*(given: none)*",
    ),
}


@pytest.mark.parametrize("what", TOLD_EARLY)
def test_what_would_fail_in_the_end_is_told_before_the_first_round(bench, pytester, what):
    conftest, arguments, message = TOLD_EARLY[what]
    pytester.makeconftest(conftest)
    outcome = bench(*ONE_ROUND, *arguments)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines([message])
    assert not (pytester.path / "benchmark_results").exists()


def test_a_comparison_with_other_cases_alone_is_refused(bench, pytester):
    bench(*ONE_ROUND, "--benchmark-save=m4").assert_outcomes(passed=1)
    outcome = bench(
        *ONE_ROUND, "--whisper-threads=2", "--benchmark-compare", "--benchmark-compare-fail=min:5%"
    )
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*none of this run's cases is in *0001_m4.json*"])


def test_pytest_benchmark_has_the_steps_that_are_guarded(pytestconfig):
    benchmarks = benchmark_session(pytestconfig)
    assert all(
        callable(getattr(benchmarks, step)) for step in ("handle_saving", "finish", "display")
    )


def test_an_error_of_another_plugin_at_the_end_of_the_session_loses_nothing(bench, pytester):
    pytester.makeconftest(
        "import pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_sessionfinish(): raise OSError('not ours')\n"
    )
    outcome = bench(*ONE_ROUND, "--benchmark-save=m4")
    assert outcome.ret != pytest.ExitCode.OK
    outcome.stdout.fnmatch_lines(["*= whisper-bench =*", "base-t1-noise  1 in 1*"])
