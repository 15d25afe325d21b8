import json

import msgspec
import pytest

from support.project import ROOT, STANDARD_CLIP
from whisper_bench.case.clip import load_clip
from whisper_bench.case.normalise import normalised
from whisper_bench.case.transcript import (
    TranscriptCheck,
    word_error_rate,
    word_error_rate_bound,
)
from whisper_bench.errors import WrongAnswerError


@pytest.fixture(scope="module")
def clip():
    return load_clip(STANDARD_CLIP)


def test_word_error_rate_ignores_case_punctuation_and_composition(clip):
    import unicodedata

    assert word_error_rate(clip, clip.text.upper().replace(",", "")) == 0
    assert word_error_rate(clip, unicodedata.normalize("NFD", clip.text)) == 0
    assert word_error_rate(clip, "") == 1
    assert word_error_rate(msgspec.structs.replace(clip, text=None), "x") is None
    assert normalised("Sáng nay,  trời!") == "sáng nay trời"


def test_one_wrong_word_of_91_has_an_error_rate_of_1_in_91(clip):
    assert word_error_rate(clip, clip.text.replace("sông", "song")) == pytest.approx(1 / 91)


def test_a_larger_models_bound_is_its_own_else_bases(clip):
    assert word_error_rate_bound("base", clip) == 0.75
    assert word_error_rate_bound("small", clip) == 0.75
    known = msgspec.structs.replace(clip, word_error_rate_bound={"base": 0.7, "small": 0.2})
    assert word_error_rate_bound("small", known) == 0.2
    assert word_error_rate_bound("small-shape-only", known) == 0.7
    assert (
        word_error_rate_bound("base", msgspec.structs.replace(clip, word_error_rate_bound={}))
        is None
    )


def test_the_same_answer_every_time_is_accepted(clip):
    check = TranscriptCheck()
    for where in ("round 1", "round 2"):
        check.check("base", clip, clip.text, 197, where)


def test_another_text_or_token_count_is_refused_with_both_values(clip):
    check = TranscriptCheck()
    check.check("base", clip, clip.text, 197, "base-t1-vi_30s, process 1")
    with pytest.raises(WrongAnswerError) as caught:
        check.check("base", clip, clip.text[:-9], 197, "base-t2-vi_30s, process 1")
    assert "base-t2-vi_30s, process 1: the transcript differs from that of base-t1" in str(
        caught.value
    )
    assert clip.text in str(caught.value)
    with pytest.raises(WrongAnswerError, match="198 tokens against 197"):
        check.check("base", clip, clip.text, 198, "round 3")
    check.check("small", clip, clip.text, 150, "another model may differ")


def test_a_wrong_answer_is_refused(clip):
    with pytest.raises(
        WrongAnswerError, match=r"word error rate 1\.000 is over the bound of 0\.75"
    ):
        TranscriptCheck().check("base", clip, "something else", 3, "round 1")


def test_the_sample_runs_rates_are_those_of_their_transcripts(clip):
    paths = sorted((ROOT / "docs" / "sample").rglob("*.json"))
    records = [record for path in paths for record in _records(path)]
    of_clip = [record for record in records if record["clip"]["name"] == clip.name]
    assert len(of_clip) >= 14
    for record in of_clip:
        assert word_error_rate(clip, record["transcript"]) == record["word_error_rate"]


def _records(path):
    benchmarks = json.loads(path.read_text(encoding="utf-8")).get("benchmarks", [])
    return [item["extra_info"]["whisper_bench"] for item in benchmarks]


def test_a_wrong_answer_of_a_language_without_spaces_is_counted_in_characters(clip):
    thai = msgspec.structs.replace(clip, language="th", text="สวัสดี")
    with pytest.raises(WrongAnswerError, match=r"character error rate 1\.000 is over the bound"):
        TranscriptCheck().check("base", thai, "", 0, "round 1")
