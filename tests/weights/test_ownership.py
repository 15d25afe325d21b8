"""Who else can change a file of weights."""

import pytest

from whisper_bench.errors import BenchError
from whisper_bench.weights.ownership import changeable_by_others


def test_a_sticky_folder_and_root_are_trusted(folder):
    folder.parent.chmod(0o1777)
    assert changeable_by_others([folder / "model.bin"]) is None


def test_links_are_followed(folder, tmp_path):
    (tmp_path / "absolute").symlink_to(folder)
    (tmp_path / "models" / "upwards").symlink_to("../models/base/../base")
    for link in (tmp_path / "absolute", tmp_path / "models" / "upwards"):
        assert changeable_by_others([link / "model.bin"]) is None
    folder.chmod(0o777)
    for link in (tmp_path / "absolute", tmp_path / "models" / "upwards"):
        assert changeable_by_others([link / "model.bin"]) == folder


def test_a_circle_of_links_is_an_error(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(BenchError, match="form a circle; put the file there"):
        changeable_by_others([tmp_path / "a"])
