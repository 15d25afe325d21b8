"""The plugin in fresh pytest processes, on the toy model: what a user types and sees."""

import json
import os
import subprocess
import sys

import msgspec
import pytest

from support.runs import SCRIPTS, results, saved
from whisper_bench.case.decoding import COMPUTE_TYPES
from whisper_bench.case.record import CaseRecord
from whisper_bench.results.files import load_results
from whisper_bench.session import config


def test_compute_types_in_the_config_are_those_of_the_core():
    assert config.COMPUTE_TYPES == COMPUTE_TYPES


def test_a_run_is_saved_with_samples_facts_and_result_files(toy_bench, pytester):
    outcome = toy_bench(
        "--benchmark-save=m4",
        "--whisper-rounds=5",
        "--whisper-processes=2",
        "--whisper-threads=1,2",
    )
    outcome.assert_outcomes(passed=2)
    document = saved(pytester.path)
    assert document["machine_info"]["whisper_bench"]["cpu_model"] == "A test's chip"
    assert [bench["params"] for bench in document["benchmarks"]] == [
        {"model": "base", "threads": 1, "clip": "noise", "copies": 1},
        {"model": "base", "threads": 2, "clip": "noise", "copies": 1},
    ]
    first = document["benchmarks"][0]
    record = msgspec.convert(first["extra_info"]["whisper_bench"], CaseRecord)
    assert len(first["stats"]["data"]) == first["stats"]["rounds"] == 5
    assert [item.latency_s for item in record.rounds] == first["stats"]["data"]
    assert [item.process for item in record.rounds] == [1, 1, 1, 2, 2]
    assert [process.rounds for process in record.processes] == [3, 2]
    assert all(0 < item.wall_s < item.latency_s for item in record.rounds)
    names = [path.name.rpartition("_")[0] for path in results(pytester.path)]
    assert names == ["m4_base_noise", "m4_base_t2_noise"]
    result = load_results(results(pytester.path)[0])
    assert (result.iterations, result.cpu_model) == (5, "A test's chip")
    assert result.detail.record.backend.instruction_set
    assert not (pytester.path / "benchmark_results" / "journal").exists()
    outcome.stdout.fnmatch_lines(["*= whisper-bench =*", "case*CPU-s*", "base-t1-noise  5 in 2*"])
    outcome.stdout.fnmatch_lines(["*wrote benchmark_results/m4_base_t2_noise_*.json"])


def test_pytest_benchmark_goes_on_working(bench, pytester):
    for name in ("m4", "xeon"):
        bench(
            f"--benchmark-save={name}", "--whisper-rounds=2", "--whisper-processes=1",
            "--benchmark-histogram=plot", "--benchmark-json=out.json",
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
    assert (
        result.iterations,
        result.detail.record.threads,
        len(result.detail.record.processes),
    ) == (3, 2, 3)


def test_a_clip_whose_name_no_file_can_have_is_misuse(bench):
    outcome = bench("--whisper-clip=clips/.hidden.wav")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*--whisper-clip: 'clips/.hidden.wav': * begins with a dot; *"])


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
        ["*not saved: to save this run, repeat it with --benchmark-save=NAME --whisper-resume"]
    )
    assert results(pytester.path) == []


def test_collecting_and_helping_measure_nothing(bench, pytester):
    bench("--collect-only").stdout.fnmatch_lines(["*test_transcribe?base-t1-noise?*"])
    assert "FAILED" not in bench("--fixtures").stdout.str()
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


def test_machine_info_of_an_unknown_architecture_is_left_alone(monkeypatch, pytestconfig):
    from whisper_bench.errors import BenchError
    from whisper_bench.machine import identity as machine
    from whisper_bench.session import facts

    def unknown():
        raise BenchError("riscv64")

    monkeypatch.setattr(machine, "detect_architecture", unknown)
    assert facts.machine_info_of(pytestconfig) == {}


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
    assert (result.cpu_limit, result.detail.record.cpu_limit.source) == (1, "affinity")


def test_a_path_in_the_ini_file_starts_where_that_file_is(bench, pytester, monkeypatch):
    pytester.makeini("[pytest]\nwhisper_results = found\n")
    (pytester.path / "deep").mkdir()
    (pytester.path / "test_bench.py").rename(pytester.path / "deep" / "test_bench.py")
    monkeypatch.chdir(pytester.path / "deep")
    bench("--benchmark-save=m4", "--whisper-rounds=1").assert_outcomes(passed=1)
    assert len(list((pytester.path / "found").glob("*.json"))) == 1


def test_a_run_that_went_to_a_json_file_is_not_called_unsaved(bench, pytester):
    outcome = bench("--benchmark-json=out.json", "--whisper-rounds=1")
    assert "not saved" not in outcome.stdout.str()
    assert not (pytester.path / "benchmark_results" / "journal").exists()
    assert len(json.loads((pytester.path / "out.json").read_text())["benchmarks"]) == 1


def test_weights_are_hashed_and_clips_read_once_for_all_cases(bench, pytester):
    pytester.makeconftest(
        """
        import whisper_bench.case.clip, whisper_bench.weights.resolve as resolve
        hashed = []
        def counting(read):
            return lambda path: hashed.append(path.name) or read(path)
        resolve.hashed_files = counting(resolve.hashed_files)
        whisper_bench.case.clip._content_of = counting(whisper_bench.case.clip._content_of)
        def pytest_unconfigure():
            print("hashed", sorted(hashed))
        """
    )
    outcome = bench("--whisper-rounds=1", "--whisper-threads=1,2,3")
    outcome.assert_outcomes(passed=3)
    outcome.stdout.fnmatch_lines(["hashed ['base', 'noise.wav']"])
