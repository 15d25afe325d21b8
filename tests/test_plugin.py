"""The plugin in fresh pytest processes, on the toy model: what a user types and sees."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from whisper_bench.engine import COMPUTE_TYPES
from whisper_bench.record import CaseRecord
from whisper_bench.results.files import load_results
from whisper_bench.session import config
from whisper_bench.weights.pins import MODEL_NAMES

SCRIPTS = Path(sys.executable).parent


def saved(folder, name="m4"):
    (path,) = folder.glob(f".benchmarks/*/*_{name}.json")
    return json.loads(path.read_text())


def results(folder):
    return sorted((folder / "benchmark_results").glob("*.json"))


def test_lists_in_the_config_are_those_of_the_core():
    assert config.MODEL_NAMES == MODEL_NAMES
    assert config.COMPUTE_TYPES == COMPUTE_TYPES


def test_a_run_is_saved_with_samples_facts_and_result_files(bench, pytester):
    outcome = bench(
        "--benchmark-save=m4",
        "--whisper-rounds=5",
        "--whisper-processes=2",
        "--whisper-threads=1,2",
    )
    outcome.assert_outcomes(passed=2)
    document = saved(pytester.path)
    assert document["machine_info"]["whisper_bench"]["cpu_model"] == "A test's chip"
    assert [bench["params"] for bench in document["benchmarks"]] == [
        {"model": "base", "threads": 1, "clip": "noise"},
        {"model": "base", "threads": 2, "clip": "noise"},
    ]
    first = document["benchmarks"][0]
    record = msgspec.convert(first["extra_info"]["whisper_bench"], CaseRecord)
    assert len(first["stats"]["data"]) == first["stats"]["rounds"] == 5
    assert [each.latency_s for each in record.rounds] == first["stats"]["data"]
    assert [each.process for each in record.rounds] == [1, 1, 1, 2, 2]
    assert [process.rounds for process in record.processes] == [3, 2]
    assert all(0 < each.wall_s < each.latency_s for each in record.rounds)
    names = [path.name.rpartition("_")[0] for path in results(pytester.path)]
    assert names == ["m4_base_noise", "m4_base_t2_noise"]
    result = load_results(results(pytester.path)[0])
    assert (result.iterations, result.cpu_model) == (5, "A test's chip")
    assert result.detail.backend.instruction_set
    assert not (pytester.path / "benchmark_results" / "journal").exists()
    outcome.stdout.fnmatch_lines(["*= whisper-bench =*", "case*CPU-s*", "base-t1-noise  5 in 2*"])
    outcome.stdout.fnmatch_lines(["*wrote benchmark_results/m4_base_t2_noise_*.json"])


def test_pytest_benchmark_goes_on_working(bench, pytester):
    for name in ("m4", "xeon"):
        bench(
            f"--benchmark-save={name}", "--whisper-rounds=2", "--benchmark-histogram=plot",
            "--benchmark-json=out.json",
        ).assert_outcomes(passed=1)  # fmt: skip
    compared = subprocess.run(
        [str(SCRIPTS / "pytest-benchmark"), "compare", "*m4", "*xeon", "--group-by=param:model"],
        capture_output=True, text=True, check=True, cwd=pytester.path,
    )  # fmt: skip
    assert "benchmark 'model=base': 2 tests" in compared.stdout
    assert "0001_m4" in compared.stdout
    assert "0002_xeon" in compared.stdout
    assert list(pytester.path.glob("plot*.svg"))
    document = json.loads((pytester.path / "out.json").read_text())
    assert len(document["benchmarks"][0]["stats"]["data"]) == 2
    converted = subprocess.run(
        [str(SCRIPTS / "whisper-bench"), "results", "xeon", "--json"],
        capture_output=True, text=True, check=True, cwd=pytester.path,
    )  # fmt: skip
    (entry,) = json.loads(converted.stdout)["results"]
    assert entry["result"]["detail"]["save_name"] == "xeon"
    assert len(results(pytester.path)) == 2  # converting again writes no second file


def test_options_from_the_ini_file(bench, pytester):
    pytester.makeini("[pytest]\nwhisper_rounds = 3\nwhisper_threads = 2\nwhisper_results = found\n")
    bench("--benchmark-save=m4").assert_outcomes(passed=1)
    (path,) = (pytester.path / "found").glob("*.json")
    result = load_results(path)
    assert (result.iterations, result.detail.threads, len(result.detail.processes)) == (3, 2, 3)


def test_several_clips_are_cases_of_their_own(bench, pytester, toy_clip, tmp_path):
    other = tmp_path / "other.wav"
    other.write_bytes(toy_clip.read_bytes())
    outcome = bench("--collect-only", "-q", f"--whisper-clip={toy_clip},{other}")
    outcome.stdout.fnmatch_lines(
        ["*test_transcribe?base-t1-noise?", "*test_transcribe?base-t1-other?"]
    )


def test_a_run_without_a_name_says_that_it_is_not_saved(bench, pytester):
    outcome = bench("--whisper-rounds=1")
    outcome.stdout.fnmatch_lines(
        ["*not saved: to keep it, add --benchmark-save=NAME --whisper-resume"]
    )
    assert results(pytester.path) == []


USAGE = {
    "--whisper-models=huge": "--whisper-models (whisper_models): 'huge' is not possible; use one of base",
    "--whisper-models=": "--whisper-models (whisper_models): '' is not possible; give at least one",
    "--whisper-rounds=0": "--whisper-rounds (whisper_rounds): '0' is not possible; give a number, 1",
    "--whisper-rounds=many": "'many' is not possible; give a number, 1 or more",
    "--whisper-threads=1,-2": "'-2' is not possible; give a number, 1 or more",
    "--whisper-cpu-limit=nan": "'nan' is not possible; give a number, 0.01 or more",
    "--whisper-compute-type=int4": "'int4' is not possible; use one of int8",
    "--whisper-clip=absent.wav": "absent.wav: no such file; name one with --whisper-clip",
    "--whisper-clip=a/x.wav,b/x.wav": "are both called 'x'; rename one",
    "--whisper-model-dir=absent": "absent is no folder; make it first",
    "--whisper-resume": "--whisper-resume: no unfinished run of 'unsaved' in",
    "--whisper-on-throttling=ignore": "'ignore' is not possible; use one of fail, warn",
    "--benchmark-disable": "nothing would be measured: benchmarks are disabled (--benchmark-disable)",
    "--benchmark-skip": "nothing would be measured: benchmarks are skipped (--benchmark-skip)",
    "--benchmark-cprofile=tottime": "a profiler slows what it watches (--benchmark-cprofile)",
    "-pno:benchmark": "nothing would be measured: pytest-benchmark is not active (-p no:benchmark)",
    "--benchmark-save=a/b": "Must not contain any of these characters",
    "--whisper-results=/dev/null/x": "--whisper-results",
}


@pytest.mark.parametrize("argument", USAGE)
def test_misuse_is_told_before_anything_is_measured(bench, pytester, argument):
    start_s = time.monotonic()
    outcome = bench(argument)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    said = outcome.stdout.str() + outcome.stderr.str()
    assert USAGE[argument] in said
    assert "Traceback" not in said
    assert "INTERNALERROR" not in said
    assert time.monotonic() - start_s < 20
    assert not list(pytester.path.glob("**/*.json"))


def test_an_unwritable_storage_is_found_out_before_measuring(bench, pytester):
    (pytester.path / "taken").write_text("")
    outcome = bench("--benchmark-save=m4", "--benchmark-storage=file://./taken")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*saved runs cannot be written in *--benchmark-storage=file*"])


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


def test_a_renamed_benchmark_leaves_nothing_to_run(bench):
    assert bench("-k", "another_name").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_collecting_and_helping_measure_nothing(bench, pytester):
    bench("--collect-only").stdout.fnmatch_lines(["*test_transcribe?base-t1-noise?*"])
    outcome = bench("--help")
    assert outcome.ret == 0
    outcome.stdout.fnmatch_lines(["*--whisper-rounds=ROUNDS*"])
    assert not (pytester.path / "benchmark_results").exists()


HEAVY = ("faster_whisper", "ctranslate2", "numpy", "msgspec", "jsonschema", "jiwer", "av",
         "huggingface_hub", "onnxruntime")  # fmt: skip


@pytest.mark.parametrize("argument", ["--collect-only", "--help", "-pno:benchmark"])
def test_an_unrelated_project_imports_nothing_heavy(pytester, argument):
    pytester.makepyfile(test_unrelated="def test_it(): pass")
    program = f"""
