"""The plugin in fresh pytest processes, on the toy model: what a user types and sees."""

import json
import os
import signal
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


class Running:
    """A run in the background, watched through its journal."""

    def __init__(self, pytester, arguments):
        self.folder = pytester.path
        self.log = (self.folder / "log.txt").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=self.folder, stdout=self.log, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def lines(self):
        found = []
        for path in (self.folder / "benchmark_results" / "journal").glob("*.jsonl"):
            whole = path.read_bytes().rpartition(b"\n")[0]
            found += [json.loads(line) for line in whole.splitlines()]
        return found

    def rounds(self):
        return [line for line in self.lines() if line["type"] == "round"]

    def until(self, count):
        deadline_s = time.monotonic() + 60
        while len(self.rounds()) < count:
            assert time.monotonic() < deadline_s, self.end()
            assert self.process.poll() is None, self.end()
            time.sleep(0.01)

    def worker_pids(self):
        return [line["ready"]["pid"] for line in self.lines() if line["type"] == "process"]

    def end(self):
        self.process.wait(60)
        self.log.close()
        return (self.folder / "log.txt").read_text()


@pytest.fixture
def running(pytester, toy_arguments, bench):
    started = []

    def start(*arguments):
        started.append(Running(pytester, [*toy_arguments, *arguments]))
        return started[-1]

    yield start
    for run in started:
        if run.process.poll() is None:
            run.process.kill()
        run.end()


TWENTY = ("--benchmark-save=m4", "--whisper-rounds=20", "--whisper-processes=4")


def test_kill_9_loses_no_finished_round_and_resume_goes_on(running, bench, pytester):
    run = running(*TWENTY)
    run.until(7)
    run.process.send_signal(signal.SIGKILL)
    run.end()
    kept = [line["latency_s"] for line in run.rounds()]
    assert len(kept) >= 7
    assert not list(pytester.path.glob(".benchmarks/*/*.json"))
    for pid in run.worker_pids():
        assert (
            not Path(f"/proc/{pid}/cmdline").exists()
            or not Path(f"/proc/{pid}/cmdline").read_bytes()
        )
    outcome = bench(*TWENTY, "--whisper-resume")
    outcome.assert_outcomes(passed=1)
    outcome.stdout.fnmatch_lines([f"resuming m4_*.jsonl: {len(kept)} rounds are there already"])
    samples = saved(pytester.path)["benchmarks"][0]["stats"]["data"]
    assert samples[: len(kept)] == kept
    assert len(samples) == 20
    (path,) = results(pytester.path)
    result = load_results(path)
    assert (result.iterations, result.detail.resumed_rounds) == (20, len(kept))
    assert sum(process.rounds for process in result.detail.processes) == 20
    assert not run.lines()  # the journal is gone once all is saved


def test_rounds_that_are_all_there_are_saved_without_measuring_again(running, bench, pytester):
    run = running(*TWENTY)
    run.until(3)
    run.process.send_signal(signal.SIGKILL)
    run.end()
    kept = [line["latency_s"] for line in run.rounds()]
    bench("--benchmark-save=m4", "--whisper-rounds=2", "--whisper-resume").assert_outcomes(passed=1)
    assert saved(pytester.path)["benchmarks"][0]["stats"]["data"] == kept
    assert not run.lines()


def test_a_journal_whose_transcripts_differ_is_not_gone_on_from(running, bench):
    run = running(*TWENTY)
    run.until(2)
    run.process.send_signal(signal.SIGKILL)
    run.end()
    (journal,) = (run.folder / "benchmark_results" / "journal").glob("*.jsonl")
    text = run.rounds()[1]["measured"]["transcription"]["text"]
    first, found, rest = journal.read_text().partition(json.dumps(text, ensure_ascii=False))
    journal.write_text(first + '"another text"' + rest)
    assert found
    outcome = bench(*TWENTY, "--whisper-resume")
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(
        ["base-t1-noise, process *: the transcript differs from that of *"]
    )


