"""What stops `whisper-bench gate` before a side is run, with option, value and remedy."""

import json
from pathlib import Path

import msgspec
import pytest

from support.samples import LIMIT
from whisper_bench.cli import main
from whisper_bench.cli.gate_options import rules_of
from whisper_bench.cli.main import _parser
from whisper_bench.errors import BenchError
from whisper_bench.gate.files import remove_older
from whisper_bench.machine.cpu_limit import WHOLE_TREE


@pytest.mark.parametrize(
    ("options", "named", "remedy"),
    [
        (["--max-slowdown=0"], "--max-slowdown 0:", "above 0"),
        (["--max-slowdown=1"], "--max-slowdown 1:", "up to 100 %"),
        (["--max-slowdown=ten"], "--max-slowdown ten:", "give a share"),
        (["--max-slowdown=10%%"], "--max-slowdown 10%%:", "give a share"),
        (["--max-pairs=3"], "--max-pairs 3:", "4 to 32"),
        (["--max-pairs=5"], "--max-pairs 5:", "even number"),
        (["--max-pairs=1e1"], "--max-pairs 1e1:", "whole number"),
        (["--max-pairs="], "--max-pairs '':", "give one, or leave it out"),
        (["--rounds="], "--rounds '':", "give one, or leave it out"),
        (["--rounds=0"], "--rounds 0:", "1 to 1000"),
        (["--cpus=nan"], "--cpus nan:", "0.01 or more, or none"),
        (["--cpus=one"], "--cpus one:", "number of CPUs"),
        (["--timeout=0s"], "--timeout 0s:", "above 0"),
        (["--timeout=soon"], "--timeout soon:", "5s"),
        (["--memory-limit=much"], "--memory-limit much:", "448Mi"),
        (["--max-age-days=30"], "--max-age-days:", "--ratio-config"),
        (["--ratio-config=r.json", "--max-age-days=-1"], "--max-age-days -1:", "number of days"),
        (["--allow-mismatch=speed"], "--allow-mismatch speed:", "model_sha256"),
        (["--allow-mismatch=cases"], "--allow-mismatch cases:", "renamed"),
        (["--sizing=-h"], "--sizing '-h':", "whisper-bench size"),
        (["--sizing=xeon --target-rps 1 --cpus-per-node 0"], "--cpus-per-node 0:", "above 0"),
        (["--sizing=xeon"], "--sizing 'xeon':", "whisper-bench size"),
        (["--sizing", "xeon 'a"], '--sizing "xeon \'a":', "closing quotation"),
        (["word"], "word:", "after --"),
    ],
)
def test_misuse_exits_2_with_option_and_value_before_any_side_runs(
    measuring, gate, options, named, remedy
):
    status, _, err = gate(*options)
    assert (status, measuring.order) == (2, [])
    assert named in err
    assert remedy in err.partition(named)[2]


def test_max_slowdown_takes_a_share_or_percent(measuring, gate):
    gate("--max-slowdown=0.25")
    assert json.loads(Path("benchmark_results/gate.json").read_text())["limit"] == 0.25
    gate("--max-slowdown=25%")
    assert json.loads(Path("benchmark_results/gate.json").read_text())["limit"] == 0.25


def test_cpus_none_is_refused_for_an_image_and_demands_no_limit_of_a_command(
    measuring, gate, monkeypatch
):
    status, _, err = gate("--cpus", "none")
    assert (status, measuring.order) == (2, [])
    assert "image" in err.partition("--cpus none: ")[2]
    status, out, _ = gate("--cpus", "none", sides=["command:main", "command:new"])
    assert status == 0
    assert "ok   threads: within the limit (1 CPU)" in out


def test_a_results_folder_that_cannot_be_written_is_misuse(measuring, gate, home):
    (home / "taken").write_text("")
    status, _, err = gate("--results", "taken")
    assert (status, measuring.order) == (2, [])
    assert "cannot be written in taken" in err


def test_a_folder_in_the_place_of_gate_json_is_misuse(measuring, gate):
    Path("benchmark_results/gate.json").mkdir(parents=True)
    status, _, err = gate()
    assert (status, measuring.order) == (2, [])
    assert "folder" in (said := err.partition("benchmark_results/gate.json: ")[2])
    assert "move it" in said


def test_an_older_gate_that_may_not_be_removed_is_an_error(home, monkeypatch):
    def refused(_path, **_settings):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(BenchError, match=r"gate\.json: .*older gate.*Permission denied"):
        remove_older(home)


def test_words_behind_dashes_are_misuse_of_a_command_that_takes_none(capsys):
    with pytest.raises(SystemExit):
        main(["ratio", "a", "b", "--", "--whisper-rounds=1"])
    assert "unrecognized arguments: -- --whisper-rounds=1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "tree", "seen"),
    [
        (None, WHOLE_TREE, True),
        ("", WHOLE_TREE, True),
        ("unix:///run/docker.sock", WHOLE_TREE, True),
        ("tcp://elsewhere:2375", WHOLE_TREE, False),
        (None, "the groups above are hidden", False),
        (None, None, False),
    ],
)
def test_control_groups_of_containers_are_known_beside_their_engine(monkeypatch, host, tree, seen):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    if host is not None:
        monkeypatch.setenv("DOCKER_HOST", host)
    limit = msgspec.structs.replace(LIMIT, tree=tree)
    monkeypatch.setattr("whisper_bench.machine.cpu_limit.cpu_limit_in_force", lambda: limit)
    assert rules_of(_parser().parse_args(["gate", "a", "b"])).tree_seen is seen
