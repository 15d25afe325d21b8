"""What the documentation shows is what the tool prints."""

import re
import shlex

import pytest

from support.project import ROOT
from whisper_bench.cli import main

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```console\n\$ whisper-bench (.+)\n((?:.*\n)*?)```")


def examples():
    for path in sorted((ROOT / "docs").glob("*.md")):
        for command, shown in BLOCK.findall(path.read_text(encoding="utf-8")):
            yield pytest.param(command, shown, id=f"{path.name}: {command}")


@pytest.fixture
def checkout(tmp_path, monkeypatch, drawing_untraced):
    """A folder that has the documentation in it, and is written to in its stead."""
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def expanded(command):
    for word in shlex.split(command):
        actual = sorted(ROOT.glob(word)) if "*" in word else []
        yield from [str(path.relative_to(ROOT)) for path in actual] or [word]


@pytest.mark.parametrize(("command", "shown"), list(examples()))
def test_an_example_prints_what_is_shown(checkout, capsys, command, shown):
    arguments = list(expanded(command))
    if arguments[0] == "predict":
        assert main(["ratio", "avx", "generic", "--all-runs", "--storage", "docs/sample"]) == 0
        capsys.readouterr()
        # the sample grows old, and its ratio stale
        arguments += ["--max-age-days", "36500"]
    if "node-avx2" in arguments:
        logs = expanded("docs/sample/fleet/*.log")
        assert main(["k8s", "collect", *logs]) == 0
        capsys.readouterr()
    main(arguments)
    printed = capsys.readouterr()
    dated = re.compile(r"the ratio of \d{4}-\d\d-\d\d")
    assert dated.sub("", printed.out + printed.err) == dated.sub("", shown)


def test_the_map_names_every_module():
    """A command's file has the command's name."""
    words = {
        word.removesuffix(".py").rstrip("/")
        for word in re.findall(r"`([\w./]+)`", (ROOT / "docs" / "architecture.md").read_text())
    }
    modules = (ROOT / "plugins" / "whisper_bench").rglob("*.py")
    named = {item for item in modules if not item.stem.startswith("__")}
    commands = {item for item in named if f"whisper-bench {item.stem}" in README}
    assert sorted(str(item) for item in named - commands if item.stem not in words) == []


def test_the_docs_have_examples():
    assert len(list(examples())) >= 4


def test_the_samples_sizing_report_is_what_the_tool_makes(checkout):
    given = "size generic --storage docs/sample --model base --target-rps 0.5 --slo-p95 20s"
    shipped = ROOT / "docs" / "sample"
    (checkout / "deployment.yaml").write_bytes((ROOT / "k8s" / "deployment.yaml").read_bytes())
    assert main([*given.split(), "--deployment", "deployment.yaml"]) == 0
    made = (checkout / "deployment.yaml").read_bytes()
    assert made == (shipped / "deployment.yaml").read_bytes()
    pages = [folder / "sizing_report.md" for folder in (checkout, shipped)]
    message = [
        [line for line in page.read_text(encoding="utf-8").splitlines() if "| Made " not in line]
        for page in pages
    ]
    assert message[0] == message[1]


def test_no_document_has_a_placeholder():
    for path in sorted((ROOT / "docs").rglob("*.md")):
        assert not re.search(r"@[A-Z]+@", path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("name", ["run", "stress", "ratio", "gate"])
def test_a_picture_shows_a_command_that_worked(name):
    picture = (ROOT / "docs" / f"{name}.svg").read_text(encoding="utf-8").replace("&#160;", " ")
    lines = re.findall(r">([^<>]*)</text>", picture)
    assert len(lines) > 10
    assert not [line for line in lines if re.search("command not found|Traceback", line)]