import sys, pytest
status = pytest.main([{argument!r}, "-p", "no:hypothesispytest", "-p", "no:platformdirs"])
heavy = [name for name in {HEAVY!r} if name in sys.modules]
print("status", int(status), "heavy", heavy)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "status 0 heavy []"


def test_an_unrelated_benchmark_is_left_alone(pytester):
    pytester.makepyfile(test_unrelated="def test_it(benchmark): benchmark(len, 'abc')")
    outcome = pytester.runpytest_subprocess("--benchmark-save=mine", "--benchmark-max-time=0.01")
    outcome.assert_outcomes(passed=1)
    assert "data" not in saved(pytester.path, "mine")["benchmarks"][0]["stats"]
    assert "whisper-bench =" not in outcome.stdout.str()
    pytester.runpytest_subprocess("--benchmark-disable").assert_outcomes(passed=1)


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


def test_on_a_terminal_one_line_is_rewritten(pytester, toy_arguments, bench):
    import pty

    master, slave = pty.openpty()
    command = [sys.executable, "-m", "pytest", *toy_arguments, "--whisper-rounds=3"]
    process = subprocess.Popen(command, cwd=pytester.path, stdout=slave, stderr=slave)
    os.close(slave)
    shown = b""
    while True:
        try:
            shown += os.read(master, 4096)
        except OSError:  # the other side has closed
            break
    assert process.wait() == 0
    lines = shown.decode().split("\r")
    rounds = [line for line in lines if "round " in line]
    counted = [line.split("round ")[1][:3] for line in rounds]
    assert list(dict.fromkeys(counted)) == ["0/3", "1/3", "2/3", "3/3"]
    assert "~0:00 left" in rounds[-1]


