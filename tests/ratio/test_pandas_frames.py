"""Tables for notebooks."""

import math

import pytest

from support.documents import encoded, save
from support.ratios import M4, XEON, m4, record, xeon
from whisper_bench import calculate_ratio, ratio_frame, samples_frame
from whisper_bench.errors import BenchError


def test_ratio_frame_has_a_row_for_each_case():
    two = ("base", 2, "vi_30s")
    frame = ratio_frame(
        calculate_ratio(
            m4(record(*M4), record(1.0, case=two)), xeon(record(*XEON), record(*XEON, case=two))
        )
    )
    assert frame.index.names == ["model", "threads", "clip", "copies"]
    row = frame.loc["base", 1, "vi_30s", 1]
    assert row.ratio == pytest.approx(row.target_s / row.reference_s)
    assert row.low < row.ratio < row.high
    assert (row.validity, row.reference_processes) == ("VALID", 3)
    assert math.isnan(frame.loc["base", 2, "vi_30s", 1].ratio)


def test_samples_frame_has_a_row_for_each_round(tmp_path):
    save(tmp_path, "Linux-A/0001_m4.json", encoded(1.0, 2.0, 3.0, 4.0))
    frame = samples_frame("m4", tmp_path)
    assert list(frame.latency_s) == [1.0, 2.0, 3.0, 4.0]
    assert list(frame.process) == [1, 1, 2, 2]
    assert set(frame.run) == {"m4"}
    assert frame.groupby("process").latency_s.mean().to_list() == [1.5, 3.5]
    with pytest.raises(BenchError, match="no saved run 'xeon'"):
        samples_frame("xeon", tmp_path)
