"""`--whisper-frames`: a run whose log carries its own saved file."""

import json

from whisper_bench.parcel.frames import human_lines
from whisper_bench.parcel.parcel import unpack

QUICK = ("--whisper-rounds=2", "--whisper-processes=1")


def test_the_log_carries_the_saved_run(bench, pytester, monkeypatch):
    monkeypatch.setenv("WHISPER_BENCH_NODE", "node-7")
    run = bench("--benchmark-save=xeon", "--whisper-frames", *QUICK)
    assert run.ret == 0
    (saved,) = pytester.path.glob(".benchmarks/*/0001_xeon.json")
    (parcel,), faults = unpack(run.stdout.str())
    assert not faults
    assert (parcel.folder, parcel.save_name) == (saved.parent.name, "xeon")
    assert parcel.saved == saved.read_text()
    assert json.loads(parcel.saved)["machine_info"]["node"] == "node-7"
    assert "wrote" in "\n".join(human_lines(run.stdout.str()))


def test_the_verdict_comes_behind_the_frames(bench):
    run = bench("--benchmark-save=xeon", "--whisper-frames", "--stress", *QUICK)
    lines = run.stdout.str().splitlines()
    (parcel,), _ = unpack(run.stdout.str())
    assert parcel.save_name == "xeon"
    assert lines[-1].startswith("stress test ")


def test_nothing_to_frame(bench):
    run = bench("--whisper-frames", *QUICK)
    assert run.ret == 4
    assert (
        "--whisper-frames prints the saved run, but no run will be saved as a file; add "
        "--benchmark-save=NAME"
    ) in run.stderr.str()


def test_nowhere_to_print_it(bench):
    run = bench("--benchmark-save=a", "--whisper-frames", "-p", "no:terminal", *QUICK)
    assert run.ret == 4


def test_without_the_option_the_log_has_none(bench):
    run = bench("--benchmark-save=a", *QUICK)
    assert unpack(run.stdout.str()) == ([], [])


def test_a_run_that_was_not_saved_is_not_green(bench, pytester):
    """Somebody takes the saved file away; a log without frames must not pass for a whole one."""
    pytester.makeconftest(
        "from pathlib import Path\n"
        "def pytest_benchmark_update_json(output_json): pass\n"
        "def pytest_sessionfinish():\n"
        "    for path in Path('.benchmarks').glob('*/*.json'): path.unlink()\n"
    )
    run = bench("--benchmark-save=a", "--whisper-frames", *QUICK)
    assert run.ret == 1
    assert "FAILED: --whisper-frames: no run was saved, so none printed" in run.stdout.str()
    assert unpack(run.stdout.str()) == ([], [])


def test_a_run_too_large_for_a_log_is_not_green(bench, monkeypatch, pytester):
    pytester.makeconftest("from whisper_bench.parcel import frames\nframes.MOST_FRAMES = 2\n")
    run = bench("--benchmark-save=a", "--whisper-frames", *QUICK)
    assert run.ret == 1
    assert "FAILED: --whisper-frames: the saved run has" in run.stdout.str()
    assert "run fewer rounds or cases at once" in run.stdout.str()


def test_a_save_name_with_signs_of_a_pattern(bench):
    run = bench("--benchmark-save=a[1]", "--whisper-frames", *QUICK)
    (parcel,), _ = unpack(run.stdout.str())
    assert parcel.save_name == "a[1]"
