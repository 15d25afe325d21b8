"""Fixtures of the files' tests."""

import pytest


@pytest.fixture
def two(tmp_path):
    """The contents of two files, of which the first was there before."""
    (tmp_path / "a").write_text("old")
    return {tmp_path / "a": b"new", tmp_path / "b": b"new"}
