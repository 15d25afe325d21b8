"""A run that was killed after it had been saved: the resume finishes it and saves nothing twice."""

import json
import shutil
import signal

import pytest

from support.runs import results, saved
from whisper_bench.cli import main
from whisper_bench.errors import BenchError
from whisper_bench.ratio.load import load_run
from whisper_bench.ratio.merge import merge_runs
from whisper_bench.results.files import load_results
from whisper_bench.saved.find import every_saved

TWO = ("--benchmark-save=m4", "--whisper-rounds=2", "--whisper-processes=2")
KILL = "import os, signal\ndef kill(*_, **__): os.kill(os.getpid(), signal.SIGKILL)\n"


def killed_at(name):
    """Have the session killed where a function of the suite would be called."""
    return f"{KILL}import {name.rpartition('.')[0].removesuffix('.Journal')}\n{name} = kill\n"


PLACES = {
    "before it has its name": (0, killed_at("whisper_bench.saved.number.claim")),
    "once it is saved": (
        1,
        KILL + "import pytest\n@pytest.hookimpl(tryfirst=True)\ndef pytest_sessionfinish(): kill()",
    ),
    "before the result files": (1, killed_at("whisper_bench.session.hooks.save_all_results")),
    "before the journal is deleted": (
        1,
        killed_at("whisper_bench.measure.journal.Journal.discard"),
    ),
}


def all_saved(folder):
    return sorted(folder.glob(".benchmarks/*/*.json"))


def journals(folder):
    return list(folder.glob("benchmark_results/journal/*"))


def killed(bench, pytester, place):
    """Run, be killed, and return what was saved by then."""
    pytester.makeconftest(place)
    assert bench(*TWO).ret == -signal.SIGKILL
    pytester.makeconftest("")
    assert len(journals(pytester.path)) == 1
    return all_saved(pytester.path)


@pytest.mark.parametrize("place", PLACES)
def test_kill_9_after_the_rounds_leaves_one_saved_run(bench, pytester, place):
    count, conftest = PLACES[place]
    paths = killed(bench, pytester, conftest)
    assert len(paths) == count
    before = [path.read_bytes() for path in paths]
    resumed = bench(*TWO, "--whisper-resume")
    resumed.assert_outcomes(passed=1)
    assert resumed.ret == 0
    (path,) = all_saved(pytester.path)
    if before:
        assert path.read_bytes() == before[0]
        resumed.stdout.fnmatch_lines(["this run is already saved in *0001_m4.json: *"])
    (result,) = results(pytester.path)
    assert load_results(result).iterations == 2
    assert not journals(pytester.path)
    assert bench(*TWO, "--whisper-resume").ret == pytest.ExitCode.USAGE_ERROR
    assert len(all_saved(pytester.path)) == 1


def test_a_run_that_was_killed_once_saved_counts_once_beside_another(bench, pytester, monkeypatch):
    killed(bench, pytester, PLACES["once it is saved"][1])
    bench(*TWO, "--whisper-resume").assert_outcomes(passed=1)
    bench(*TWO).assert_outcomes(passed=1)
    monkeypatch.chdir(pytester.path)
    merged = merge_runs([load_run(path) for path in every_saved("m4")])
    assert [case.runs for case in merged.cases] == [2]


def cut(content, share):
    return content[: int(share * len(content))]


@pytest.mark.parametrize("share", [0, 0.02, 0.5, 0.99])
def test_a_half_written_file_is_taken_away_by_the_resume(bench, pytester, share):
    """Left by a version, or a tool, that writes in place."""
    (path,) = killed(bench, pytester, PLACES["once it is saved"][1])
    path.write_bytes(cut(path.read_bytes(), share))
    other = path.with_name("0007_other.json")
    other.write_bytes(b'{"benchmarks": [')
    resumed = bench(*TWO, "--whisper-resume")
    resumed.assert_outcomes(passed=1)
    resumed.stdout.fnmatch_lines(["removed *0001_m4.json: it was incomplete, and all its rounds *"])
    assert len(saved(pytester.path)["benchmarks"][0]["stats"]["data"]) == 2
    assert [item.name for item in all_saved(pytester.path)] == ["0007_other.json", "0008_m4.json"]
    assert not journals(pytester.path)


def test_a_half_written_file_without_a_journal_is_told_with_its_remedy(tmp_path):
    path = tmp_path / "m" / "0001_m4.json"
    path.parent.mkdir()
    for content in (b"", b'{"machine_info": {'):
        path.write_bytes(content)
        with pytest.raises(
            BenchError, match=r"0001_m4.json: it is (empty|cut short).*or delete the file"
        ):
            load_run("m4", tmp_path)


def test_copies_of_a_run_are_refused_by_all_runs_and_both_are_named(home, capsys, sample_run):
    folder = home / ".benchmarks" / "machine"
    folder.mkdir(parents=True)
    for name in ("0001_m4", "0002_m4"):
        shutil.copy(sample_run, folder / f"{name}.json")
    assert main(["ratio", "m4", "m4", "--all-runs"]) == 2
    message = capsys.readouterr().err
    assert "0001_m4.json and .benchmarks/machine/0002_m4.json hold the same rounds" in message
    assert "move .benchmarks/machine/000" in message


