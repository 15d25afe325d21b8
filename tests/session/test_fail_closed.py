"""What must not be green, and misuse: told with the reason, before anything is measured if it can be."""

import shutil

import msgspec
import pytest

from support.runs import results
from whisper_bench import ranges
from whisper_bench.session import options
from whisper_bench.session.config import BenchConfig

USAGE = {
    "--whisper-models=huge": "--whisper-models (whisper_models): 'huge' is an invalid value; use one of base",
    "--whisper-models=": "--whisper-models (whisper_models): '' is an invalid value; give at least one",
    "--whisper-rounds=0": "--whisper-rounds (whisper_rounds): '0' is an invalid value; give a number, 1",
    "--whisper-rounds=many": "'many' is an invalid value; give a number, 1 or more",
    "--whisper-threads=1,-2": "'-2' is an invalid value; give a number, 1 or more",
    "--whisper-cpu-limit=nan": "'nan' is an invalid value; give a number, 0.01 or more",
    "--whisper-compute-type=int4": "'int4' is an invalid value; use one of int8",
    "--whisper-clip=absent.wav": "absent.wav: no such file; name one with --whisper-clip",
    "--whisper-clip=a/x.wav,b/x.wav": "are both called 'x'; rename one",
    "--whisper-clip=a\x1b[2J.wav": r"--whisper-clip: 'a\x1b[2J.wav': cases and result files are named",
    "--whisper-clip=clips/.x.wav": "it begins with a dot; rename it",
    "--benchmark-save=.x": "--benchmark-save '.x': a file gets this name, and it begins with a dot",
    "--benchmark-save=a\nb": r"--benchmark-save 'a\nb': a file gets this name",
    f"--benchmark-save={'x' * 181}": "it has 181 bytes, and at most 180 are allowed; give another name",
    "--whisper-model-dir=absent": "absent is not a folder; create it first",
    "--whisper-resume": "--whisper-resume: no unfinished run of 'unsaved' in",
    "--whisper-on-throttling=ignore": "'ignore' is an invalid value; use one of fail, warn",
    "--benchmark-disable": "nothing would be measured: benchmarks are disabled (--benchmark-disable)",
    "--benchmark-skip": "nothing would be measured: benchmarks are skipped (--benchmark-skip)",
    "--benchmark-cprofile=tottime": "a profiler slows down what it measures (--benchmark-cprofile)",
    "-pno:benchmark": "nothing would be measured: pytest-benchmark is not active (-p no:benchmark)",
    "--benchmark-save=a/b": "Must not contain any of these characters",
    "--whisper-results=/dev/null/x": "--whisper-results",
}


OUT_OF_RANGE = {
    "--whisper-rounds=99999999999": "'99999999999' is an invalid value; give a number, 1000000000 or less",
    "--whisper-warmup-rounds=1000000001": "is an invalid value; give a number, 1000000000 or less",
    "--whisper-beam-size=99999999999999999999": "is an invalid value; give a number, 1000000000 or less",
    "--whisper-threads=1,8193": "'8193' is an invalid value; give a number, 8192 or less",
    "--whisper-cpu-limit=1e20": "'1e20' is an invalid value; give a number, 8192 or less",
    "--whisper-cpu-limit=inf": "'inf' is an invalid value; give a number, 0.01 or more",
}


@pytest.mark.parametrize("argument", OUT_OF_RANGE)
def test_a_number_that_no_record_could_hold_is_refused(pytester, argument):
    with pytest.raises(pytest.UsageError) as caught:
        BenchConfig.of(pytester.parseconfig(argument))
    assert OUT_OF_RANGE[argument] in str(caught.value)


def test_the_largest_numbers_are_those_of_a_record():
    assert options.MOST_CPUS == ranges.MOST_CPUS
    counts = msgspec.json.schema(ranges.Ordinal)
    assert counts["maximum"] == options.MOST_COUNT


@pytest.mark.parametrize("argument", USAGE)
def test_misuse_is_told_before_anything_is_measured(bench, pytester, argument):
    outcome = bench(argument)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    said = outcome.stdout.str() + outcome.stderr.str()
    assert USAGE[argument] in said
    assert "Traceback" not in said
    assert "INTERNALERROR" not in said
    assert not list(pytester.path.glob("**/*.json"))
    assert "round 0/" not in said


def test_an_unwritable_storage_is_found_out_before_measuring(bench, pytester):
    (pytester.path / "taken").write_text("")
    outcome = bench("--benchmark-save=m4", "--benchmark-storage=file://./taken")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*saved runs cannot be written in *--benchmark-storage=file*"])


REPLACER = """
import shutil
from pathlib import Path
from whisper_bench.session import bench

check = bench.resolve_weights

def then_replaced(*arguments, **settings):
    weights = check(*arguments, **settings)
    config = Path(weights.folder, "config.json")
    config.write_text(config.read_text().replace("50257", "11"))
    return weights

bench.resolve_weights = then_replaced
"""


