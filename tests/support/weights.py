"""Weights that are refused."""

import pytest

from whisper_bench.errors import BenchError
from whisper_bench.weights.resolve import resolve_weights


def refusal(name, **settings):
    with pytest.raises(BenchError) as caught:
        resolve_weights(name, **settings)
    return str(caught.value)
