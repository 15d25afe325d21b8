"""What a command imports: a library that takes long to load only where it is used."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from whisper_bench.cli import main
try:
    status = main(sys.argv[2:])
except SystemExit as error:
    status = error.code
print(status, *sorted({*sys.argv[1].split(",")} & {*sys.modules}), file=sys.stderr)
"""
HEAVY = (
    *("pandas", "numpy", "matplotlib", "jsonschema", "kubernetes", "huggingface_hub", "jiwer"),
    *("ctranslate2", "faster_whisper", "av", "ruamel.yaml", "pytest"),
)
ALL_RUNS = ("--all-runs", "--allow-mismatch", "tokens")
SIZE = ("size", "avx", "--model", "base", "--target-rps", "0.05", "--slo-p95", "60s")


@pytest.fixture
def storage(pytestconfig, home):
    (home / ".benchmarks").symlink_to(pytestconfig.rootpath / "docs" / "sample")
    (home / "deployment.yaml").symlink_to(pytestconfig.rootpath / "k8s" / "deployment.yaml")
    return pytestconfig.rootpath / "docs" / "sample"


def imported(*words, heavy=HEAVY):
    """Return a command's exit status, and which libraries are loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, ",".join(heavy), *map(str, words)],
        capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    status, *libraries = done.stderr.splitlines()[-1].split()
    return int(status), set(libraries)


@pytest.mark.parametrize("words", [["--help"], ["ratio", "--help"], ["size", "avx"]], ids=" ".join)
def test_help_and_misuse_load_nothing(home, words):
    _, libraries = imported(*words, heavy=(*HEAVY, "msgspec", "importlib.metadata"))
    assert libraries == set()


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        (("ratio", "0003", "0002"), set()),
        (("ratio", "avx2", "avx", "generic", *ALL_RUNS), set()),
        (("results", "avx"), set()),
        (("throttling", "avx"), set()),
        ((*SIZE, "--check", "--deployment", "deployment.yaml"), {"numpy", "ruamel.yaml"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_loads_only_what_it_uses(storage, words, needed):
    _, libraries = imported(*words)
    assert libraries == needed


def test_predicting_loads_nothing(storage):
    assert imported("ratio", "0003", "0002") == (0, set())
    assert imported("predict", "0004") == (0, set())


def test_collecting_a_log_loads_no_client(storage):
    assert imported("k8s", "collect", storage / "fleet" / "node-avx.log") == (0, set())


def test_the_html_alone_draws(storage):
    status, libraries = imported(*SIZE)
    assert status == 0
    assert "matplotlib" in libraries
    assert "pandas" not in libraries


def test_weights_are_looked_for_without_loading_them(base_weights):
    status, libraries = imported("weights", "find", "base")
    assert status == 0
    assert libraries <= {"huggingface_hub"}
