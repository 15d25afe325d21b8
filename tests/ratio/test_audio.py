"""What a clip of any length takes: priced by windows and tokens, wider the further it is off."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.ratios import M4, m4, record, work_record, xeon
from whisper_bench import calculate_ratio
from whisper_bench.errors import BenchError
from whisper_bench.ratio.audio import LEAST_OF_A_FIT, fitted
from whisper_bench.ratio.config import config_of
from whisper_bench.ratio.predict import predict
from whisper_bench.ratio.text import prediction_lines

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HERE = (0.50, 0.010), (0.51, 0.0101), (0.49, 0.0099)
THERE = (1.0, 0.030), (1.02, 0.0305), (0.98, 0.0295)
REST_S = 0.01
CLIPS = (5.0, 30), (30.0, 200), (60.0, 400)


def sides(*clips):
    """Return a kept ratio of runs of clips, (seconds, tokens) each, and a run of its reference."""
    runs = [
        side(*(work_record(*processes, tokens=tokens, audio_s=audio_s) for audio_s, tokens in clips))
        for side, processes in ((m4, HERE), (xeon, THERE))
    ]  # fmt: skip
    return config_of(calculate_ratio(*runs), NOW), runs[0]


def priced(*lengths_s, clips=((30.0, 200),), **settings):
    config, run = sides(*clips)
    return predict(run, config, audio_s=lengths_s, now=NOW, **settings).audio


@pytest.mark.parametrize(
    ("audio_s", "windows"), [(5.0, 1), (29.0, 1), (30.0, 1), (31.0, 2), (120.0, 4)]
)
def test_a_length_costs_its_windows_and_tokens(audio_s, windows):
    (clip,) = priced(audio_s)
    tokens = audio_s * 200 / 30
    assert (clip.windows, clip.tokens) == (windows, pytest.approx(tokens))
    there_s = windows * (1.0 + REST_S) + tokens * 0.030
    assert clip.latency_s.value == pytest.approx(there_s, rel=1e-3)
    assert clip.reference_s == pytest.approx(windows * (0.5 + REST_S) + tokens * 0.010, rel=1e-3)
    assert clip.ratio == pytest.approx(there_s / clip.reference_s, rel=1e-3)


def test_the_measured_length_is_what_is_predicted_of_the_case():
    config, run = sides((30.0, 200))
    report = predict(run, config, audio_s=[30.0], now=NOW)
    assert report.audio[0].latency_s.value == pytest.approx(
        report.cases[0].latency_s.value, rel=1e-3
    )
    assert report.audio[0].extrapolation == 0


@pytest.mark.parametrize("lengths", [(30.0, 20.0, 10.0, 5.0), (30.0, 60.0, 120.0, 600.0)])
def test_the_interval_is_wider_the_further_a_length_is_off(lengths):
    widths = [clip.latency_s.high / clip.latency_s.low for clip in priced(*lengths)]
    assert widths == sorted(set(widths))
    assert widths[-1] > 1.1


def test_tokens_a_second_can_be_given():
    (clip,) = priced(10.0, tokens_a_second=3.0)
    assert clip.tokens == 30


def test_several_clips_are_fitted_and_narrow_the_interval():
    (alone,) = priced(10.0)
    (clip,) = priced(10.0, clips=CLIPS)
    assert clip.fit.window_s == pytest.approx(0.5 + REST_S, rel=1e-3)
    assert clip.fit.token_s == pytest.approx(0.010, rel=1e-3)
    assert clip.fit.deviations == pytest.approx(
        dict.fromkeys(("vi_5s", "vi_30s", "vi_60s"), 0), abs=1e-3
    )
    assert clip.fit.error < 1e-3
    assert clip.latency_s.high / clip.latency_s.low < alone.latency_s.high / alone.latency_s.low


@given(st.lists(st.floats(0.9, 1.1), min_size=3, max_size=3))
def test_the_fit_is_numpys_least_squares(scatter):
    cases = m4(
        *(
            work_record(*[(a * factor, b * factor) for a, b in HERE], tokens=tokens, audio_s=audio_s)
            for (audio_s, tokens), factor in zip(CLIPS, scatter, strict=True)
        )
    ).cases  # fmt: skip
    fit = fitted(cases, [case.work for case in cases])
    latencies_s = np.array([case.latency.processes.value for case in cases])
    design = np.array([[case.work.windows, case.identity.tokens] for case in cases])
    rows = design / latencies_s[:, None]
    (window_s, token_s), squares, *_ = np.linalg.lstsq(rows, np.ones(3), rcond=None)
    assert (fit.window_s, fit.token_s) == pytest.approx((window_s, token_s), rel=1e-6)
    assert fit.error == pytest.approx(float(np.sqrt(squares[0])), rel=1e-6, abs=1e-9)


def test_two_clips_have_no_less_than_an_error_known_from_elsewhere():
    (clip,) = priced(10.0, clips=CLIPS[:2])
    assert clip.extrapolation == clip.fit.error == LEAST_OF_A_FIT


def test_clips_that_are_alike_are_not_fitted():
    (clip,) = priced(10.0, clips=((30.0, 200), (60.0, 400)))
    assert clip.fit is None


def test_a_fit_with_a_negative_constant_is_none():
    slow = work_record(*HERE, tokens=400, audio_s=30.0)
    quick = work_record((0.001, 0.0001), tokens=10, audio_s=5.0)
    cases = m4(quick, slow).cases
    assert fitted(cases, [case.work for case in cases]) is None


def test_a_side_without_a_split_is_refused():
    config, run = sides((30.0, 200))
    with pytest.raises(BenchError, match=r"base-t1-vi_30s: --audio needs .* and the run has none"):
        predict(
            m4(record(*M4, tokens=200)), config, audio_s=[5.0], allow_mismatch=["tokens"], now=NOW
        )
    unsplit = config_of(calculate_ratio(m4(), xeon()), NOW)
    with pytest.raises(BenchError, match=r"--audio needs .* and the ratio has none"):
        predict(run, unsplit, audio_s=[5.0], allow_mismatch=["tokens"], now=NOW)


def test_one_process_is_too_few_for_an_interval():
    config, _ = sides((30.0, 200))
    with pytest.raises(BenchError, match="--whisper-processes=5"):
        predict(m4(work_record(HERE[0], tokens=200)), config, audio_s=[5.0], now=NOW)


@pytest.mark.parametrize("clips", [CLIPS[1:2], CLIPS], ids=["one clip", "three clips"])
def test_text_of_lengths(clips, golden):
    config, run = sides(*clips)
    report = predict(run, config, audio_s=[5.0, 120.0], now=NOW)
    golden(f"prediction_of_lengths_{len(clips)}.txt", prediction_lines(report))
