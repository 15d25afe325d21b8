"""Scripts in the place of a side's suite: what they write down, and what they fail with."""

import pytest

from support.runs import wait_until
from whisper_bench.gate.process import SideFailedError

GROUP = "ps -o pgid= -p $$ > group"
HANGS = f"{GROUP}; sleep 1000 & sleep 1000"
HANG_S = 3.0
"""Given to a side that hangs: long enough for its first line to run on a busy machine."""
SAVED_AS = "gate-000000000000"
"""What every run is to be saved as, where a test has asked for `one_name`."""


def group_in(folder):
    """Wait for the process group that a script writes down, and return it."""

    def written():
        return (folder / "group").exists() and (folder / "group").read_text().strip()

    return int(wait_until(written, lambda: "no group was written down"))


def failure(measure, script, **settings):
    with pytest.raises(SideFailedError) as caught:
        measure(script, **settings)
    return str(caught.value)