def test_weights_replaced_after_the_runs_check_are_not_measured(bench, pytester, toy_dir):
    """The file is replaced for real, between the run's hash and the worker's load."""
    shutil.copytree(toy_dir / "base", pytester.path / "models" / "base")
    pytester.makepyfile(replacer=REPLACER)
    outcome = bench("-p", "replacer", "--whisper-model-dir=models", "--benchmark-save=m4")
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines([
        "base-t1-noise: weights in *: config.json had sha256 * when the run checked it, and has *",
        "FAILED: nothing was measured*",
    ])  # fmt: skip
    assert not list(pytester.path.glob(".benchmarks/**/*.json"))
    assert results(pytester.path) == []


def test_weights_of_another_hash_are_refused(pytester, toy_dir, toy_clip):
    pytester.makepyfile(
        test_bench="def test_t(benchmark, whisper_case): whisper_case.run(benchmark)"
    )
    outcome = pytester.runpytest_subprocess(
        f"--whisper-model-dir={toy_dir}", f"--whisper-clip={toy_clip}"
    )
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*model.bin has sha256 *, pinned is d01c30148*"])


def test_xdist_is_refused_with_the_reason(bench):
    outcome = bench("-n", "2")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["*nothing was measured: pytest-xdist is on (-n)*"])


def test_skipped_cases_are_no_success(bench, pytester):
    pytester.makepyfile(
        test_bench="""
        import pytest
        @pytest.mark.skip(reason="not today")
        def test_transcribe(benchmark, whisper_case):
            whisper_case.run(benchmark)
        """
    )
    outcome = bench("--benchmark-save=m4")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["FAILED: nothing was measured: no case ran to its end"])


def test_one_skipped_case_of_two_is_no_success(bench, pytester):
    pytester.makeconftest(
        """
        import pytest
        def pytest_collection_modifyitems(items):
            items[-1].add_marker(pytest.mark.skip(reason="not today"))
        """
    )
    outcome = bench("--benchmark-save=m4", "--whisper-rounds=1", "--whisper-threads=1,2")
    outcome.assert_outcomes(passed=1, skipped=1)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["FAILED: not measured: base-t2-noise"])


def test_a_function_that_measures_nothing_is_no_success(bench, pytester):
    pytester.makepyfile(test_bench="def test_transcribe(benchmark, whisper_case): benchmark(int)")
    outcome = bench("--benchmark-save=m4", "--benchmark-max-time=0.01")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["FAILED: nothing was measured: no case ran to its end"])


def test_two_functions_of_one_case_are_refused(bench, pytester):
    pytester.makepyfile(
        test_bench="""
        def test_one(benchmark, whisper_case): whisper_case.run(benchmark)
        def test_two(benchmark, whisper_case): whisper_case.run(benchmark)
        """
    )
    outcome = bench()
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*base-t1-noise: measured by more than one benchmark function*"])


def test_a_renamed_benchmark_leaves_nothing_to_run(bench):
    assert bench("-k", "another_name").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_wrong_answer_fails_and_is_not_saved(bench, pytester, toy_clip, tmp_path):
    clip = tmp_path / "spoken.wav"
    clip.write_bytes(toy_clip.read_bytes())
    clip.with_suffix(".txt").write_text("một hai ba")
    clip.with_suffix(".json").write_text('{"word_error_rate_bound": {"base": 0.5}}')
    outcome = bench("--benchmark-save=m4", "--whisper-rounds=2", f"--whisper-clip={clip}")
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(["*word error rate * is over the bound of 0.5*"])
    assert not list(pytester.path.glob(".benchmarks/*/*.json"))
    assert results(pytester.path) == []


def test_a_timer_that_does_not_count_wall_time_is_refused(bench, pytester):
    outcome = bench(
        "--benchmark-timer=time.process_time", "--benchmark-save=m4", "--whisper-rounds=2"
    )
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(
        ["*its timer does not count wall time; run without --benchmark-timer"]
    )
    assert not list(pytester.path.glob(".benchmarks/*/*.json"))


def test_trouble_of_another_plugin_is_not_ours_to_explain(pytester):
    pytester.makepyfile(test_unrelated="def test_it(): pass")
    pytester.makeconftest("def pytest_sessionfinish(): raise OSError('not ours')")
    outcome = pytester.runpytest_subprocess()
    assert outcome.ret != 0
    assert "OSError: not ours" in outcome.stderr.str()
    assert "could not be saved" not in outcome.stdout.str()


def test_a_refused_start_leaves_no_journal(bench, pytester):
    outcome = bench("--benchmark-json=absent/out.json")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert not (pytester.path / "benchmark_results").exists()
