"""The language of a clip: written, given or heard, never taken for granted."""

import signal
import warnings

import msgspec
import pytest

import whisper_bench
from support.runs import TWENTY, results
from support.samples import CLIP
from whisper_bench.case.clip import load_clip
from whisper_bench.case.decoding import Decoding
from whisper_bench.case.language import Language, LanguageSource, known_language
from whisper_bench.case.language_codes import CODES, TURKIC_I, WITHOUT_SPACES
from whisper_bench.case.record import trust_warnings
from whisper_bench.errors import BenchError
from whisper_bench.ratio.comparable import NotComparableError, comparable_pairs
from whisper_bench.results.files import load_results
from whisper_bench.session.languages import detection_line, languages_of
from whisper_bench.worker.engine import LoadedModel

HEARD = Language("en", LanguageSource("detected", 0.98, "base"))


@pytest.fixture
def unknown_clip(toy_clip, tmp_path):
    """A clip of which nothing is known."""
    path = tmp_path / "heard.wav"
    path.write_bytes(toy_clip.read_bytes())
    return path


def model_of(*, multilingual=True, knows=("en", "vi"), decoding=None):
    """A model that only tells what it knows."""

    class Inner:
        is_multilingual = multilingual
        compute_type = "int8"

    class Tokenizer:
        def token_to_id(self, token):
            return 1 if token.strip("<|>") in knows else None

    class Model:
        model, hf_tokenizer = Inner(), Tokenizer()

    return LoadedModel(Model(), 1, decoding, model_size="base", files={}, load_s=0.0)


def test_the_codes_are_those_of_faster_whisper():
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    assert CODES == _LANGUAGE_CODES
    assert set(CODES) >= WITHOUT_SPACES | TURKIC_I


def test_no_language_is_assumed():
    with pytest.raises(TypeError, match="language"):
        Decoding()
    assert known_language(None, None, "my") is None


def test_what_is_written_and_what_is_given():
    assert known_language("vi", None, "my").known.source == "file"
    assert known_language("vi", "vi", "my").known.source == "file"
    assert known_language(None, "en", "my") == Language("en", LanguageSource("option"))
    with pytest.raises(BenchError) as caught:
        known_language("vi", "en", "my")
    assert "--whisper-language=en" in str(caught.value)
    assert "clip my says that its language is vi; leave" in str(caught.value)


def test_how_it_is_said():
    line = "clip my: language en: detected, probability 0.98; pass --whisper-language=en to set it"
    assert detection_line("my", HEARD) == line
    doubtful = Language("en", LanguageSource("detected", 0.3, "base"))
    assert "probability 0.30, which is low: check it" in detection_line("my", doubtful)
    assert str(LanguageSource("file")) == "from the file beside the clip"
    assert str(LanguageSource("option")) == "from --whisper-language"


@pytest.mark.parametrize("code", ["", "\\u001b[2J", "english", "EN"])
def test_a_recorded_language_that_is_no_code_is_refused(code):
    with pytest.raises(msgspec.ValidationError, match="language"):
        msgspec.json.decode(f'{{"language": "{code}"}}', type=Decoding)


def test_each_clip_is_heard_once_and_a_resumed_run_hears_as_it_began():
    clip = msgspec.structs.replace(CLIP, language=None)
    asked = []

    def detect(clip):
        asked.append(clip.name)
        return HEARD

    clips = {"one": clip, "two": CLIP}
    actual = languages_of(clips, None, {}, detect)
    assert (actual["one"], actual["two"].code, asked) == (HEARD, "vi", ["vi_30s"])
    before = {"clip one language": msgspec.json.encode(HEARD).decode()}
    assert languages_of({"one": clip}, None, before, None)["one"] == HEARD
    given = {"clip one decoding": '{"language": "fr"}'}
    with pytest.raises(BenchError, match="clip one; give the same one: --whisper-language=fr"):
        languages_of({"one": clip}, None, given, None)
    with pytest.raises(BenchError, match="--whisper-resume: the journal's entry for the clip one"):
        languages_of({"one": clip}, None, {"clip one language": "{"}, None)


def test_a_model_of_english_alone():
    model = model_of(multilingual=False, decoding=Decoding("en"))
    assert model.language_of(msgspec.structs.replace(CLIP, language=None)).code == "en"
    with pytest.raises(BenchError, match="knows only English, and the language is vi"):
        model_of(multilingual=False, decoding=Decoding("vi"))
    with pytest.raises(BenchError, match="cannot detect a language; .*--whisper-language=en"):
        model_of(multilingual=False).detect([])


def test_a_language_that_the_model_or_nobody_knows():
    with pytest.raises(BenchError, match="model base does not know the language yue"):
        model_of(decoding=Decoding("yue"))
    with pytest.raises(BenchError, match="Decoding.language: language 'english' is not one of"):
        model_of(decoding=Decoding("english"))


def test_a_loaded_model_wants_the_language_of_the_clip():
    with pytest.raises(BenchError, match="transcribe: language none.*language='en'"):
        model_of().transcribe([])
    with pytest.raises(BenchError, match="transcribe: language en, and .* loaded for vi"):
        model_of(decoding=Decoding("vi")).transcribe([], "en")
    with pytest.raises(BenchError, match="Decoding.language=en: the JSON file beside the clip vi_"):
        model_of(decoding=Decoding("en")).language_of(CLIP)


