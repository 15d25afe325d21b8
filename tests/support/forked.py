"""Runs of pytest in processes of their own, forked from one that has imported all they need.

As a program it is that one: a request a line on stdin, the exit status of its run on stdout.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.project import ADDOPTS, LIGHT

WITHOUT_WARNING = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"


class ForkServer:
    """Saves each run the second that a fresh interpreter takes to import what is always the same."""

    def __init__(self) -> None:
        path = [str(LIGHT), str(LIGHT.parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.forked"], env=self._environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def pytest(self, folder: Path, *arguments: str) -> pytest.RunResult:
        """Run pytest in a folder, with the variables of now."""
        start_s = time.monotonic()
        variables = {**os.environ, "PYTHONPATH": self._environment["PYTHONPATH"]}
        # coverage goes on in the fork; the workers are all alike, and tests/worker covers them
        variables.pop("COVERAGE_PROCESS_CONFIG", None)
        variables.setdefault("PYTEST_ADDOPTS", ADDOPTS)
        request = {"folder": str(folder), "arguments": arguments, "variables": variables}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        out, err = (
            (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
            for name in ("stdout", "stderr")
        )
        print(*out, *err, sep="\n")  # noqa: T201 - for the report of a test that fails
        return pytest.RunResult(status, out, err, time.monotonic() - start_s)

    def close(self) -> None:
        self._process.communicate()


def serve() -> None:
    """Fork a run for each request; what a run changes is gone with its process."""
    import pytest_benchmark.plugin  # noqa: F401
    import xdist.plugin  # noqa: F401

    import whisper_bench.plugin
    import whisper_bench.session.hooks  # noqa: F401

    for line in sys.stdin:
        if (run := os.fork()) == 0:
            _become(**json.loads(line))
            sys.exit(pytest.main())
        _, status = os.waitpid(run, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(folder: str, arguments: list[str], variables: dict[str, str]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    for descriptor, name in enumerate(("/dev/null", "stdout", "stderr")):
        opened = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.path.insert(0, folder)
    sys.argv = ["pytest", "-W", WITHOUT_WARNING, *arguments]


if __name__ == "__main__":
    serve()
