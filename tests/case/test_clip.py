import hashlib
import json
import re
import subprocess
import sys

import numpy as np
import pytest

from support.project import ROOT, STANDARD_CLIP, write_wav
from whisper_bench.case.clip import load_clip, samples_of
from whisper_bench.errors import BenchError


def test_the_standard_clip_is_what_its_source_file_says():
    clip = load_clip(STANDARD_CLIP)
    assert clip.duration_s == 30.0
    assert clip.windows == 1
    assert clip.language == "vi"
    assert len(clip.text.split()) == 91
    source = (ROOT / "audio" / "SOURCE.md").read_text(encoding="utf-8")
    assert clip.sha256 in source
    assert hashlib.sha256(STANDARD_CLIP.read_bytes()).hexdigest() == clip.sha256


def test_samples_are_those_that_faster_whisper_decodes():
    from faster_whisper.audio import decode_audio

    ours = samples_of(load_clip(STANDARD_CLIP))
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(ours, decode_audio(str(STANDARD_CLIP)))


@pytest.mark.parametrize(("seconds", "windows"), [(1, 1), (30, 1), (31, 2), (60, 2), (61, 3)])
def test_work_is_counted_in_windows_of_30_s(tmp_path, seconds, windows):
    clip = load_clip(write_wav(tmp_path / "a.wav", bytes(2 * 16_000 * seconds)))
    assert clip.windows == windows
    assert clip.text is None


@pytest.mark.parametrize(
    ("settings", "actual"),
    [
        ({"rate": 44_100}, "44100 Hz, 1 channel(s), 16 bit"),
        ({"channels": 2}, "16000 Hz, 2 channel(s), 16 bit"),
        ({"width": 1}, "16000 Hz, 1 channel(s), 8 bit"),
    ],
)
def test_a_clip_of_a_wrong_format_is_refused_with_file_value_and_remedy(tmp_path, settings, actual):
    path = write_wav(tmp_path / "a.wav", bytes(3200), **settings)
    with pytest.raises(BenchError) as caught:
        load_clip(path)
    message = str(caught.value)
    assert str(path) in message
    assert actual in message
    assert "ffmpeg -i INPUT -ar 16000 -ac 1" in message


def test_a_missing_file_no_wav_and_no_audio_are_refused(tmp_path):
    with pytest.raises(BenchError, match="no such file; name one with --whisper-clip"):
        load_clip(tmp_path / "absent.wav")
    (tmp_path / "text.wav").write_text("not audio")
    with pytest.raises(BenchError, match="not a WAV file that can be read"):
        load_clip(tmp_path / "text.wav")
    write_wav(tmp_path / "empty.wav", b"")
    with pytest.raises(BenchError, match="it holds no audio"):
        load_clip(tmp_path / "empty.wav")


def test_a_clip_that_is_cut_short_is_refused(tmp_path):
    path = write_wav(tmp_path / "a.wav", bytes(3200))
    path.write_bytes(path.read_bytes()[:-1001])
    with pytest.raises(BenchError, match="it is cut short, 1099 of 1600 samples are there"):
        load_clip(path)


def test_a_clips_text_that_is_not_utf_8_is_refused(tmp_path):
    path = write_wav(tmp_path / "a.wav", bytes(3200))
    path.with_suffix(".txt").write_bytes("gió".encode("utf-16"))
    with pytest.raises(BenchError, match=r"a\.txt: .*UTF-8"):
        load_clip(path)


def test_a_byte_order_mark_is_left_out_of_text_and_facts(tmp_path):
    clip = write_wav(tmp_path / "clip.wav", b"\1\0")
    clip.with_suffix(".txt").write_text("một", encoding="utf-8-sig")
    clip.with_suffix(".json").write_text('{"language": "vi"}', encoding="utf-8-sig")
    assert (load_clip(clip).text, load_clip(clip).language) == ("một", "vi")


def test_facts_beside_the_clip_are_checked(tmp_path):
    path = write_wav(tmp_path / "a.wav", bytes(3200))
    facts = tmp_path / "a.json"
    facts.write_text(json.dumps({"sha256": "0" * 64}))
    with pytest.raises(BenchError, match=r"a\.json says 0000"):
        load_clip(path)
    facts.write_text(json.dumps({"sha": "0"}))
    with pytest.raises(BenchError, match="`sha`.*sha256, language"):
        load_clip(path)


@pytest.mark.parametrize(
    ("facts", "actual"),
    [
        (
            '{"language": "english"}',
            "language 'english' is not one of Whisper's codes; use one of af",
        ),
        ('{"language": ""}', "language '' is not one"),
        ('{"language": 1}', r"Expected `str \| null`"),
        ('{"language": "\\u001b[2J"}', r"language '\\x1b\[2J' is not one"),
        ('{"word_error_rate_bound": {"base": -0.1}}', "Expected `float` >= 0.0"),
        ('{"word_error_rate_bound": {"base": NaN}}', "JSON is malformed"),
        ('{"word_error_rate_bound": {"base": 1e999}}', "[Nn]umber out of range"),
        ('{"word_error_rate_bound": {"base": "0.1"}}', "Expected `float`, got `str`"),
        ('{"word_error_rate_bound": {"bse": 0.1}}', "has 'bse', which is no model; use base, sma"),
        ('{"sha256": 5}', r"Expected `str \| null`"),
        ("[" * 100_000, "(recursion|nested|malformed|Expected)"),
        ("", "Input data was truncated"),
        ("[]", "Expected `object`"),
    ],
)
def test_facts_of_a_wrong_type_or_range_are_refused(tmp_path, facts, actual):
    path = write_wav(tmp_path / "a.wav", bytes(3200))
    path.with_suffix(".txt").write_text("a")
    path.with_suffix(".json").write_text(facts)
    with pytest.raises(BenchError, match=actual) as caught:
        load_clip(path)
    assert str(tmp_path / "a.json") in str(caught.value)