def test_a_library_user_is_told_what_was_heard_once(toy_dir, unknown_clip):
    model, clip = whisper_bench.load_model(folder=toy_dir / "base"), load_clip(unknown_clip)
    with pytest.warns(UserWarning, match="clip heard: language .*Decoding.language="):
        whisper_bench.run_warmup(model, clip)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is told once
        (heard,) = whisper_bench.run_benchmark(model, clip, rounds=1)
    assert heard.tokens > 0
    language = model.language_of(clip)
    assert (language.code in CODES, language.known.model) == (True, "base")
    given = whisper_bench.load_model(folder=toy_dir / "base", decoding=Decoding(language.code))
    (again,) = whisper_bench.run_benchmark(given, clip, rounds=1)
    assert again.text == heard.text


def test_runs_that_heard_different_languages_are_refused(tmp_path):
    from support.ratios import M4, XEON, m4, record, xeon

    english = record(*XEON, decoding=Decoding("en"), language_source=HEARD.known)
    with pytest.raises(NotComparableError, match="decoding.language: vi against en"):
        comparable_pairs(m4(record(*M4)), xeon(english))
    same = record(*M4, decoding=Decoding("en"), language_source=LanguageSource("option"))
    assert comparable_pairs(m4(same), xeon(english))[1] == []


def test_what_makes_a_transcript_doubtful_is_warned_of():
    from support.ratios import M4, record

    doubtful = LanguageSource("detected", 0.3, "base")
    (warning,) = _doubts(record(*M4, language_source=doubtful))
    assert "language vi is doubtful (detected, probability 0.30)" in warning
    assert "--whisper-language" in warning
    assert _doubts(record(*M4, language_source=HEARD.known)) == []
    (warning,) = _doubts(record(*M4, transcript=" ... ", tokens=3, word_error_rate=1.0))
    assert "the transcript has no words (3 tokens)" in warning
    (warning,) = _doubts(record(*M4, word_error_rate=2.1))
    assert "word error rate 2.10, as many errors as words" in warning


def _doubts(record):
    return [item for item in trust_warnings(record) if item.startswith("vi_30s: ")]


@pytest.mark.parametrize("value", ["", " ", "english", "EN", "en-US", "xx"])
def test_an_option_that_is_no_code_is_misuse(bench, value):
    outcome = bench(f"--whisper-language={value}")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines([f"*--whisper-language (whisper_language): {value!r}*"])


def test_a_given_language_is_decoded_and_on_record(bench, pytester, unknown_clip):
    pytester.makeini("[pytest]\nwhisper_language = en\n")
    outcome = bench("--benchmark-save=m4", "--whisper-rounds=1", f"--whisper-clip={unknown_clip}")
    outcome.assert_outcomes(passed=1)
    outcome.stdout.no_fnmatch_line("*detected*")
    record = load_results(results(pytester.path)[0]).detail.record
    assert record.decoding.language == "en"
    assert record.language_source == LanguageSource("option")


def test_a_given_language_that_the_clip_contradicts_is_misuse(bench):
    outcome = bench("--whisper-language=en")
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines(["*--whisper-language=en: * clip noise says * is vi; leave*"])


def test_a_heard_language_is_the_same_in_all_cases_of_a_run(toy_bench, pytester, unknown_clip):
    outcome = toy_bench("--benchmark-save=m4", "--whisper-rounds=1", "--whisper-threads=1,2",
                    f"--whisper-clip={unknown_clip}")  # fmt: skip
    outcome.assert_outcomes(passed=2)
    assert sum(line.startswith("clip heard: language ") for line in outcome.outlines) == 1
    one, two = (load_results(path).detail.record for path in results(pytester.path))
    assert one.language_source.source == "detected"
    assert (one.decoding, one.language_source) == (two.decoding, two.language_source)


def test_a_heard_language_is_said_recorded_and_kept_by_a_resume(
    running, toy_bench, pytester, unknown_clip
):
    clip = f"--whisper-clip={unknown_clip}"
    run = running(*TWENTY, "--whisper-threads=1,2", clip)
    run.until(2)
    run.process.send_signal(signal.SIGKILL)
    said = next(line for line in run.end().splitlines() if line.startswith("clip heard: "))
    assert "probability 0.02, which is low: check it; pass --whisper-language=" in said
    begun = run.lines()[0]
    heard = msgspec.json.decode(begun["facts"]["clip heard language"], type=Language)
    # the resumed run takes over what was heard: nothing is detected again
    outcome = toy_bench("--benchmark-save=m4", "--whisper-rounds=3", "--whisper-processes=1",
                    "--whisper-threads=1,2", clip, "--whisper-resume")  # fmt: skip
    outcome.assert_outcomes(passed=2)
    outcome.stdout.fnmatch_lines(["resuming m4_*", said, "! heard: language * is doubtful*"])
    for path in results(pytester.path):
        record = load_results(path).detail.record
        assert (record.decoding.language, record.language_source) == (heard.code, heard.known)
