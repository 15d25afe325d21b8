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
