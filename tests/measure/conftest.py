"""A journal of one process and one round, still open."""

import pytest

from support.journals import IDENTITY
from support.samples import ready, round_line
from whisper_bench.measure.journal import Journal


@pytest.fixture
def journal(tmp_path):
    made = Journal.begin(tmp_path, IDENTITY)
    made.append(ready(1))
    made.append(round_line(1, 4.5))
    yield made
    made.close()
