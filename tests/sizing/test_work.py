"""Service times by windows and tokens: means, draws, and sizings of mixes of lengths."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.ratios import facts, m4, work_record, xeon
from support.size_runs import QUIET, XEON_FACTS
from whisper_bench import calculate_ratio, calculate_sizing
from whisper_bench.case.clip import windows_of
from whisper_bench.errors import BenchError
from whisper_bench.ratio.config import config_of
from whisper_bench.report.sections import document_of
from whisper_bench.report.words import mix_text, objective_text
from whisper_bench.sizing.demand import Demand, Load, Objective
from whisper_bench.sizing.price import NodePrice, with_price
from whisper_bench.sizing.service import Service, ServiceWork
from whisper_bench.sizing.source import size_run

WORK = ServiceWork([0.5, 0.6, 0.55], [0.010, 0.012, 0.011], tokens_a_second=6.0)
SERVICE = Service([2.3, 2.76, 2.53], work=WORK)
OBJECTIVE = Objective(95, 30.0)
MIX = {5.0: 0.6, 30.0: 0.3, 120.0: 0.1}


def run_record(*processes, **settings):
    made = work_record(*processes, **settings)
    judged = [msgspec.structs.replace(item, counters=QUIET) for item in made.processes]
    return msgspec.structs.replace(made, processes=judged)


def sized(load, *records, config=None, objective=OBJECTIVE, **settings):
    run = XEON_FACTS if config is None else facts("m4", where="m4b.json")
    return size_run(
        records, run, Demand(load, objective), config=config, most_days=1e6,
        evidence=False, **settings,
    )  # fmt: skip


def test_a_mean_is_that_of_windows_and_tokens():
    load = Load.of_audio(1.0, MIX)
    means_s = {audio_s: windows_of(audio_s) * 0.55 + audio_s * 6.0 * 0.011 for audio_s in MIX}
    expected_s = sum(share * means_s[audio_s] for audio_s, share in MIX.items())
    assert SERVICE.mean_s(load) == pytest.approx(expected_s)
    for length in SERVICE.by_length(load):
        assert length.mean_s == pytest.approx(means_s[length.audio_s])
        assert length.encoder_s == pytest.approx(length.windows * 0.55)


@given(st.dictionaries(st.floats(1, 300), st.floats(0.1, 1), min_size=1, max_size=4),
       st.floats(0.1, 5), st.floats(0, 3))  # fmt: skip
def test_drawn_times_have_the_exact_mean(mix, factor, spread):
    load = Load.of_audio(1.0, mix, tokens_spread=spread)
    service = msgspec.structs.replace(SERVICE, factor=factor, hard_share=0.01, hard_factor=3.0)
    drawn_s = service.draw(load, 20_000, np.random.default_rng(1)).services_s
    error = 6 * drawn_s.std() / math.sqrt(len(drawn_s))
    assert drawn_s.mean() == pytest.approx(service.mean_s(load), abs=max(error, 1e-9))
    assert drawn_s.min() > 0


def test_a_slower_service_is_slower_in_every_draw():
    load = Load.of_audio(1.0, MIX, tokens_spread=2.0)
    slow = msgspec.structs.replace(SERVICE, factor=1.1)
    here, there = (
        item.draw(load, 1000, np.random.default_rng(1)).services_s for item in (SERVICE, slow)
    )
    assert (there > here).all()


def test_a_longer_sequence_begins_with_the_same_draws():
    load = Load.of_audio(1.0, MIX, tokens_spread=2.0)
    short, long = (SERVICE.draw(load, count, np.random.default_rng(1)) for count in (100, 1000))
    assert (long.services_s[:100] == short.services_s).all()
    assert (long.audio_s[:100] == short.audio_s).all()


def test_tokens_spread_the_service_times_and_leave_their_mean():
    steady, spread = (
        SERVICE.draw(
            Load.of_audio(1.0, {30.0: 1.0}, tokens_a_second=6.0, tokens_spread=deviation),
            50_000, np.random.default_rng(1),
        ).services_s
        for deviation in (0.0, 2.0)
    )  # fmt: skip
    assert spread.mean() == pytest.approx(steady.mean(), rel=0.01)
    # 2 of 6 tokens a second, of the decoder's share of the time
    decoder_s = 30 * 6 * 0.011
    assert spread.std() == pytest.approx(math.hypot(decoder_s / 3, steady.std()), rel=0.05)


def test_without_a_split_lengths_are_counted_in_windows():
    load = Load.of_audio(1.0, {5.0: 1.0})
    service = Service([2.0])
    assert service.mean_s(load) == 2.0
    assert service.by_length(load) == []
    assert mix_text(load, service) == "1 window of 30 s each"


def test_short_requests_need_fewer_pods_than_windows_say():
    """A 5 s request takes a third of a 30 s clip, and not all of it."""
    record = run_record((0.9, 0.015), (0.91, 0.0151), tokens=197)
    unsplit = msgspec.structs.replace(
        record, rounds=[msgspec.structs.replace(item, split=None) for item in record.rounds]
    )
    load = Load.of_audio(4.0, {5.0: 1.0})
    by_work, by_windows = sized(load, record), sized(load, unsplit)
    assert by_work.sizing.needed < by_windows.sizing.needed / 2
    assert not any("counted in windows" in text for text in by_work.warnings)
    assert any("counted in windows of 30 s" in text for text in by_windows.warnings)


def test_the_clip_nearest_to_the_mix_is_taken():
    short = run_record((0.9, 0.015), (0.91, 0.0151), tokens=33, audio_s=5.0)
    long = run_record((0.9, 0.015), (0.91, 0.0151), tokens=394, audio_s=60.0)
    assert sized(Load.of_audio(1.0, {8.0: 1.0}), long, short).basis.case == "base-t1-vi_5s"
    assert sized(Load.of_audio(1.0, {90.0: 1.0}), short, long).basis.case == "base-t1-vi_60s"


def test_a_ratio_scales_encoder_and_decoder_by_their_own():
    here = run_record((0.5, 0.010), (0.51, 0.0101), (0.49, 0.0099), tokens=200)
    there = run_record((1.0, 0.030), (1.02, 0.0305), (0.98, 0.0295), tokens=200)
    report = calculate_ratio(m4(here), xeon(there))
    (case,) = report.cases
    sizing = sized(
        Load.of_audio(1.0, {5.0: 1.0}), here, config=config_of(report, facts().moment)
    ).sizing
    (length,) = sizing.service.by_length(sizing.load)
    assert length.encoder_s == pytest.approx((0.50 + 0.01) * case.encoder.high, rel=1e-2)
    assert length.decoder_s == pytest.approx(5 * 200 / 30 * 0.010 * case.decoder.high, rel=1e-2)


def test_the_report_shows_where_the_time_goes_and_what_each_length_costs():
    record = run_record((0.9, 0.015), (0.91, 0.0151), tokens=197)
    report = with_price(sized(Load.of_audio(1.0, MIX, tokens_spread=2.0), record), NodePrice(1, 8))
    (section,) = [
        section for section in document_of(report).sections
        if section.title == "Where the time goes"
    ]  # fmt: skip
    table = section.blocks[1]
    assert [row[0] for row in table.rows] == ["5 s", "30 s", "120 s"]
    costs = [float(row[-1]) for row in table.rows]
    assert costs[0] > costs[1] > 0
    # the hours of all lengths cost what an hour of the mix does
    seconds = {5.0: 3.0, 30.0: 9.0, 120.0: 12.0}
    mean = sum(cost * part for cost, part in zip(costs, seconds.values(), strict=True)) / 24
    assert mean == pytest.approx(report.sizing.price_per_audio_hour, rel=1e-2)
    text = mix_text(report.sizing.load, report.sizing.service)
    assert text == (
        "60% of 5 s, 30% of 30 s, 10% of 120 s, 6.57 tokens a second with a standard deviation of 2"
    )


def test_lengths_are_drawn_by_their_shares_with_and_without_a_split():
    load = Load.of_audio(1.0, MIX)
    for service in (SERVICE, Service([2.0])):
        drawn = service.draw(load, 50_000, np.random.default_rng(1))
        for audio_s, share in MIX.items():
            assert (drawn.audio_s == audio_s).mean() == pytest.approx(share, abs=0.01)
    whole = Service([2.0]).draw(Load(1.0, windows={2: 1.0}), 10, np.random.default_rng(1))
    assert set(whole.audio_s) == {60.0}


def test_a_real_time_factor_is_the_latency_over_the_audio():
    """One length: the same Pods as for that factor times the length."""
    record = run_record((0.9, 0.015), (0.91, 0.0151), tokens=197)
    load = Load.of_audio(2.0, {30.0: 1.0})
    of_latency = sized(load, record, objective=Objective(95, 6.0)).sizing
    of_factor = sized(load, record, objective=Objective(95, 0.2, per_audio_s=True)).sizing
    assert of_factor.needed == of_latency.needed
    assert of_factor.without_spares.p95_s == of_latency.without_spares.p95_s
    assert of_factor.without_spares.high_s == pytest.approx(of_latency.without_spares.high_s / 30)
    assert "keep p95 RTF within 0.2 (upper error bound 0." in of_factor.reason


def test_a_short_request_has_the_worst_real_time_factor():
    record = run_record((0.9, 0.015), (0.91, 0.0151), tokens=197)
    objective = Objective(95, 0.15, per_audio_s=True)
    long = sized(Load.of_audio(1.0, {30.0: 1.0}), record, objective=objective)
    short = sized(Load.of_audio(1.0, {5.0: 1.0}), record, objective=objective)
    assert long.sizing.feasible
    assert not short.sizing.feasible
    assert "take longer than 0.15 of the length of their audio" in short.sizing.reason
    assert any("longer clips" in text for text in short.sizing.advice)
    assert objective_text(objective) == "p95 RTF (real-time factor) within 0.15"


def test_the_library_sizes_lengths_in_seconds():
    asked = {"service": SERVICE, "objective": Objective(95, 20.0), "evidence": False}
    short = calculate_sizing(2.0, audio={5.0: 1.0}, **asked)
    wordy = calculate_sizing(2.0, audio={5.0: 1.0}, tokens_a_second=60.0, **asked)
    assert short.mean_service_s == pytest.approx(0.55 + 5 * 6 * 0.011)
    assert wordy.mean_service_s == pytest.approx(0.55 + 5 * 60 * 0.011)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"tokens_a_second": 0.0}, "0 tokens a second: give a number above 0"),
        ({"tokens_a_second": math.nan}, "nan tokens a second"),
        ({"tokens_spread": -1.0}, "spread by -1: give a standard deviation"),
    ],
)
def test_impossible_speech_is_refused(changes, named):
    with pytest.raises(BenchError, match=named):
        Load.of_audio(1.0, {5.0: 1.0}, **changes)
