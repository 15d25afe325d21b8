"""What `ratio` and `predict` print, held to golden files."""

from datetime import UTC, datetime

import msgspec

from support.ratios import M4, XEON, m4, record, xeon
from whisper_bench import calculate_ratio
from whisper_bench.ratio.config import config_of
from whisper_bench.ratio.predict import predict
from whisper_bench.ratio.text import prediction_lines, ratio_lines

TWO = ("base", 2, "vi_30s")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def contended(made):
    rounds = [msgspec.structs.replace(item, contended=True) for item in made.rounds]
    return msgspec.structs.replace(made, rounds=rounds)


def test_text_of_a_ratio_of_two_cases(golden):
    report = calculate_ratio(
        m4(record(*M4), record(*M4, case=TWO)), xeon(record(*XEON), record(*XEON, case=TWO))
    )
    golden("ratio.txt", ratio_lines(report))


def test_text_of_a_ratio_with_every_kind_of_warning(golden):
    report = calculate_ratio(
        m4(contended(record(*M4)), record(1.0, case=TWO)),
        xeon(record(*XEON, per_process=6), record(*XEON, case=TWO, tokens=200)),
        allow_mismatch=["tokens"],
    )
    golden("ratio_troubled.txt", ratio_lines(report))


def test_text_of_a_prediction(golden):
    config = config_of(calculate_ratio(m4(), xeon()), NOW)
    report = predict(
        m4(record(*M4, tokens=200), name="m4b"), config, now=NOW, allow_mismatch=["tokens"]
    )
    golden("prediction.txt", prediction_lines(report))


def test_text_of_a_prediction_from_one_process(golden):
    config = config_of(calculate_ratio(m4(), xeon()), NOW)
    report = predict(m4(record(*M4, per_process=6)), config, now=NOW)
    golden("prediction_within_run.txt", prediction_lines(report))
