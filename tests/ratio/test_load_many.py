"""Many saved runs: loaded by several processes as by one, and refused alike."""

import multiprocessing
import os
import shutil
import signal

import pytest

from support.project import ROOT
from whisper_bench.errors import BenchError
from whisper_bench.ratio import load_many
from whisper_bench.ratio.load import load_file
from whisper_bench.ratio.load_many import load_files

SAMPLE = next((ROOT / "docs" / "sample").glob("*/0001_avx2.json"))
MANY = 120
AT = 70


@pytest.fixture
def paths(tmp_path):
    """Return MANY saved runs; as runs they would be refused, since they are one."""
    made = [tmp_path / f"{number:04}_run{number}.json" for number in range(1, MANY + 1)]
    for path in made:
        shutil.copy(SAMPLE, path)
    return made


@pytest.fixture
def two_cpus(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.mark.usefixtures("two_cpus")
def test_many_runs_are_those_of_their_files_in_their_order(paths):
    assert load_files(paths) == [load_file(path) for path in paths]


@pytest.mark.usefixtures("two_cpus")
def test_the_first_broken_file_of_many_is_named(paths):
    paths[AT].write_text("{")
    paths[-1].write_text("")
    with pytest.raises(BenchError, match=paths[AT].name):
        load_files(paths)


def _end_a_worker(before, path, command):
    if os.getpid() != command:
        os.kill(os.getpid(), signal.SIGKILL)
    return before(path)


@pytest.mark.usefixtures("two_cpus")
@pytest.mark.skipif(
    multiprocessing.get_start_method() != "fork", reason="a worker would not see the fault"
)
def test_a_worker_that_is_killed_costs_time_and_no_run(paths, monkeypatch):
    before, command = load_file, os.getpid()
    monkeypatch.setattr(load_many, "load_file", lambda path: _end_a_worker(before, path, command))
    assert len(load_files(paths)) == MANY


def test_runs_of_one_case_share_what_they_say_of_it(paths):
    first, second = load_files(paths[:2])
    assert first.cases[0].identity is second.cases[0].identity
    assert first.cases[0].setting is second.cases[0].setting


def test_workers_leave_ctrl_c_to_the_command():
    before = signal.getsignal(signal.SIGINT)
    try:
        load_many._leave_interrupts()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
