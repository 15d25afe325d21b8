"""Ctrl-C in any command, at any place: 130, no traceback, and no half of a file."""

import itertools
import json
import math
import signal
import subprocess
import sys

import pytest

from whisper_bench.cli import main

SCRIPT = "import sys\nfrom whisper_bench.cli import main\nsys.exit(main())\n"
"""What an installer makes of the entry point."""
AT_AN_IMPORT = """
import signal, sys
module, words = sys.argv[1], sys.argv[2:]
pressed = []
def press(event, details):
    if event == "import" and details[0] == module and not pressed:
        pressed.append(module)
        signal.raise_signal(signal.SIGINT)
sys.addaudithook(press)
sys.argv[1:] = words
"""
COMMANDS = {
    "ratio": ("ratio", "avx", "generic", "--all-runs"),
    "results": ("results", "avx"),
    "throttling": ("throttling", "avx"),
    "size": ("size", "avx", "--model", "base", "--target-rps", "2", "--slo-p95", "60s"),
    "predict": ("predict", "avx"),
    "weights": ("weights", "find", "base"),
    "gate": ("gate", "saved:avx", "command:true"),
    "k8s": ("k8s", "collect", "-"),
}


HANGS_S = 600
"""Nothing here takes so long, however busy the machine is."""


@pytest.fixture
def storage(pytestconfig, home):
    folder = pytestconfig.rootpath / "docs" / "sample"
    (home / ".benchmarks").symlink_to(folder)
    return folder


def ended(program, *words, cwd=None):
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=cwd, capture_output=True, text=True, timeout=HANGS_S, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "module",
    [
        "argparse",
        "whisper_bench.errors",
        "whisper_bench.cli.main",
        "whisper_bench.cli.gate",
        "whisper_bench.cli.weights",
    ],
)
def test_ctrl_c_while_the_command_line_is_imported_exits_130(module):
    done = ended(AT_AN_IMPORT + SCRIPT, module, "ratio", "--help")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_ctrl_c_that_an_import_swallows_exits_130(home):
    swallowing = AT_AN_IMPORT.replace(
        "signal.raise_signal(signal.SIGINT)",
        """
        try: signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt: pass""",
    )
    done = ended(swallowing + SCRIPT, "argparse", "ratio", "--help")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_import_that_fails_gives_its_own_error(home):
    failing = AT_AN_IMPORT.replace("signal.raise_signal(signal.SIGINT)", "raise ImportError('bad')")
    done = ended(failing + SCRIPT, "argparse", "ratio", "--help")
    assert done.returncode == 1
    assert done.stderr.endswith("ImportError: bad\n")


@pytest.mark.parametrize(
    ("command", "module"),
    [
        ("ratio", "whisper_bench.ratio.calculate"),
        ("size", "whisper_bench.sizing.simulate"),
        ("size", "matplotlib"),
        ("results", "whisper_bench.results.convert"),
        ("throttling", "whisper_bench.throttling.judge"),
        ("predict", "whisper_bench.ratio.predict"),
        ("weights", "whisper_bench.weights.resolve"),
        ("gate", "whisper_bench.gate.absolute"),
        ("k8s", "whisper_bench.cluster.fetch"),
    ],
)
def test_ctrl_c_while_a_command_imports_exits_130_and_writes_nothing(
    storage, home, command, module
):
    done = ended(AT_AN_IMPORT + SCRIPT, module, *COMMANDS[command])
    assert done.returncode == 130
    assert done.stderr.endswith(("interrupted\n", "is decided\n", "is collected\n"))
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert [path.name for path in home.iterdir()] == [".benchmarks"]


def pressed_at(place, words):
    """Run a command in this process, press at the given line of our code; return its status."""
    lines = itertools.count()

    def trace(frame, event, _argument):
        if "whisper_bench" not in frame.f_code.co_filename:
            return None
        inside = not frame.f_code.co_filename.endswith("interrupt.py")
        if inside and event == "line" and next(lines) in {place, place + 1, place + 3}:
            signal.raise_signal(signal.SIGINT)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return main(words)
    finally:
        sys.settrace(before)


@pytest.mark.parametrize(
    "words", [COMMANDS["ratio"], COMMANDS["results"]], ids=["ratio", "results"]
)
def test_ctrl_c_at_any_line_gives_no_traceback_and_no_half_file(
    storage, home, capsys, monkeypatch, words
):
    # a second press would end this process; however slow the machine is, these are the same one
    monkeypatch.setattr("whisper_bench.interrupt._SAME_PRESS_S", math.inf)
    main(list(words))
    whole = {path.name: path.stat().st_size for path in home.glob("benchmark_results/*")}
    # every line of the start, then further and further apart
    places = [*range(3, 30), *(int(30 * 1.35**power) for power in range(1, 22))]
    statuses = set()
    for place in places:
        capsys.readouterr()
        status = pressed_at(place, list(words))
        statuses.add(status)
        assert status in {0, 130}
        assert "Traceback" not in capsys.readouterr().err
        actual = {path.name: path.stat().st_size for path in home.glob("benchmark_results/*")}
        assert actual.keys() <= whole.keys()
    assert 130 in statuses
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_with_json_gives_an_error_in_json(storage, capsys, monkeypatch):
    def press(*_arguments, **_settings):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("whisper_bench.saved.find.find_saved", press)
    assert main([*COMMANDS["results"], "--json"]) == 130
    out, err = capsys.readouterr()
    assert json.loads(out) == {"error": "interrupted"}
    assert err == "whisper-bench results: interrupted\n"


def test_ctrl_c_turned_into_an_import_error_exits_130(storage, capsys, monkeypatch):
    """As extension modules do, whose start fails."""

    def press(*_arguments, **_settings):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as error:
            raise ImportError("initialization failed") from error

    monkeypatch.setattr("whisper_bench.saved.find.find_saved", press)
    assert main(list(COMMANDS["results"])) == 130
    assert capsys.readouterr().err == "whisper-bench: interrupted\n"


def test_an_error_that_is_no_interruption_is_raised(storage, monkeypatch):
    def broken(*_arguments, **_settings):
        raise ZeroDivisionError

    monkeypatch.setattr("whisper_bench.saved.find.find_saved", broken)
    with pytest.raises(ZeroDivisionError):
        main(list(COMMANDS["results"]))


def test_ctrl_c_after_the_answer_changes_neither_output_nor_status(storage):
    program = (
        "import atexit, signal\natexit.register(signal.raise_signal, signal.SIGINT)\n" + SCRIPT
    )
    done = ended(program, *COMMANDS["throttling"])
    plain = ended(SCRIPT, *COMMANDS["throttling"])
    assert (done.returncode, done.stdout, done.stderr) == (
        plain.returncode, plain.stdout, plain.stderr,
    )  # fmt: skip


def test_misuse_exits_2_with_the_value(home):
    done = ended(SCRIPT, "nonsense")
    assert done.returncode == 2
    assert "invalid choice: 'nonsense'" in done.stderr
