"""The rooms of the package: imports go one way, and the map shows what stands."""

import ast
import sys

import pytest

from support.project import ROOT

DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))

import rooms  # noqa: E402 - a script of the documentation

MAP = (DOCS / "architecture.md").read_text(encoding="utf-8")
MODULES = sorted(rooms.ROOT.rglob("*.py"))
SHELLS = {"plugin", "session"}
TESTS = ROOT / "tests"
NO_ROOMS = {"project", "image", "k8s", "support", "golden", "recorded"}
"""Folders of tests/ beside the rooms': what is about no code of the package, helpers and data."""


def test_no_rooms_import_one_another_in_a_circle():
    assert rooms.floors(rooms.rooms())


def test_a_circle_of_imports_is_an_error_with_its_rooms():
    with pytest.raises(ValueError, match="a circle of imports: a, b"):
        rooms.floors({"a": {"b"}, "b": {"a"}, "c": set()})


def test_the_map_has_the_picture_of_the_rooms():
    assert "\n".join(rooms.picture(rooms.rooms())) in MAP, "python docs/rooms.py prints it anew"


def test_every_room_has_a_folder_of_tests_and_every_folder_is_a_rooms():
    packages = {path.parent.name for path in rooms.ROOT.glob("*/__init__.py")}
    folders = {path.relative_to(TESTS).parts[0] for path in TESTS.glob("*/**/test_*.py")}
    assert packages
    assert sorted(packages - folders) == [], "rooms without tests"
    assert sorted(folders - NO_ROOMS - packages) == [], "folders of tests without a room"


def test_only_the_pytest_side_imports_pytest():
    inside = [
        path
        for path in MODULES
        if path.relative_to(rooms.ROOT).with_suffix("").parts[0] not in SHELLS
    ]
    assert [
        str(path) for path in inside if _imports_of(path) & {"pytest", "pytest_benchmark"}
    ] == []


def _imports_of(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {name.split(".")[0] for node in ast.walk(tree) for name in _imported(node)}


def _imported(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
