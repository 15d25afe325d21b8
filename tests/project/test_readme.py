import re
import subprocess
import sys

from support.project import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_commands_are_one_line_to_paste_and_ci_runs_them():
    commands = re.findall(r"```sh\n(python3 .*)\n```", README)
    assert len(commands) == 2
    main, tests = commands
    assert "--benchmark-save=first" in main
    assert tests.endswith(".venv/bin/tox")
    ci = (ROOT / ".ci" / "run").read_text()
    wanted = re.findall(r"run_readme_command '([^']+)'", ci)
    assert len(wanted) == 2
    for text in wanted:
        actual = subprocess.run(
            ["grep", "-F", "-m1", "-e", text, str(ROOT / "README.md")],
            capture_output=True,
            text=True,
            check=True,
        )
        assert actual.stdout.strip() in (main, tests)


def test_every_option_is_in_the_reference_with_its_default(pytester):
    helped = pytester.runpytest_subprocess("--help").stdout.str()
    options = set(re.findall(r"--whisper-[a-z-]+", helped))
    assert options
    table = dict(re.findall(r"^\| `(--whisper-[a-z-]+)` \| `?([^`|]+?)`? \|", README, re.MULTILINE))
    assert set(table) == options
    for option, default in table.items():
        text = re.sub(r"\s+", " ", helped.partition(f"{option}=")[2])
        if default != "off":
            assert f"({default})" in text.partition("--whisper")[0]


def test_every_command_is_in_the_reference():
    helped = subprocess.run(
        [sys.executable, "-c", "from whisper_bench.cli import main; main(['--help'])"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    commands = re.findall(r"^    (\w+) ", helped, re.MULTILINE)
    assert commands
    for command in commands:
        assert f"`whisper-bench {command}" in README


def test_the_libraries_names_are_those_that_are_exported():
    import whisper_bench

    said = README.partition("### As a library")[2].partition("###")[0]
    for name in set(whisper_bench.__all__) - {"BenchError", "Result"}:
        assert f"`{name}`" in said


def test_links_lead_somewhere():
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "docs/measuring.md",
        "docs/ratio.md",
        "docs/sizing.md",
        "docs/throttling.md",
        "docs/sample/README.md",
    ):
        path = ROOT / name
        for target in re.findall(r"\]\((?!http|#)([^)#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{name}: {target}"


def test_pytest_benchmark_compare_wants_no_extra():
    """It loads tests/conftest.py from this folder: without the extras it must go on working."""
    program = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "sys.modules |= dict.fromkeys(['hypothesis', 'kubernetes', 'scipy', 'ciw', 'xdist'])\n"
        "import conftest"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
