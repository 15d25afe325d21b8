"""Make the standard clip from its text, and clips of other lengths from the standard clip.

    python audio/make_clips.py speak          # vi_30s.wav; needs espeak-ng 1.51 and numpy
    python audio/make_clips.py lengths 5 10 60  # vi_5s.wav ... cut or joined from vi_30s.wav

The text has three paragraphs, spoken into the slots 0-5 s, 5-15 s and 15-30 s, so that a clip cut
at 5 or 15 s, or so long after whole repeats, ends with a sentence and its text is known. One that
is cut elsewhere has no text beside it: which words are in it is not known to the letter.
"""

import argparse
import hashlib
import json
import subprocess
import tempfile
import wave
from pathlib import Path

HERE = Path(__file__).parent
STANDARD = HERE / "vi_30s.wav"
PARAGRAPHS = HERE / "vi_30s.txt"
RATE_HZ = 16_000
SLOTS_S = (5, 10, 15)
WHOLE_S = 30
CUTS_S = {0: 0, 5: 1, 15: 2}  # length: the paragraphs in it
LENGTHS_S = range(1, 601)
HALF_WIDTH = 32  # taps of the resampling filter on either side


def speak() -> None:
    """Write vi_30s.wav and vi_30s.json from vi_30s.txt, the same bytes every time."""
    pcm = b"".join(
        _fitted(_spoken(paragraph), slot_s)
        for paragraph, slot_s in zip(_paragraphs(), SLOTS_S, strict=True)
    )
    _write_wav(STANDARD, pcm)
    facts = json.loads(STANDARD.with_suffix(".json").read_text(encoding="utf-8"))
    _write_facts(STANDARD, facts)


def cut_or_join(length_s: int) -> Path:
    """Write vi_<length>s.wav, whole repeats and a cut, with its text beside it if that is known."""
    if length_s not in LENGTHS_S:
        raise SystemExit(f"{length_s} s: lengths are {LENGTHS_S[0]} to {LENGTHS_S[-1]} s")
    repeats, rest_s = divmod(length_s, WHOLE_S)
    with wave.open(str(STANDARD)) as file:
        whole = file.readframes(file.getnframes())
    path = STANDARD.with_name(f"vi_{length_s}s.wav")
    if path == STANDARD:
        return path
    _write_wav(path, whole * repeats + whole[: rest_s * RATE_HZ * 2])
    facts = json.loads(STANDARD.with_suffix(".json").read_text(encoding="utf-8"))
    if rest_s in CUTS_S:
        text = _paragraphs() * repeats + _paragraphs()[: CUTS_S[rest_s]]
        path.with_suffix(".txt").write_text("\n".join(text) + "\n", encoding="utf-8")
    else:
        path.with_suffix(".txt").unlink(missing_ok=True)
        del facts["word_error_rate_bound"]  # there is nothing to hold to it
    _write_facts(path, facts)
    return path


def _paragraphs() -> list[str]:
    return PARAGRAPHS.read_text(encoding="utf-8").splitlines()


def _spoken(text: str) -> tuple[bytes, int]:
    """Return espeak-ng's 16-bit samples of `text` and their rate."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "spoken.wav")
        command = ["espeak-ng", "-v", "vi", "-s", "150", "-a", "70", "-w", str(path), text]
        subprocess.run(command, check=True)
        with wave.open(str(path)) as file:
            return file.readframes(file.getnframes()), file.getframerate()


def _fitted(spoken: tuple[bytes, int], slot_s: int) -> bytes:
    """Resample to 16 kHz and pad with silence to the slot's length."""
    pcm = _resampled(*spoken)
    room = slot_s * RATE_HZ * 2 - len(pcm)
    if room < 0:
        raise SystemExit(
            f"the paragraph for the {slot_s} s slot is {-room / 2 / RATE_HZ:.2f} s too long"
        )
    return pcm + bytes(room)


def _resampled(pcm: bytes, rate_hz: int) -> bytes:
    """Resample by a Hann-windowed sinc, its pass band that of the lower rate (Smith, 2002)."""
    import numpy as np

    source = np.frombuffer(pcm, "<i2").astype(np.float64)
    count = len(source) * RATE_HZ // rate_hz
    at = np.arange(count) * (rate_hz / RATE_HZ)
    nearest = np.floor(at).astype(int)[:, None] + np.arange(1 - HALF_WIDTH, HALF_WIDTH + 1)
    distance = at[:, None] - nearest
    band = min(1.0, RATE_HZ / rate_hz)
    window = 0.5 + 0.5 * np.cos(np.pi * distance / HALF_WIDTH)
    taps = band * np.sinc(band * distance) * window
    padded = np.pad(source, HALF_WIDTH)
    values = (padded[nearest + HALF_WIDTH] * taps).sum(axis=1)
    rounded: bytes = np.clip(np.rint(values), -32768, 32767).astype("<i2").tobytes()
    return rounded


def _write_wav(path: Path, pcm: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(pcm)


def _write_facts(path: Path, facts: dict[str, object]) -> None:
    facts["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("speak", help="make vi_30s.wav from its text")
    lengths = verbs.add_parser("lengths", help="make clips of other lengths from vi_30s.wav")
    lengths.add_argument("seconds", type=int, nargs="+")
    options = parser.parse_args()
    if options.verb == "speak":
        speak()
        print(STANDARD)
    else:
        for seconds in options.seconds:
            print(cut_or_join(seconds))


if __name__ == "__main__":
    main()