def test_facts_that_are_not_utf_8_are_refused(tmp_path):
    path = write_wav(tmp_path / "a.wav", bytes(3200))
    path.with_suffix(".json").write_bytes(b'{"language": "\xff"}')
    with pytest.raises(BenchError, match=r"a\.json: .*the keys are sha256, language"):
        load_clip(path)


def test_a_clip_without_a_language_has_none(tmp_path):
    path = write_wav(tmp_path / "a.wav", bytes(3200))
    assert load_clip(path).language is None
    path.with_suffix(".json").write_text('{"language": null}')
    assert load_clip(path).language is None


def test_a_bound_without_a_text_is_refused(tmp_path):
    path = write_wav(tmp_path / "a.wav", bytes(3200))
    path.with_suffix(".json").write_text('{"word_error_rate_bound": {"base": 0.5}}')
    with pytest.raises(BenchError, match=r"a\.json .*bound .* a\.txt .*missing; add"):
        load_clip(path)


@pytest.mark.parametrize("text", ["", " \n", "\ufeff", "...!", "♪"])
def test_a_text_without_words_is_refused(tmp_path, text):
    path = write_wav(tmp_path / "a.wav", bytes(3200))
    path.with_suffix(".txt").write_text(text, encoding="utf-8")
    with pytest.raises(BenchError, match=r"a\.txt: .*no words; write"):
        load_clip(path)


@pytest.mark.parametrize("name", [".wav", ".a.wav", "a\x1b.wav", "a\n.wav", "é" * 95 + ".wav"])
def test_a_clips_name_that_cannot_be_a_file_name_is_refused(tmp_path, name):
    path = write_wav(tmp_path / name, bytes(3200))
    with pytest.raises(BenchError, match="a file gets this name"):
        load_clip(path)


def test_a_clip_replaced_since_it_was_hashed_is_refused(tmp_path):
    path = write_wav(tmp_path / "a.wav", bytes(3200))
    clip = load_clip(path)
    assert len(samples_of(clip)) == 1600
    write_wav(path, bytes(3202))
    with pytest.raises(BenchError, match=rf"sha256 was {clip.sha256} .*and is [0-9a-f]{{64}}"):
        samples_of(clip)


def _make_clips(*arguments):
    script = ROOT / "audio" / "make_clips.py"
    return subprocess.run(
        [sys.executable, str(script), *arguments], capture_output=True, text=True, check=False
    )


def test_other_lengths_are_cut_and_joined_with_their_text():
    done = _make_clips("lengths", "5", "15", "60", "95")
    assert done.returncode == 0, done.stderr
    whole, words = samples_of(load_clip(STANDARD_CLIP)), load_clip(STANDARD_CLIP).text.split()
    for seconds, count in ((5, 15), (15, 45), (60, 182), (95, 288)):
        clip = load_clip(ROOT / "audio" / f"vi_{seconds}s.wav")
        assert clip.duration_s == seconds
        assert clip.text.split() == (words * 4)[:count]
        np.testing.assert_array_equal(samples_of(clip), np.tile(whole, 4)[: seconds * 16_000])


def test_a_length_that_cuts_a_sentence_has_no_text_and_no_bound():
    stale = ROOT / "audio" / "vi_7s.txt"
    stale.write_text("another clip's", encoding="utf-8")
    assert _make_clips("lengths", "7", "100").returncode == 0
    for seconds in (7, 100):
        clip = load_clip(ROOT / "audio" / f"vi_{seconds}s.wav")
        assert (clip.duration_s, clip.text) == (seconds, None)
        assert clip.word_error_rate_bound == {}
        assert clip.language == "vi"


def test_the_standard_clip_is_not_written_again():
    before = STANDARD_CLIP.stat()
    assert _make_clips("lengths", "30").stdout == f"{STANDARD_CLIP}\n"
    assert STANDARD_CLIP.stat() == before


@pytest.mark.parametrize("length", ["0", "601", "-5"])
def test_a_length_out_of_range_is_refused(length):
    done = _make_clips("lengths", "--", length)
    assert done.returncode == 1
    assert done.stderr == f"{length} s: lengths are 1 to 600 s\n"


def test_speaking_the_standard_clip_again_gives_the_same_bytes(tmp_path):
    try:
        printed = subprocess.run(
            ["espeak-ng", "--version"], capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        # the voice is a program of the system's: the same bytes can be made with nothing else
        pytest.skip(
            reason="espeak-ng is not installed, a program of the system's that pip cannot bring "
            "(Debian: apt-get install espeak-ng; .ci/run does)"
        )
    version = re.search(r"1\.\d+", printed.stdout)[0]
    if version != "1.51":
        # another version speaks other bytes, which would say nothing of the clip
        pytest.skip(
            reason=f"espeak-ng {version} speaks in another way than 1.51, which made the clip whose "
            "bytes are compared here"
        )
    for name in ("make_clips.py", "vi_30s.txt", "vi_30s.json"):
        (tmp_path / name).write_bytes((ROOT / "audio" / name).read_bytes())
    subprocess.run([sys.executable, str(tmp_path / "make_clips.py"), "speak"], check=True)
    assert (tmp_path / "vi_30s.wav").read_bytes() == STANDARD_CLIP.read_bytes()
