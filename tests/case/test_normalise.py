# ruff: noqa: RUF001 - letters that look like others are what is tested
"""What counts as the same word: Unicode's cases and encodings do, marks do not."""

import unicodedata

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from support.samples import CLIP
from whisper_bench.case.language_codes import CODES, TURKIC_I, WITHOUT_SPACES
from whisper_bench.case.normalise import has_words, normalised, units_of
from whisper_bench.case.transcript import rate_name, word_error_rate

TEXTS = st.text(max_size=30)
MARKED = st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs", "Cf"]), max_size=20)


def rate(text, heard, language=None):
    return word_error_rate(msgspec.structs.replace(CLIP, text=text, language=language), heard)


@pytest.mark.parametrize(
    ("text", "heard", "expected"),
    [
        ("मैं हिन्दी सीखता हूँ", "मैं हिन्दी सीखती हूँ", 0.25),
        ("আমি ভাত খাই", "আমি ভাত খাও", 1 / 3),
        ("நான் தமிழ் படி", "நான் தமிழ் பாடு", 1 / 3),
        ("نص عربي", "نص عربية", 0.5),
        ("Tôi uống trà", "Tôi uống tra", 1 / 3),
        ("con đường", "con dường", 0.5),
        ("resume the work", "résumé the work", 1 / 3),
        ("sınır", "sinir", 1.0),
    ],
    ids=["hindi", "bengali", "tamil", "arabic", "vietnamese", "d-bar", "accents", "dotless-i"],
)
def test_a_word_with_another_mark_or_letter_is_wrong(text, heard, expected):
    assert rate(text, heard) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("İstanbul", "istanbul"),
        ("İstanbul", "i̇stanbul"),
        ("ISTANBUL", "istanbul"),
        ("Straße", "STRASSE"),
        ("ΟΔΟΣ", "οδος"),
        ("１２３ ｶﾞｽ ﬁne", "123 ガス fine"),
        ("don't l’été D'accord", "don’t l'été d‘accord"),
        ("Hawaiʻi", "Hawai'i"),
        ("'quoted' words'", "“quoted” words"),
        ("a_b c-d", "a b c d"),
        ("Whisper™ 5 %", "whisper 5"),
        ("co\u00adop \ufeffshop\u200b \u202bnow\u202c", "coop shop now"),
        ("می\u200cخواهم", "میخواهم"),
        ("كتـــاب", "كتاب"),
        ("१२ दिन ٣ ۴ ๕", "12 दिन 3 4 5"),
        ("I ❤️ you", "i you"),
        ("≠ x", "x"),
        ("bell\x07 tab\tnew\nline", "bell tab new line"),
    ],
)
def test_case_punctuation_and_encoding_do_not_count(text, heard):
    assert rate(text, heard) == 0


@pytest.mark.parametrize("language", sorted(TURKIC_I))
def test_capital_i_is_dotless_in_turkish(language):
    assert rate("Isparta İzmir IŞIK", "ısparta izmir ışık", language) == 0
    assert rate("Isparta", "isparta", language) == 1


def test_an_apostrophe_parts_words_where_it_is_not_between_letters():
    assert normalised("rock''n'roll 'tis dogs' 1'000 a'\u0301b") == "rock n'roll tis dogs 1 000 a'b"
    assert normalised("हिन्दी'भाषा") == "हिन्दी'भाषा"


@pytest.mark.parametrize(
    ("language", "text", "heard", "expected"),
    [
        ("zh", "今天天气很好。", "今天天汽很好", 1 / 6),
        ("yue", "今日天氣", "今日天气", 1 / 4),
        ("ja", "東京は ガ", "東京はカ", 1 / 4),
        ("th", "สวัสดี", "สวสดี", 1 / 4),
        ("lo", "ສະບາຍດີ", "ສະບາຍດີ", 0),
        ("km", "ខ្ញុំ", "ខ្ញំ", 1 / 2),
        ("my", "မင်္ဂလာပါ", "မင်္ဂလာ", 1 / 5),
    ],
)
def test_characters_are_counted_where_words_have_no_spaces(language, text, heard, expected):
    assert rate(text, heard, language) == pytest.approx(expected)
    assert rate_name(language) == "character error rate"


def test_words_are_counted_in_every_other_language():
    assert {rate_name(code) for code in set(CODES) - WITHOUT_SPACES} == {"word error rate"}
    assert units_of("một hai", "vi") == ["một", "hai"]
    assert units_of("", "zh") == []


def test_an_empty_transcript_has_an_error_rate_of_one():
    assert rate("one two", "♪ ...") == 1.0


@given(TEXTS | MARKED)
@example("e\u0323\u0302 i\u0323\u0307 \u0130\u0301 xŉ ŀl ½ ªº ™")
def test_composed_and_decomposed_text_is_the_same(text):
    forms = {normalised(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert forms == {normalised(text)}


@given(TEXTS | MARKED, st.sampled_from([None, "tr", "th"]))
@example("i\u0307\u0307 a\u0301\u200d\u0323 x'\u0301y", None)
def test_normalising_twice_changes_nothing(text, language):
    once = normalised(text, language)
    assert normalised(once, language) == once


@given(TEXTS | MARKED)
@example("ß ŉ ǰ ΐ ᾳ ﬁ İ ſ")
def test_case_does_not_count(text):
    # dotless i is another letter; a lone iota subscript after a dot becomes one as a capital
    assume("\u0131" not in text and "\u0345" not in unicodedata.normalize("NFD", text))
    assert normalised(text.upper()) == normalised(text) == normalised(text.lower())


@given(MARKED)
def test_marks_in_a_word_are_never_dropped(text):
    words = normalised(f"क{''.join(c for c in text if unicodedata.category(c) == 'Mc')}")
    assert len(unicodedata.normalize("NFKD", words)) >= 1 + sum(
        unicodedata.category(c) == "Mc" for c in text
    )


@given(st.text())
@example("!? 。\u0301 \ufe70")
def test_a_text_has_words_if_its_normal_form_is_not_empty(text):
    assert has_words(text) == bool(normalised(text))
