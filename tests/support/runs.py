"""Runs of the suite on the toy model, and what they leave behind."""

import json
import subprocess
import sys
import time
from pathlib import Path

SCRIPTS = Path(sys.executable).parent


def saved(folder, name="m4"):
    (path,) = folder.glob(f".benchmarks/*/*_{name}.json")
    return json.loads(path.read_text())


def results(folder):
    return sorted((folder / "benchmark_results").glob("*.json"))


TWENTY = ("--benchmark-save=m4", "--whisper-rounds=20", "--whisper-processes=4")
ENDLESS = ("--benchmark-save=m4", "--whisper-rounds=1000", "--whisper-processes=250")
"""For a run that is to be stopped, however late on a busy machine."""
ONE_ROUND = ("--whisper-rounds=1", "--whisper-processes=1")
PATIENCE_S = 300.0
"""For an event that takes a second on a quiet machine."""


def wait_until(condition, why_not):
    """Wait until a condition holds and return what it gave; say why where it never does."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < deadline_s, why_not()
        time.sleep(0.01)
    return value


def journal_lines(folder):
    lines = []
    for path in folder.glob("benchmark_results/journal/*.jsonl"):
        whole = path.read_bytes().rpartition(b"\n")[0]
        lines += [json.loads(line) for line in whole.splitlines()]
    return lines


def rounds_in(folder):
    return [line for line in journal_lines(folder) if line["type"] == "round"]


def command_of(pid):
    """Return the command line of a process; empty where it has ended, even if not reaped yet."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


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
        return journal_lines(self.folder)

    def rounds(self):
        return rounds_in(self.folder)

    def until(self, count):
        self._until(lambda: len(self.rounds()) >= count)

    def until_a_worker_runs(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        self._until(
            lambda: any(
                b"whisper_bench.worker" in command_of(pid) for pid in children.read_text().split()
            )
        )

    def until_workers_ended(self):
        pids = [line["ready"]["pid"] for line in self.lines() if line["type"] == "process"]
        wait_until(lambda: not any(map(command_of, pids)), lambda: f"one of {pids} runs on")

    def _until(self, condition):
        def holds():
            assert self.process.poll() is None, self.said()
            return condition()

        wait_until(holds, self.said)

    def said(self):
        return (self.folder / "log.txt").read_text()

    def end(self):
        self.process.wait(PATIENCE_S)
        self.log.close()
        return self.said()