def test_resume_refuses_another_setting_and_says_which(running, bench):
    run = running(*TWENTY)
    run.until(1)
    run.process.send_signal(signal.SIGKILL)
    run.end()
    outcome = bench(*TWENTY, "--whisper-resume", "--whisper-compute-type=float32")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*had compute_type 'int8', this one has 'float32'*"])
    told = bench("--benchmark-save=m4", "--whisper-rounds=1")
    told.stdout.fnmatch_lines(
        ["an unfinished run of 'm4' is kept in *--whisper-resume would go on*"]
    )
    assert run.rounds()


def test_ctrl_c_keeps_what_was_measured(running, pytester):
    run = running(*TWENTY)
    run.until(6)
    run.process.send_signal(signal.SIGINT)
    log = run.end()
    assert run.process.returncode == pytest.ExitCode.INTERRUPTED
    assert "INTERNALERROR" not in log
    samples = saved(pytester.path)["benchmarks"][0]["stats"]["data"]
    assert 6 <= len(samples) < 20
    assert samples == [line["latency_s"] for line in run.rounds()]
    (path,) = results(pytester.path)
    warnings = load_results(path).detail.warnings
    assert f"{len(samples)} of 20 rounds: the run was interrupted" in warnings
    assert "--whisper-resume goes on from it" in log


def test_ctrl_c_before_the_first_round(running, pytester):
    run = running(*TWENTY, "--whisper-warmup-rounds=50")
    while not list((pytester.path / "benchmark_results").glob("journal/*.jsonl")):
        time.sleep(0.01)
    time.sleep(0.5)
    run.process.send_signal(signal.SIGINT)
    log = run.end()
    assert run.process.returncode == pytest.ExitCode.INTERRUPTED
    assert "INTERNALERROR" not in log
    assert "Error" not in log
    assert results(pytester.path) == []


def test_a_killed_worker_fails_its_case_and_the_rest_goes_on(running, pytester):
    run = running(*TWENTY, "--whisper-threads=1,2")
    run.until(2)
    os.kill(run.worker_pids()[0], signal.SIGKILL)
    log = run.end()
    assert run.process.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 1 passed" in log
    assert "base-t1-noise: the worker process" in log
    assert "ended by SIGKILL in round" in log
    assert "out of memory is the usual cause" in log
    assert [each["params"]["threads"] for each in saved(pytester.path)["benchmarks"]] == [2]
    (path,) = results(pytester.path)
    assert "_t2_" in path.name
    assert "--whisper-resume goes on from it" in log


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


@pytest.fixture
def disk(pytester):
    """Return a function that mounts a real file system of the given size."""
    folder = pytester.path / "disk"
    folder.mkdir()

    def mount(size, *, again=False):
        if os.geteuid() != 0:
            pytest.skip("a small file system needs root to mount it")
        options = f"{'remount,' if again else ''}size={size}"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if subprocess.run(command, check=False).returncode != 0:
            pytest.skip("this machine mounts no tmpfs")
        return folder

    yield mount
    subprocess.run(["umount", str(folder)], check=False)


def test_a_storage_that_fills_up_keeps_every_round_for_the_resume(bench, disk, pytester):
    folder = disk("4k")
    pytester.makeconftest(  # another session saves meanwhile
        f"""
        def pytest_runtest_teardown(item):
            for path in __import__("pathlib").Path({str(folder)!r}).iterdir():
                (path / "0007_other.json").write_text("{{}}")
        """
    )
    arguments = (
        "--benchmark-save=m4",
        "--whisper-rounds=3",
        f"--benchmark-storage=file://{folder}",
    )
    outcome = bench(*arguments)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        ["FAILED: the run could not be saved: *No space left*--whisper-resume*"]
    )
    assert [path.name for path in folder.glob("**/*.json")] == ["0007_other.json"]
    disk("1m", again=True)
    resumed = bench(*arguments, "--whisper-resume")
    resumed.stdout.fnmatch_lines(["resuming *: 3 rounds are there already"])
    assert len(list(folder.glob("*/*_m4.json"))) == 1


