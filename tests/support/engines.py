"""A container engine and this project's image in it: session fixtures for tests/conftest.py.

Which engine: WHISPER_BENCH_ENGINE names a script (`start DIR`, `base DIR TAG`, `stop DIR`) that
starts one where none runs, with its data in WHISPER_BENCH_ENGINE_DIR, kept for the next run, or in
a folder that is removed; else a docker that runs is used. WHISPER_BENCH_IMAGE names a built image.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from support.project import ROOT

PUBLIC_BASE = "python:3.11-slim-bookworm"
OWN_BASE = "whisper-bench-test:base"
BUILT = "whisper-bench-test:built"
_STOP_S = 300


@dataclass(frozen=True, slots=True)
class Engine:
    """docker's command line, spoken to one daemon; `script` and `folder` where it is ours."""

    script: Path | None = None
    folder: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def docker(self, *arguments, timeout_s=300):
        """Run docker; the caller looks at the exit status."""
        return subprocess.run(
            ["docker", *map(str, arguments)],
            env={**os.environ, **self.environment, "DOCKER_BUILDKIT": "0"},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def run(self, image, *arguments, options=(), timeout_s=600):
        """Run a container that leaves nothing behind, also where it takes too long."""
        name = f"whisper-bench-test-{uuid4().hex}"
        command = ("run", "--rm", "--name", name, *options, image, *arguments)
        try:
            return self.docker(*command, timeout_s=timeout_s)
        except BaseException:
            self.docker("kill", name)
            raise

    def has(self, image):
        return self.docker("image", "inspect", image).returncode == 0


def _why_no_own_engine():
    if sys.platform != "linux" or os.getuid() != 0:
        return "WHISPER_BENCH_ENGINE starts an engine only for root on Linux"
    missing = [name for name in ("dockerd", "docker", "debootstrap") if not shutil.which(name)]
    return f"no {', '.join(missing)} here (Debian: docker.io, debootstrap)" if missing else None


def _script(engine_script, *arguments, timeout_s, environment=None):
    """Run the engine's script; a file takes its output, since the daemon keeps it open."""
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [str(engine_script), *map(str, arguments)],
            env={**os.environ, **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
        )
        output.seek(0)
        said = output.read()
    assert done.returncode == 0, said
    return said


@contextmanager
def _folder():
    """Give the engine's folder to one test session at a time; it is kept where it was named."""
    named = os.environ.get("WHISPER_BENCH_ENGINE_DIR")
    # a short path: sockets in it have room for 107 bytes
    folder = Path(named or tempfile.mkdtemp(prefix="whisper-bench-engine-"))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            _unmount(folder)
            if not named:
                shutil.rmtree(folder)


def _unmount(folder):
    """Take away what dockerd leaves mounted; what is in a mount must not be removed."""
    for mounted in reversed(_mounts(folder)):
        subprocess.run(["umount", mounted], check=False)
    assert not _mounts(folder), f"still mounted in {folder}, so it is left there"


def _mounts(folder):
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return [point for point in points if point.startswith(f"{folder}/")]


def _stop(script, folder):
    with suppress(FileNotFoundError):  # no pid file: it has ended by itself
        process = Path("/proc") / (folder / "pid").read_text().strip()
        _script(script, "stop", folder, timeout_s=_STOP_S)
        deadline_s = time.monotonic() + _STOP_S
        while process.exists() and time.monotonic() < deadline_s:
            time.sleep(0.1)
        assert not process.exists(), f"dockerd of {folder} does not stop; see {folder}/log"


@pytest.fixture(scope="session")
def engine():
    """Give a running container engine, started for this session where a script is named."""
    script = os.environ.get("WHISPER_BENCH_ENGINE")
    if not script:
        running = Engine()
        if not shutil.which("docker") or running.docker("info").returncode:
            pytest.skip(
                reason="no docker runs here, and WHISPER_BENCH_ENGINE names no script to start it; "
                ".ci/run names one where it lies beside the checkout"
            )
        yield running
        return
    if missing := _why_no_own_engine():
        pytest.skip(reason=f"no container engine can be started here: {missing}")
    with _folder() as folder:
        try:
            host = _script(script, "start", folder, timeout_s=_STOP_S).split()[-1]
            yield Engine(Path(script), folder, {"DOCKER_HOST": host})
        finally:
            _stop(script, folder)


@pytest.fixture(scope="session")
def image(engine):
    """Give the name of this project's image, built once a session from this checkout."""
    if named := os.environ.get("WHISPER_BENCH_IMAGE"):
        assert engine.has(named), f"WHISPER_BENCH_IMAGE={named} is not in this engine"
        return named
    base = _base(engine)
    done = engine.docker(
        "build", "--network=host", f"--build-arg=BASE_IMAGE={base}", f"--tag={BUILT}", ROOT,
        timeout_s=900,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr}"
    return BUILT


def _base(engine):
    if engine.script is None:
        if not engine.has(PUBLIC_BASE):
            pulled = engine.docker("pull", PUBLIC_BASE, timeout_s=300)
            if pulled.returncode:
                pytest.skip(
                    reason=f"{PUBLIC_BASE} cannot be pulled here, for want of an image registry or "
                    f"a network: {pulled.stderr.strip()}"
                )
        return PUBLIC_BASE
    if not engine.has(OWN_BASE):
        _script(
            engine.script, "base", engine.folder, OWN_BASE,
            timeout_s=600, environment=engine.environment,
        )  # fmt: skip
    return OWN_BASE
