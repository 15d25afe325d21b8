"""A blank value, as of a variable that is not set in a CI job: misuse, never a default or no limit."""

import argparse
import warnings

import pytest

from support.project import BENCHMARK
from whisper_bench.cli import gate
from whisper_bench.cli.main import _parser, main
from whisper_bench.cluster.client import Cluster
from whisper_bench.errors import BenchError
from whisper_bench.machine.identity import NODE_VARIABLE, node_name
from whisper_bench.session import options
from whisper_bench.session.config import BenchConfig
from whisper_bench.session.guard import check_blanks
from whisper_bench.variables import variable
from whisper_bench.weights.cache import CACHE_VARIABLE, cache_folder

pytestmark = pytest.mark.usefixtures("one_parser")
BLANKS = ("", "  ", "\t")
NAMES = [name for name, _, _ in options._OPTIONS]
VALID = {name: default for name, default, _ in options._OPTIONS} | {
    "language": "vi", "model-dir": ".", "cpu-limit": "1", "cpu-model": "chip", "reference": "m4",
    "allow-mismatch": "tokens",
}  # fmt: skip
LISTS = ("models", "threads", "clip", "allow-mismatch")


def leaves(parser, path=()):
    """Yield every command with its parser, those of `k8s` and `weights` as well."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield from leaves(child, (*path, name))
            return
    yield path, parser


def name_of(action):
    return action.option_strings[-1] if action.option_strings else action.metavar or action.dest


# what comes after -- is the suite's own
VALUES = [
    pytest.param(path, action, id=" ".join((*path, name_of(action))))
    for path, parser in leaves(_parser())
    for action in parser._actions
    if action.nargs != 0 and action.dest != "arguments"
]

FIRST_VALUES = list({value.values[0]: value for value in reversed(VALUES)}.values())
"""One of each command."""


@pytest.fixture
def ended(pytester):
    """Run a suite that ends before anything is measured, in this process."""
    pytester.makepyfile(test_bench=BENCHMARK)

    def run(*arguments):
        with warnings.catch_warnings():
            warnings.simplefilter("default")  # -W error is for this session, not for the user's
            return pytester.runpytest_inprocess("-p", "no:cacheprovider", *arguments)

    return run


def only(config, name, given):
    """Set one option of the plugin, and no other."""
    vars(config.option).update(dict.fromkeys(map(options._key, NAMES)))
    setattr(config.option, options._key(name), given)


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_option_of_the_plugin_is_misuse(pytester, blank):
    config = pytester.parseconfig(*(f"--whisper-{name}={blank}" for name in NAMES))
    parsed = {name: config.getoption(options._key(name)) for name in NAMES}
    for name in NAMES:
        only(config, name, parsed[name])
        with pytest.raises(pytest.UsageError, match=rf"--whisper-{name} .*give at least one value"):
            BenchConfig.of(config)


def test_a_blank_ini_key_is_misuse(pytester):
    pytester.makeini("\n".join(["[pytest]", *(f"{options._key(name)} =" for name in NAMES)]))
    config = pytester.parseconfig()
    for name, value in VALID.items():
        setattr(config.option, options._key(name), value)
    assert BenchConfig.of(config).models == ("base",)
    for name in NAMES:
        key = options._key(name)
        setattr(config.option, key, None)
        with pytest.raises(pytest.UsageError, match=rf"\({key}\).*give at least one"):
            BenchConfig.of(config)
        setattr(config.option, key, VALID[name])


def test_a_blank_switch_in_the_ini_file_is_misuse(pytester):
    switches = {"stress": "stress", "whisper-resume": "resume", "whisper-frames": "frames"}
    pytester.makeini("\n".join(["[pytest]", *(f"whisper_{key} =" for key in switches.values())]))
    config = pytester.parseconfig()
    for option, key in switches.items():
        for other in switches:
            setattr(config.option, other.replace("-", "_"), None if other == option else False)
        with pytest.raises(
            pytest.UsageError, match=rf"--{option} \(whisper_{key}\).*write true or false"
        ):
            BenchConfig.of(config)


@pytest.mark.parametrize("text", ["a,,b", ",a", "a,", "a, ,b"])
def test_a_missing_value_in_a_list_is_misuse(pytester, text):
    config = pytester.parseconfig(*(f"--whisper-{name}={text}" for name in LISTS))
    for name in LISTS:
        with pytest.raises(
            pytest.UsageError, match=rf"--whisper-{name} .*a value in the list is missing"
        ):
            options.words(config, name)


@pytest.mark.parametrize("text", ["base, small", "\n  base\n  small", "\n  base,\n\n  small\n"])
def test_a_list_is_split_at_commas_and_lines(pytester, text):
    pytester.makeini(f"[pytest]\nwhisper_models ={' ' if text[0] != chr(10) else ''}{text}\n")
    assert options.words(pytester.parseconfig(), "models") == ("base", "small")


def test_options_that_are_left_out_have_their_defaults(pytester):
    config = pytester.parseconfig()
    for name, default, _ in options._OPTIONS:
        assert options.text_of(config, name) == default


def test_a_blank_limit_stops_the_run_before_anything_is_measured(ended, pytester):
    outcome = ended("--whisper-cpu-limit=", "--benchmark-save=m4")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*--whisper-cpu-limit*''*give at least one*"])
    assert not (pytester.path / "benchmark_results").exists()


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_option_of_pytest_benchmark_is_misuse(pytester, blank):
    names = ("storage", "compare", "histogram", "group-by", "netrc", "cprofile-dump")
    given = {f"benchmark_{name.replace('-', '_')}": f"--benchmark-{name}" for name in names}
    config = pytester.parseconfig(*(f"{option}={blank}" for option in given.values()))
    blanks = {key: vars(config.option)[key] for key in given}
    for key, option in given.items():
        vars(config.option).update(dict.fromkeys(given) | {key: blanks[key]})
        with pytest.raises(BenchError, match=rf"{option} '.*'.*give one, or leave"):
            check_blanks(config)


def test_pytest_benchmarks_own_blank_defaults_are_no_misuse(pytester):
    check_blanks(pytester.parseconfig())


def test_a_blank_storage_is_misuse_and_never_the_current_folder(ended, pytester):
    outcome = ended("--whisper-rounds=1", "--benchmark-save=m4", "--benchmark-storage=")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*--benchmark-storage ''*give one*"])
    assert not list(pytester.path.glob("Linux-*"))


@pytest.mark.parametrize(("path", "action"), VALUES)
def test_a_blank_value_of_a_command_is_misuse(capsys, path, action):
    refuses(capsys, path, action, "")


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize(("path", "action"), FIRST_VALUES)
def test_a_value_of_spaces_is_misuse_of_every_command(capsys, path, action, blank):
    refuses(capsys, path, action, blank)


def refuses(capsys, path, action, blank):
    name = name_of(action)
    before = ["image:a"] if action.dest == "candidate" else []
    given = [f"{name}={blank}"] if action.option_strings else [*before, blank]
    assert main([*path, *given]) == 2
    said = capsys.readouterr().err
    assert name in said
    assert "give one, or leave it out" in said.partition(f"{blank!r}: ")[2]


def test_the_blank_values_of_every_command_are_tested():
    commands = {" ".join(path) for path, _ in leaves(_parser())}
    assert commands == {
        "results", "throttling", "ratio", "predict", "size", "gate", "k8s run", "k8s collect",
        "weights find", "doctor",
    }  # fmt: skip
    assert len(VALUES) > 60


def test_a_blank_value_is_an_error_in_json_too(capsys):
    assert main(["ratio", "m4", "xeon", "--storage", "", "--json"]) == 2
    assert "a blank value is not allowed" in capsys.readouterr().out


def test_a_blank_command_is_misuse(capsys):
    with pytest.raises(SystemExit) as caught:
        main([""])
    assert caught.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_a_blank_value_in_the_gates_sizing_is_misuse():
    with pytest.raises(BenchError, match=r"--sizing .*--model '': a blank value is not allowed"):
        gate._sizing_options("xeon --target-rps 2 --model ''")


def test_a_variable_that_is_not_set_has_no_value(monkeypatch):
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    assert variable(CACHE_VARIABLE) is None


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize(
    ("name", "read"),
    [
        (CACHE_VARIABLE, cache_folder),
        (NODE_VARIABLE, node_name),
        ("KUBECONFIG", lambda: Cluster(kubeconfig=None, context=None, namespace=None)),
    ],
)
def test_a_blank_variable_is_misuse(monkeypatch, name, read, blank):
    monkeypatch.setenv(name, blank)
    with pytest.raises(BenchError, match=rf"{name} is set to .*give it a value, or unset it"):
        read()


def test_a_blank_name_of_the_node_stops_the_run(ended, monkeypatch):
    monkeypatch.setenv(NODE_VARIABLE, "")
    outcome = ended("--whisper-rounds=1")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines([f"*{NODE_VARIABLE} is set to ''*"])


def test_a_blank_job_summary_stops_the_gate_before_it_measures(monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "")
    assert main(["gate", "image:a", "image:b"]) == 2
    assert "GITHUB_STEP_SUMMARY is set to ''" in capsys.readouterr().err