def test_a_journal_that_fills_up_fails_its_case_and_can_be_resumed(bench, disk, pytester):
    folder = disk("16k")
    arguments = ("--benchmark-save=m4", "--whisper-rounds=20", f"--whisper-results={folder}")
    outcome = bench(*arguments)
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(["*journal *: No space left on device; free the disk*"])
    disk("1m", again=True)
    resumed = bench(*arguments, "--whisper-resume")
    resumed.assert_outcomes(passed=1)
    (path,) = folder.glob("*.json")
    result = load_results(path)
    assert result.iterations == 20
    assert 0 < result.detail.resumed_rounds < 20
    assert len(saved(pytester.path)["benchmarks"][0]["stats"]["data"]) == 20


def test_results_that_cannot_be_written_turn_the_run_red(bench, disk, pytester):
    folder = disk("64k")
    pytester.makeconftest(
        f"""
        def pytest_runtest_teardown(item):
            with open({str(folder / "ballast")!r}, "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(bytes(4096))
                except OSError:
                    pass
        """
    )
    arguments = ("--benchmark-save=m4", "--whisper-rounds=2", f"--whisper-results={folder}")
    outcome = bench(*arguments)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        [
            "kept *journal/m4_*: --whisper-resume goes on from it",
            "FAILED: cannot write *No space left*",
        ]
    )
    assert len(saved(pytester.path)["benchmarks"]) == 1
    assert list(folder.glob("*.json")) == []


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


def test_resuming_some_cases_keeps_the_rounds_of_the_others(running, bench, pytester):
    run = running(*TWENTY, "--whisper-rounds=3", "--whisper-threads=1,2")
    run.until(5)
    run.process.send_signal(signal.SIGKILL)
    run.end()
    second = [line for line in run.rounds() if line["case"]["threads"] == 2]
    assert second
    bench("--benchmark-save=m4", "--whisper-rounds=3", "--whisper-resume").assert_outcomes(passed=1)
    assert [line for line in run.rounds() if line["case"]["threads"] == 2] == second
    both = (
        "--benchmark-save=m4",
        "--whisper-rounds=3",
        "--whisper-threads=1,2",
        "--whisper-resume",
    )
    bench(*both).assert_outcomes(passed=2)
    assert not run.lines()


def test_a_resume_under_another_instruction_set_is_refused(running, bench, pytester, monkeypatch):
    run = running(*TWENTY)
    run.until(2)
    run.process.send_signal(signal.SIGKILL)
    run.end()
    monkeypatch.setenv("CT2_FORCE_CPU_ISA", "GENERIC")
    outcome = bench(*TWENTY, "--whisper-resume")
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(["*they are not one case: measure again with the same*"])
    assert run.rounds()


def test_a_run_without_a_name_can_be_saved_afterwards(bench, pytester):
    bench("--whisper-rounds=2").assert_outcomes(passed=1)
    outcome = bench("--whisper-rounds=2", "--benchmark-save=m4", "--whisper-resume")
    outcome.stdout.fnmatch_lines(["resuming unsaved_*: 2 rounds are there already"])
    assert load_results(results(pytester.path)[0]).iterations == 2


def test_a_journal_that_is_being_written_is_not_taken_over(running, bench):
    run = running(*TWENTY)
    run.until(2)
    outcome = bench(*TWENTY, "--whisper-resume")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*another run is writing it; wait for its end*"])


def test_a_refused_start_leaves_no_journal(bench, pytester):
    outcome = bench("--benchmark-json=absent/out.json")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert not (pytester.path / "benchmark_results").exists()


def test_a_path_in_the_ini_file_starts_where_that_file_is(bench, pytester, monkeypatch):
    pytester.makeini("[pytest]\nwhisper_results = found\n")
    (pytester.path / "deep").mkdir()
    (pytester.path / "test_bench.py").rename(pytester.path / "deep" / "test_bench.py")
    monkeypatch.chdir(pytester.path / "deep")
    bench("--benchmark-save=m4", "--whisper-rounds=1").assert_outcomes(passed=1)
    assert len(list((pytester.path / "found").glob("*.json"))) == 1
