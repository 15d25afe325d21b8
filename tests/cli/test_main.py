import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.documents import encoded, save
from support.project import ROOT
from whisper_bench.cli import main


def test_results_writes_the_result_files_of_a_saved_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save(tmp_path, ".benchmarks/Linux-A/0001_m4.json", encoded(0.5, 0.5))
    assert main(["results", "m4"]) == 0
    assert capsys.readouterr().out == (
        "from .benchmarks/Linux-A/0001_m4.json\n"
        "benchmark_results/m4_base_2026-11-24.json  500.0 ms  2.0000 rps  2 rounds\n"
    )
    assert main(["results", "0001", "--json", "--results", "elsewhere"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["saved_run"] == ".benchmarks/Linux-A/0001_m4.json"
    assert document["results"][0]["file"] == "elsewhere/m4_base_2026-11-24.json"
    assert document["results"][0]["result"]["rps"] == 2.0


def test_throttling_prints_table_and_verdict_of_a_saved_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save(tmp_path, ".benchmarks/Linux-A/0001_m4.json", encoded(*[4.5] * 12))
    assert main(["throttling", "m4"]) == 0
    out = capsys.readouterr().out
    assert "0/120" in out
    assert out.splitlines()[-1].startswith("stress test passed: base-t1-vi_30s OK; only one number")


def test_a_missing_run_exits_2_with_its_name_and_place(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["results", "m4"]) == 2
    assert capsys.readouterr().err.startswith("whisper-bench results: no saved run 'm4' in .bench")


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["results"], ["weights", "find", "huge"]])
def test_misuse_exits_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: whisper-bench" in capsys.readouterr().err


def test_weights_find_prints_the_weights(base_weights, capsys):
    assert main(["weights", "find", "base"]) == 0
    assert capsys.readouterr().out == (
        f"base  {base_weights.source}  sha256 {base_weights.sha256}  {base_weights.folder}\n"
    )
    assert main(["weights", "find", "base", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["weights"][0]["name"] == "base"


def test_version_is_the_packages_and_in_the_changelog(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == "0.1.0\n"
    assert "0.1.0" in (ROOT / "CHANGELOG.md").read_text()


def test_a_missing_library_exits_2_with_what_to_install(tmp_path):
    program = (
        "import sys; sys.modules['ruamel.yaml'] = None\n"
        "from whisper_bench.cli import main\n"
        f"where = ['--storage', '{ROOT}/docs/sample', '--model', 'base']\n"
        "sys.exit(main(['size', 'generic', *where, '--target-rps', '0.1', '--slo-p95', '60s']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "whisper-bench size: ruamel.yaml" in done.stderr
    assert "pip install pytest-whisper-bench (the image only measures)" in done.stderr


COMMAND = "import sys; from whisper_bench.cli import main; sys.exit(main(sys.argv[1:]))"
FULL = Path("/dev/full")


def ended(*arguments, **streams):
    """Run a command in a process of its own, which has streams of its own."""
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    run = [sys.executable, "-c", COMMAND, *arguments]
    return subprocess.run(run, cwd=ROOT, text=True, check=False, **both)


@pytest.fixture
def closed_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.fixture
def full_disk():
    if not FULL.exists():
        # macOS has no such device; that a full disk is told is the same code there
        pytest.skip(reason=f"no {FULL} here, which is Linux's disk that is always full")
    with FULL.open("wb") as file:
        yield file


@pytest.mark.parametrize("words", ["avx generic", "avx generic --json", "avx none --json"])
def test_a_closed_pipe_exits_141_without_a_traceback(words, closed_pipe, tmp_path):
    """As in `whisper-bench ratio avx generic | head -1`: no traceback, and no answer of its own."""
    where = ["--storage", "docs/sample", "--results", str(tmp_path)]
    done = ended("ratio", *words.split(), "--all-runs", *where, stdout=closed_pipe)
    assert done.returncode == 141
    assert done.stderr.splitlines()[-1].startswith(
        "whisper-bench ratio: the reader closed the pipe "
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_full_disk_behind_stdout_exits_2_with_the_remedy(options, full_disk):
    done = ended("throttling", "avx", "--storage", "docs/sample", *options, stdout=full_disk)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("whisper-bench throttling: standard output: No space left on device; ")
    assert "free the disk" in line


@pytest.mark.parametrize("end", ["closed_pipe", "full_disk"])
def test_a_closed_or_full_stderr_does_not_change_the_status(end, request):
    """It decides nothing: the exit status is the command's, and not that of the lost lines."""
    done = ended("results", "none", "--json", stderr=request.getfixturevalue(end))
    assert done.returncode == 2
    assert "no saved run" in json.loads(done.stdout)["error"]
