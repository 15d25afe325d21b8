"""A fast wrong answer is a failure: every transcript is checked."""

from whisper_bench.case.clip import Clip
from whisper_bench.case.language_codes import WITHOUT_SPACES
from whisper_bench.case.normalise import units_of
from whisper_bench.errors import WrongAnswerError
from whisper_bench.weights.pins import is_shape_only

_SHOWN = 120


class TranscriptCheck:
    """Compare each round's transcript with the first one of the same model and clip."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], tuple[str, int, str]] = {}

    def check(self, model: str, clip: Clip, text: str, tokens: int, where: str) -> None:
        """Accept a transcript, or say how it differs; `where` names the round for the message.

        Raises:
            WrongAnswerError: another text or token count than before, or too many wrong words.

        """
        known = self._first.get((model, clip.sha256))
        if known is None:
            self._check_words(model, clip, text, where)
            self._first[model, clip.sha256] = (text, tokens, where)
            return
        first_text, first_tokens, first_where = known
        if (text, tokens) != (first_text, first_tokens):
            raise WrongAnswerError(
                f"{where}: the transcript differs from that of {first_where} "
                f"({tokens} tokens against {first_tokens}), so the rounds did different work:",
                f"  {first_where}: {first_text}",
                f"  {where}: {text}",
            )

    def _check_words(self, model: str, clip: Clip, text: str, where: str) -> None:
        rate, bound = word_error_rate(clip, text), word_error_rate_bound(model, clip)
        if rate is not None and bound is not None and rate > bound:
            raise WrongAnswerError(
                f"{where}: {rate_name(clip.language)} {rate:.3f} is over the bound of {bound:g} "
                f"that is recorded for {clip.name} and {model}; the transcript begins: "
                f"{text[:_SHOWN]!r}; if this is the right model, write a bound into "
                f"{clip.name}.json beside the clip"
            )


def word_error_rate(clip: Clip, text: str) -> float | None:
    """Return (substitutions + deletions + insertions) / words of the clip's text; None without one.

    Case and punctuation do not count (`normalised`). In a language without spaces between words
    (`WITHOUT_SPACES`) it is the character error rate: a character with its marks is a word.
    """
    if clip.text is None:
        return None
    import jiwer

    words, heard = (" ".join(units_of(spoken, clip.language)) for spoken in (clip.text, text))
    return float(jiwer.wer(words, heard))


def rate_name(language: str | None) -> str:
    """Name what `word_error_rate` is in a language."""
    return "character error rate" if language in WITHOUT_SPACES else "word error rate"


def word_error_rate_bound(model: str, clip: Clip) -> float | None:
    """Return the bound recorded for this model, else base's: a larger model reads no worse.

    Weights of a model's shape alone read as base does.
    """
    bounds = clip.word_error_rate_bound
    own = None if is_shape_only(model) else bounds.get(model)
    return bounds.get("base") if own is None else own
