"""Text as words to compare: case, punctuation and ways to encode a letter do not count.

Whisper's own normaliser drops every combining mark, and with them the vowels of Hindi, Bengali,
Tamil or Thai, so that a wrong word counts as right. Here marks are parts of letters and stay.
"""

import re
import unicodedata
from collections.abc import Iterator

from whisper_bench.case.language_codes import TURKIC_I, WITHOUT_SPACES

_APOSTROPHES = frozenset("'\u2018\u2019\u02bb\u02bc")
_NOT_SEEN = frozenset(
    map(chr, (0x034F, *range(0x180B, 0x180E), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
"""Marks that nobody sees: the grapheme joiner and variation selectors, as after an emoji."""
_TATWEEL = "\u0640"
"""It stretches an Arabic word on the line, and is no letter of it."""
_ALWAYS_KEPT = re.compile("[A-Za-z0-9]")
_DOT_ABOVE = "\u0307"
_ABOVE = 230  # Unicode's combining class of marks above a letter
_CASE_FOLDINGS = 2
"""Unicode folds twice for caseless matching of compatibility forms (The Unicode Standard, D146)."""


def normalised(text: str, language: str | None = None) -> str:
    """Fold the case, drop punctuation and symbols, put one space between words.

    Compatibility forms become what they stand for (NFKC): full-width digits and ligatures are
    how a text is typed, and not what was said; so are the digits of other scripts. Letters keep
    their marks, words the apostrophe within them, in one form. Signs that nobody sees are dropped:
    joiners, soft hyphens, marks of direction. `language` matters for Turkish and Azerbaijani, where
    I is the capital of dotless i.
    """
    return unicodedata.normalize("NFC", " ".join(_words(_folded(text, language))))


def has_words(text: str) -> bool:
    """Tell whether anything of a text is left when it is normalised; quick, for many texts."""
    return bool(_ALWAYS_KEPT.search(text)) or any(map(normalised, text.split()))


def units_of(text: str, language: str | None = None) -> list[str]:
    """Return what errors are counted in: normalised words, or characters with their marks.

    Characters where the language has no spaces between words.
    """
    words = normalised(text, language).split()
    return list(_characters("".join(words))) if language in WITHOUT_SPACES else words


def _folded(text: str, language: str | None) -> str:
    """Fold case and compatibility forms; letters come back apart from their marks."""
    # symbols go first: the compatibility form of the trade mark sign is two letters
    seen = "".join(map(_plain_sign, unicodedata.normalize("NFD", text)))
    folded = unicodedata.normalize("NFKC", seen)
    if language in TURKIC_I:
        folded = folded.replace("\u0130", "i").replace("I", "\u0131")
    for _ in range(_CASE_FOLDINGS):
        folded = unicodedata.normalize("NFKD", folded.casefold())
    return "".join(_without_dot(folded))


def _plain_sign(sign: str) -> str:
    category = unicodedata.category(sign)
    if sign == _TATWEEL or sign in _NOT_SEEN or (category in {"Cf", "Cc"} and not sign.isspace()):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(sign))
    return " " if category[0] == "S" else sign


def _without_dot(folded: str) -> Iterator[str]:
    """Drop the dot that a folded capital I with a dot leaves above its i."""
    after_i = False
    for sign in folded:
        if after_i and sign == _DOT_ABOVE:
            continue
        # marks below the letter may stand in between
        after_i = sign == "i" or (after_i and unicodedata.combining(sign) not in {0, _ABOVE})
        yield sign


def _words(folded: str) -> Iterator[str]:
    """Yield the words; an apostrophe stays between two letters, and parts words anywhere else."""
    for token in "".join(map(_word_sign, folded)).split():
        word = ""
        for piece in map(_without_stray_marks, token.split("'")):
            if word and piece and _last_kind(word) == _kind(piece[0]) == "L":
                word += f"'{piece}"
                continue
            if word:
                yield word
            word = piece
        if word:
            yield word


def _word_sign(sign: str) -> str:
    if sign in _APOSTROPHES:
        return "'"
    return " " if _kind(sign) in "PSZ" else sign


def _without_stray_marks(piece: str) -> str:
    """Drop marks that are on no letter: what they were on has been dropped."""
    start = next((at for at, sign in enumerate(piece) if _kind(sign) != "M"), len(piece))
    return piece[start:]


def _last_kind(word: str) -> str:
    return next(kind for kind in map(_kind, reversed(word)) if kind != "M")


def _kind(sign: str) -> str:
    """Return Unicode's general category by its first letter."""
    return unicodedata.category(sign)[0]


def _characters(text: str) -> Iterator[str]:
    """Yield each letter with the marks that follow it."""
    start = 0
    for end, sign in enumerate(text):
        if end and _kind(sign) != "M":
            yield text[start:end]
            start = end
    if text:
        yield text[start:]
