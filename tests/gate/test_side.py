"""A side of a gate: what a word of the command line names, and how a process of it is started."""

import subprocess

import pytest

from support.gates import conditions
from whisper_bench.errors import BenchError
from whisper_bench.gate.side import Side, SideKind, launch, side_of


@pytest.fixture
def places(home):
    """What the words below may name."""
    for name in (".venv", "venv"):
        (home / name / "bin").mkdir(parents=True)
        (home / name / "bin" / "pytest").write_text("#!/bin/sh\n")
        (home / name / "pyvenv.cfg").write_text("")
    (home / "half" / "bin").mkdir(parents=True)
    (home / "half" / "pyvenv.cfg").write_text("")
    (home / "measure.sh").write_text("#!/bin/sh\n")
    return home


SIDES = {
    "image:whisper-bench:main": (SideKind.IMAGE, "whisper-bench:main"),
    "whisper-bench:main": (SideKind.IMAGE, "whisper-bench:main"),
    "registry:5000/a/suite:1": (SideKind.IMAGE, "registry:5000/a/suite:1"),
    "suite@sha256:0ac1": (SideKind.IMAGE, "suite@sha256:0ac1"),
    "suite": (SideKind.IMAGE, "suite"),
    "venv:.venv": (SideKind.VENV, ".venv"),
    ".venv": (SideKind.VENV, ".venv"),
    "venv": (SideKind.VENV, "venv"),
    "command:run": (SideKind.COMMAND, "run"),
    "command:pytest a::b": (SideKind.COMMAND, "pytest a::b"),
    ".venv/bin/pytest benchmarks": (SideKind.COMMAND, ".venv/bin/pytest benchmarks"),
    "A=1 pytest 'a b'": (SideKind.COMMAND, "A=1 pytest 'a b'"),
    "./measure.sh": (SideKind.COMMAND, "./measure.sh"),
}


@pytest.mark.parametrize("word", SIDES)
def test_what_a_word_names(places, word):
    side = side_of(word)
    assert (side.kind, side.text) == SIDES[word]


def test_a_long_command_is_one(places):
    """Longer than a file's name may be."""
    word = f"{'A=1 ' * 99}pytest benchmarks"
    assert side_of(word) == Side(SideKind.COMMAND, word)


REFUSED = {
    "": "'': nothing is named",
    "  ": "'  ': nothing is named",
    "image:": "'image:': nothing is named",
    "venv:": "'venv:': nothing is named",
    "command: ": "'command: ': nothing is named",
    "venv:absent": "no absent/bin/pytest; make it with python -m venv absent",
    "half": "no half/bin/pytest; make it",
    "saved:main": "only the baseline can be saved runs",
}


@pytest.mark.parametrize("word", REFUSED)
def test_what_names_nothing_is_refused_with_the_remedy(places, word):
    with pytest.raises(BenchError) as caught:
        side_of(word)
    assert REFUSED[word] in str(caught.value)
    assert "give an image (image:whisper-bench:new), a virtual env" in str(caught.value)


def test_an_image_runs_alone_under_the_limit_and_is_known_by_name(tmp_path):
    start = launch(
        Side(SideKind.IMAGE, "suite:new"), conditions(options=["--whisper-beam-size=1"]), tmp_path
    )
    engine, run, *options = start.argv[: start.argv.index("suite:new")]
    (name,) = (item.partition("=")[2] for item in options if item.startswith("--name="))
    assert (engine, run) == ("docker", "run")
    assert {"--rm", "--init", "--cpus=1", "--network=none", "--read-only"} <= set(options)
    assert "--env=WHISPER_BENCH_NODE=node-7" in options
    assert start.cleanup == ["docker", "rm", "--force", "--volumes", name]
    suite = start.argv[start.argv.index("suite:new") + 1 :]
    assert {"--whisper-rounds=2", "--whisper-processes=1", "--whisper-frames"} <= set(suite)
    assert {f"--benchmark-save={start.save_name}", "--whisper-beam-size=1"} <= set(suite)
    # another limit than the image's own is demanded in it, too; its folders are its own
    assert "--whisper-cpu-limit=1" in suite
    assert not any(str(tmp_path) in item for item in suite)


def test_two_containers_have_two_names(tmp_path):
    side = Side(SideKind.IMAGE, "suite:new")
    first, second = (launch(side, conditions(), tmp_path) for _ in range(2))
    assert first.cleanup != second.cleanup
    assert first.save_name != second.save_name


@pytest.mark.parametrize(("cpus", "options"), [(None, []), (0.5, ["--whisper-cpu-limit=0.5"])])
@pytest.mark.parametrize("kind", [SideKind.VENV, SideKind.COMMAND])
def test_an_environment_and_a_command_make_the_limit_themselves(tmp_path, kind, cpus, options):
    start = launch(Side(kind, ".venv"), conditions(cpus=cpus), tmp_path)
    assert [item for item in start.argv if "cpu-limit" in item] == options
    assert {f"--benchmark-storage={tmp_path}", f"--whisper-results={tmp_path}"} <= set(start.argv)
    assert start.cleanup is None


def test_an_image_without_a_limit(tmp_path):
    start = launch(Side(SideKind.IMAGE, "suite:new"), conditions(cpus=None), tmp_path)
    assert not any("cpus" in item for item in start.argv)


def test_an_environments_own_pytest_runs_the_suite(tmp_path):
    start = launch(Side(SideKind.VENV, ".venv"), conditions(suite="bench/suite"), tmp_path)
    assert start.argv[:2] == [".venv/bin/pytest", "bench/suite"]


@pytest.mark.parametrize(
    "command",
    [
        "WORD='two words' sh 'told here.sh'",
        'cd . && WORD="two words" sh ./told\\ here.sh',
        "env WORD='two words' sh 'told here.sh'",
    ],
)
def test_variables_and_quotes_mean_what_they_do_in_a_terminal(home, command):
    (home / "told here.sh").write_text('printf "%s\\n" "$WORD" "$@"\n')
    side = side_of(command)
    options = ["--whisper-clip=a b.wav", "--whisper-models=$HOME;'"]
    start = launch(side, conditions(options=options), home)
    message = subprocess.run(start.argv, capture_output=True, text=True, check=True).stdout
    word, *given = message.splitlines()
    assert word == "two words"
    assert given[-2:] == options
    assert given[0] == "--whisper-rounds=2"
