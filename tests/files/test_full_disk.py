"""Disks that fill up, real ones: nothing is half written, and every round can be gone on from."""

import subprocess
from functools import partial

import pytest

from support.disks import mount_disk
from support.runs import results, saved
from whisper_bench.results.files import load_results


@pytest.fixture
def disk(pytester):
    """Return a function that mounts a real file system of the given size."""
    folder = pytester.path / "disk"
    folder.mkdir()
    yield partial(mount_disk, folder)
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
    resumed.stdout.fnmatch_lines(["resuming *: 3 rounds are already measured"])
    assert len(list(folder.glob("*/*_m4.json"))) == 1
    # the run that could not be saved had its result file already
    assert len(results(pytester.path)) == 1


def test_a_full_disk_before_the_first_round_names_no_rounds_to_go_on_from(bench, disk):
    folder = disk("16k")
    (folder / "other").write_bytes(b"0" * 16384)
    outcome = bench("--benchmark-save=m4", f"--whisper-results={folder}")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["ERROR: results folder *disk: *No space left*--whisper-results*"])
    assert "--whisper-resume" not in outcome.stderr.str()
    assert not list(folder.glob("journal/*"))


def test_a_journal_that_fills_up_fails_its_case_and_can_be_resumed(toy_bench, disk, pytester):
    folder = disk("16k")
    arguments = (
        "--benchmark-save=m4",
        "--whisper-rounds=20",
        "--whisper-processes=1",
        f"--whisper-results={folder}",
    )
    outcome = toy_bench(*arguments)
    outcome.assert_outcomes(failed=1)
    outcome.stdout.fnmatch_lines(["*journal *: No space left on device; free the disk*"])
    disk("1m", again=True)
    resumed = toy_bench(*arguments, "--whisper-resume")
    resumed.assert_outcomes(passed=1)
    (path,) = folder.glob("*.json")
    result = load_results(path)
    assert result.iterations == 20
    assert 0 < result.detail.record.resumed_rounds < 20
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
            "kept *journal/m4_*: --whisper-resume continues from it",
            "FAILED: cannot write *No space left*",
        ]
    )
    assert len(saved(pytester.path)["benchmarks"]) == 1
    assert list(folder.glob("*.json")) == []
    (folder / "ballast").unlink()
    pytester.makeconftest("")
    resumed = bench(*arguments, "--whisper-resume")
    assert resumed.ret == 0
    resumed.stdout.fnmatch_lines(["this run is already saved in *: it is not saved again*"])
    assert len(saved(pytester.path)["benchmarks"]) == 1  # and it is the one file of that name
    assert len(list(folder.glob("*.json"))) == 1
    assert not (folder / "journal").exists()
