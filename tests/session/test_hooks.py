"""What another plugin's hook makes of the run that is saved: held to what was measured."""

import pytest

from support.runs import ONE_ROUND, results

CASE_TAKEN_OUT = """
def pytest_benchmark_update_json(output_json):
    output_json["benchmarks"].pop()
"""


@pytest.mark.parametrize("option", ["--benchmark-save=m4", "--benchmark-json=m4.json"])
def test_a_case_that_a_hook_takes_out_of_the_saved_run_is_missed(bench, pytester, option):
    pytester.makeconftest(CASE_TAKEN_OUT)
    outcome = bench(*ONE_ROUND, "--whisper-threads=1,2", option)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        ["FAILED: *base-t2-noise was measured, but is not in the saved run*update_json*"]
    )
    assert not results(pytester.path)
    assert list(pytester.path.glob("benchmark_results/journal/*.jsonl"))


def test_a_record_that_a_hook_changes_in_the_saved_run_is_missed(bench, pytester):
    pytester.makeconftest(
        "def pytest_benchmark_update_json(output_json):\n"
        "    extra_info = output_json['benchmarks'][0]['extra_info']\n"
        "    extra_info['whisper_bench']['weights']['sha256'] = 'b' * 64\n"
        "    extra_info['whisper_bench']['weights']['files'] = None\n"
    )
    outcome = bench(*ONE_ROUND, "--benchmark-save=m4")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        ["FAILED: *base-t1-noise was measured, but is not in the saved run as it was*update_json*"]
    )
    assert not results(pytester.path)


def test_a_saved_run_that_a_hook_spoils_is_refused(bench, pytester):
    pytester.makeconftest(
        "def pytest_benchmark_update_json(output_json): output_json['benchmarks'] = 'none'\n"
    )
    outcome = bench(*ONE_ROUND, "--benchmark-json=m4.json")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["FAILED: *it is not a saved run of this suite*benchmarks*"])


@pytest.mark.parametrize("option", ["--benchmark-save=m4", "--benchmark-json=m4.json"])
@pytest.mark.parametrize("value", ["float('nan')", "float('inf')", "chr(0xD800)"])
def test_a_saved_run_that_a_hook_makes_unreadable_is_refused(bench, pytester, option, value):
    pytester.makeconftest(
        "def pytest_benchmark_update_json(output_json):\n"
        f"    output_json['commit_info']['score'] = {value}\n"
    )
    outcome = bench(*ONE_ROUND, option)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["FAILED: *measure again or name another run*"])
    assert list(pytester.path.glob("benchmark_results/journal/*.jsonl"))
