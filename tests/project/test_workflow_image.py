"""What changes the image starts its gate, and nothing else does."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from support.project import ROOT
from support.workflows import GITLAB, WORKFLOWS, data_of, steps_of

NO_MATTER = {"LICENSE", "README.md"}  # they come along; no process reads them


def test_a_change_of_any_file_in_the_image_starts_the_gate():
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    wanted = {word for line in copied for word in line.split()} - NO_MATTER
    wanted |= {"Dockerfile", ".dockerignore"}
    (paths,) = re.findall(r"paths=\((.*?)\)", WORKFLOWS["image-gate.yml"], re.DOTALL)
    github = {path for path in paths.split() if not path.startswith(".github/")}
    (rule,) = data_of(GITLAB)["image-gate"]["rules"]
    assert github == {path.removesuffix("/**/*") for path in rule["changes"]}
    for path in wanted:
        assert {path, *map(str, Path(path).parents)} & github, path


@pytest.mark.parametrize(
    ("file", "event", "left_out"),
    [
        ("docs/gate.md", "pull_request", True),
        ("docs/gate.md", "workflow_dispatch", False),
        ("plugins/new.py", "pull_request", False),
        ("Dockerfile", "pull_request", False),
    ],
)
def test_a_change_outside_the_image_is_not_measured(file, event, left_out, tmp_path):
    """Not left to a filter of paths: GitHub waits for good for a required check left out so."""
    data = data_of(WORKFLOWS["image-gate.yml"])
    assert data["on"]["pull_request"] is None
    (script,) = [step["run"] for step in steps_of(data) if step.get("id") == "image"]
    message = tmp_path / "told"
    variables = {"BASELINE": "main", "GITHUB_OUTPUT": str(message), "GITHUB_EVENT_NAME": event}

    def shell(text, **more):
        identity = ["user.name=a", "user.email=a@b", "init.defaultBranch=main"]
        options = [word for item in identity for word in ("-c", item)]
        git = f'git() {{ command git {shlex.join(options)} "$@"; }}'
        command = ["bash", "-eo", "pipefail", "-c", f"{git}\n{text}"]
        return subprocess.run(command, cwd=tmp_path, env=os.environ | more, check=False).returncode

    assert shell(f"""
        git init -q; git commit -q --allow-empty -m base; git checkout -q -b new
        mkdir -p {Path(file).parent}; echo 1 > {file}; git add .; git commit -q -m new
    """) == 0  # fmt: skip
    assert shell(script, **variables) == 0
    baseline, *rest = message.read_text(encoding="utf-8").splitlines()
    assert re.fullmatch("baseline=[0-9a-f]{40}", baseline)
    assert rest == ["changed=false"] * left_out
    assert shell(script, **variables | {"BASELINE": "nowhere"}) != 0
