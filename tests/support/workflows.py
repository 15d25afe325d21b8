"""The workflows and the GitLab example, as their readers have them."""

from ruamel.yaml import YAML

from support.project import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.y*ml"))}
GATES = ("image-gate.yml", "image-gate-dedicated.yml")
GITLAB = (ROOT / "docs" / "gitlab-ci.yml").read_text(encoding="utf-8")
ALL = WORKFLOWS | {"gitlab-ci.yml": GITLAB}


def data_of(text):
    """Parse by YAML 1.2, where `on` is no truth value."""
    return YAML(typ="safe", pure=True).load(text)


def steps_of(data):
    return [step for job in data["jobs"].values() for step in job["steps"]]


def scripts_of(text):
    """Return the shell scripts of a workflow, or of the GitLab example's job."""
    data = data_of(text)
    if "jobs" in data:
        return [step["run"] for step in steps_of(data) if "run" in step]
    job = data["image-gate"]
    return ["\n".join(job["before_script"] + job["script"]), "\n".join(job["after_script"])]