def test_without_a_terminal_reporter_nothing_is_said(bench, pytester):
    outcome = bench("-p", "no:terminal", "--benchmark-save=m4", "--whisper-rounds=1")
    assert outcome.ret == 0
    assert "whisper-bench =" not in outcome.stdout.str()
    assert len(results(pytester.path)) == 1


def test_without_a_capture_manager(bench):
    bench("-p", "no:capture", "--whisper-rounds=1").assert_outcomes(passed=1)


def test_without_capturing(bench):
    outcome = bench("-s", "--whisper-rounds=1")
    outcome.stdout.fnmatch_lines(["*base-t1-noise  case 1/1  round 0/1*"])


def test_machine_info_of_an_unknown_architecture_is_left_alone(monkeypatch):
    from whisper_bench.errors import BenchError
    from whisper_bench.session import facts

    def unknown():
        raise BenchError("riscv64")

    monkeypatch.setattr(facts, "detect_architecture", unknown)
    assert facts.machine_info_of(None) == {}


def test_a_limit_that_is_in_force_is_recorded_with_its_source(bench, pytester, tmp_path):
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        pytest.skip("an affinity to one of several CPUs cannot be had here")
    pytester.makeconftest("import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})")
    outcome = bench(
        "--benchmark-save=m4",
        "--whisper-rounds=1",
        "--whisper-cpu-limit=1",
        f"--whisper-results={tmp_path}",
    )
    outcome.assert_outcomes(passed=1)
    assert "no CPU limit in force" not in outcome.stdout.str()
    outcome.stdout.fnmatch_lines([f"wrote {tmp_path}/m4_base_noise_*.json"])
    (path,) = tmp_path.glob("*.json")
    result = load_results(path)
    assert (result.cpu_limit, result.detail.cpu_limit.source) == (1, "affinity")


def test_trouble_of_another_plugin_is_not_ours_to_explain(pytester):
    pytester.makepyfile(test_unrelated="def test_it(): pass")
    pytester.makeconftest("def pytest_sessionfinish(): raise OSError('not ours')")
    outcome = pytester.runpytest_subprocess()
    assert outcome.ret != 0
    assert "OSError: not ours" in outcome.stderr.str()
    assert "could not be saved" not in outcome.stdout.str()


def test_a_timer_that_does_not_count_wall_time_is_refused(bench, pytester):
    outcome = bench(
        "--benchmark-timer=time.process_time", "--benchmark-save=m4", "--whisper-rounds=2"
    )
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(
        ["*its timer does not count wall time; run without --benchmark-timer"]
    )
    assert not list(pytester.path.glob(".benchmarks/*/*.json"))


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


def test_a_path_in_the_ini_file_starts_where_that_file_is(bench, pytester, monkeypatch):
    pytester.makeini("[pytest]\nwhisper_results = found\n")
    (pytester.path / "deep").mkdir()
    (pytester.path / "test_bench.py").rename(pytester.path / "deep" / "test_bench.py")
    monkeypatch.chdir(pytester.path / "deep")
    bench("--benchmark-save=m4", "--whisper-rounds=1").assert_outcomes(passed=1)
    assert len(list((pytester.path / "found").glob("*.json"))) == 1
