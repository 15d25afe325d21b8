import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_bench.stats.quantile import percentile, samples_needed

SAMPLES = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=200)


@given(SAMPLES, st.floats(0, 100))
def test_percentile_is_that_of_numpy(samples, percent):
    assert percentile(samples, percent) == pytest.approx(np.percentile(samples, percent), rel=1e-12)


def test_a_percentile_of_no_samples_is_refused():
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 50)


@given(st.floats(1, 99.5), st.floats(0.5, 0.999))
def test_samples_needed_is_the_smallest_number_that_is_enough(percent, confidence):
    needed = samples_needed(percent, confidence)
    assert 1 - (percent / 100) ** needed >= confidence - 1e-12
    assert 1 - (percent / 100) ** (needed - 1) < confidence + 1e-12