def test_a_run_whose_case_fails_again_when_it_is_resumed_is_saved_once(bench, pytester):
    fails = (
        "import os\n"
        "from whisper_bench.errors import BenchError\n"
        "from whisper_bench.session.bench import Bench\n"
        "real = Bench.measurement\n"
        "def measurement(self, case):\n"
        "    if case.threads == 2: raise BenchError('no memory')\n"
        "    return real(self, case)\n"
        "Bench.measurement = measurement\n"
    )
    pytester.makeconftest(fails)
    arguments = (*TWO, "--whisper-threads=1,2")
    for resume in ([], ["--whisper-resume"]):
        run = bench(*arguments, *resume)
        run.assert_outcomes(passed=1, failed=1)
        assert [path.name for path in all_saved(pytester.path)] == ["0001_m4.json"]
        assert len(results(pytester.path)) == 1
        assert len(journals(pytester.path)) == 1
    run.stderr.fnmatch_lines(["These rounds are already saved in: *0001_m4.json"])
    pytester.makeconftest("")
    bench(*arguments, "--whisper-resume").stdout.fnmatch_lines(
        ["*0001_m4.json holds a part of these rounds: delete it*"]
    )
    assert [path.name for path in all_saved(pytester.path)] == ["0001_m4.json", "0002_m4.json"]
    assert not journals(pytester.path)


@pytest.mark.parametrize("names", [("m4", "xeon"), ("m4", "xeon", "other")])
def test_a_copy_under_another_name_is_not_another_machine(home, capsys, sample_run, names):
    folder = home / ".benchmarks" / "machine"
    folder.mkdir(parents=True)
    for number, name in enumerate(names, start=1):
        shutil.copy(sample_run, folder / f"000{number}_{name}.json")
    assert main(["ratio", *names]) == 2
    message = capsys.readouterr().err
    assert "0001_m4.json and .benchmarks/machine/0002_xeon.json hold the same rounds" in message
    assert not (home / "benchmark_results").exists()


@pytest.fixture
def sample_run(pytestconfig):
    return min((pytestconfig.rootpath / "docs" / "sample").glob("*/*.json"))


def test_a_run_that_was_interrupted_saved_and_resumed_is_no_second_run(bench, pytester):
    # it is saved with what it had, and its journal is kept
    program = (
        "import whisper_bench.measure.measurement as m\n"
        "real = m.Measurement.after_round\n"
        "def after(self, latency_s):\n"
        "    real(self, latency_s)\n"
        "    if len(self.finished.rounds) == 1: raise KeyboardInterrupt\n"
        "m.Measurement.after_round = after\n"
    )
    pytester.makeconftest(program)
    assert bench(*TWO).ret == pytest.ExitCode.INTERRUPTED
    pytester.makeconftest("")
    assert len(all_saved(pytester.path)) == 1
    resumed = bench(*TWO, "--whisper-resume")
    resumed.stdout.fnmatch_lines(
        ["*0001_m4.json holds a part of these rounds: delete it*--all-runs*"]
    )
    first, second = all_saved(pytester.path)
    with pytest.raises(
        BenchError, match="0001_m4.json and .*0002_m4.json hold the same rounds"
    ) as caught:
        merge_runs([load_run(first), load_run(second)], allow_mismatch=["cases"])
    assert f"move {first} out" in str(caught.value)


def test_a_run_that_is_saved_under_another_name_is_not_saved_under_a_second(bench, pytester):
    bench("--whisper-rounds=1").assert_outcomes(passed=1)
    pytester.makeconftest(PLACES["once it is saved"][1])
    given = ("--whisper-rounds=1", "--whisper-resume")
    assert bench(*given, "--benchmark-save=m4").ret == -signal.SIGKILL
    pytester.makeconftest("")
    refused = bench(*given, "--benchmark-save=xeon")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(["*is already saved as *0001_m4.json; *--benchmark-save=m4*"])
    bench(*given, "--benchmark-save=m4").assert_outcomes(passed=1)
    assert len(all_saved(pytester.path)) == 1
    assert not journals(pytester.path)


def test_a_clock_that_is_set_back_loses_no_results(bench, pytester):
    pytester.makeconftest(
        "import time\n"
        "real = time.time\n"
        "time.time = lambda: real() + 86_400\n"
        "def pytest_runtest_teardown(item): time.time = real\n"
    )
    run = bench(*TWO, "--whisper-frames")
    assert run.ret == 0
    run.stdout.fnmatch_lines(["*whisper-bench-frame*"])
    assert len(results(pytester.path)) == 1


def test_a_json_file_of_ones_own_is_whole_and_a_pipe_is_written(bench, pytester):
    (pytester.path / "out.json").write_text("old")
    bench("--whisper-rounds=1", "--benchmark-json=out.json").assert_outcomes(passed=1)
    assert len(json.loads((pytester.path / "out.json").read_text())["benchmarks"]) == 1
    (other := pytester.path / "pipe").symlink_to("/dev/null")
    for path in ("/dev/stderr", other):
        run = bench("--whisper-rounds=1", f"--benchmark-json={path}")
        run.assert_outcomes(passed=1)
    assert other.is_symlink()


def test_a_journal_that_cannot_be_deleted_is_told_and_the_run_is_green(bench, pytester):
    pytester.makeconftest(
        "import pathlib\n"
        "real = pathlib.Path.unlink\n"
        "def unlink(path, **settings):\n"
        "    if path.suffix == '.jsonl': raise PermissionError(13, 'Permission denied')\n"
        "    real(path, **settings)\n"
        "pathlib.Path.unlink = unlink\n"
    )
    run = bench("--benchmark-save=m4", "--whisper-rounds=1")
    assert run.ret == 0
    run.stdout.fnmatch_lines(
        ["WARNING: journal *: Permission denied; its rounds are saved: delete it"]
    )
    assert len(results(pytester.path)) == 1
