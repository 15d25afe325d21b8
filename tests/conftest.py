"""Shared fixtures: the real base weights, a toy model, small clips, and pytest runs on them."""

import contextlib
import functools
import importlib
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode: helpers are imported by name

from support.clusters import (
    apiserver,  # noqa: F401 - fixtures, all of them
    kubectl,  # noqa: F401
    kubelet,  # noqa: F401
    namespace,  # noqa: F401
    runs,  # noqa: F401
    where,  # noqa: F401
)
from support.engines import engine, image  # noqa: F401 - fixtures
from support.forked import ForkServer
from support.project import ADDOPTS, BENCHMARK, GOLDEN, write_wav
from support.runs import Running
from support.toy import build_toy
from support.untraced import untraced

# a shell's background job ignores Ctrl-C, one of nohup's a hang-up, and so would all that tests start
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

IMAGE = ("tests/image/", "tests/gate/test_image_side.py")
"""Tests of these share an image that takes minutes to build."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Have one worker run all tests of the image, so that it is built once.

    xdist's own groups (`--dist loadgroup`) write into a field that items of pytest 9.2 do not have.
    """
    from xdist.scheduler import LoadScopeScheduling

    class OneForTheImage(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return "image" if nodeid.startswith(IMAGE) else nodeid

    return OneForTheImage(config, log)


# `pytest-benchmark compare` loads this file as well, where the extra `tests` need not be there
with contextlib.suppress(ModuleNotFoundError):
    from hypothesis import settings

    # how long an example takes is the neighbour's doing as well; timings live in benchmarks/
    settings.register_profile("suite", deadline=None, max_examples=40)
    settings.register_profile("thorough", deadline=None, max_examples=100)
    settings.load_profile(os.environ.get("WHISPER_BENCH_EXAMPLES", "suite"))


@pytest.fixture(scope="session")
def drawing_untraced():
    """matplotlib writes an SVG in Python alone, and none of it is ours."""
    from matplotlib.figure import Figure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", untraced(Figure.savefig))
        yield


@pytest.fixture(scope="module")
def one_parser():
    """Build the command line's parser once for many commands: it costs more than most of them."""
    command_line = importlib.import_module("whisper_bench.cli.main")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command_line, "_parser", functools.cache(command_line._parser))
        yield


@pytest.fixture(scope="session")
def base_weights():
    """The real base weights, from the registry's packages or wherever they are found."""
    from whisper_bench.errors import BenchError
    from whisper_bench.weights.resolve import resolve_weights

    try:
        return resolve_weights("base")
    except BenchError as error:
        # without the real weights there is no main path to test, and no tokenizer for the toy
        pytest.skip(
            reason=f"the real base weights are not here, neither by the extra `weights` nor from "
            f"the hub: {error}"
        )


@pytest.fixture(scope="session")
def toy_dir(tmp_path_factory, base_weights):
    """A --whisper-model-dir whose base is the toy."""
    folder = tmp_path_factory.mktemp("models")
    build_toy(folder / "base", Path(base_weights.folder))
    return folder


@pytest.fixture(scope="session")
def toy_clip(tmp_path_factory):
    """One second of quiet noise, without a text; its language is written, and not detected."""
    noise = np.random.default_rng(7).normal(scale=300, size=16_000).astype("<i2")
    clip = write_wav(tmp_path_factory.mktemp("clips") / "noise.wav", noise.tobytes())
    clip.with_suffix(".json").write_text('{"language": "vi"}', encoding="utf-8")
    return clip


@pytest.fixture(scope="session")
def toy_arguments(toy_dir, toy_clip):
    """What makes a run quick: the toy, a short clip, greedy decoding, no warm-up."""
    return [
        f"--whisper-model-dir={toy_dir}",
        "--whisper-allow-unpinned",
        f"--whisper-clip={toy_clip}",
        "--whisper-beam-size=1",
        "--whisper-warmup-rounds=0",
        "--whisper-cpu-model=A test's chip",
    ]


@pytest.fixture
def pytester(pytester, monkeypatch):
    """pytester, whose processes do without what they have no use for and would load for a second.

    Under xdist they are no workers of its either: pytest-benchmark would take them for some.
    """
    monkeypatch.setenv("PYTEST_ADDOPTS", ADDOPTS)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    return pytester


@pytest.fixture
def toy_bench(pytester, toy_arguments):
    """Run the suite on the toy in a fresh pytest process, in a folder of its own."""
    pytester.makepyfile(test_bench=BENCHMARK)

    def run(*arguments):
        return pytester.runpytest_subprocess(
            "-p", "no:cacheprovider", *toy_arguments, *map(str, arguments)
        )

    return run


@pytest.fixture(scope="session")
def fork_server():
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture
def bench(pytester, toy_arguments, fork_server):
    """As `toy_bench`, in a fifth of the time: forked, and the library that decodes is a double."""
    pytester.makepyfile(test_bench=BENCHMARK)

    def run(*arguments):
        return fork_server.pytest(
            pytester.path, "-p", "no:cacheprovider", *toy_arguments, *map(str, arguments)
        )

    return run


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder to be in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def golden():
    """Hold lines of text to a file in tests/golden; WHISPER_BENCH_GOLDEN=write makes it anew."""

    def check(name, lines):
        path = GOLDEN / name
        text = "\n".join(lines) + "\n"
        if os.environ.get("WHISPER_BENCH_GOLDEN") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return check


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
