"""Foreign text as it may be shown: what would move a cursor or reverse a line is escaped.

Files, logs, clusters and the environment have text that others wrote. It reaches a terminal, a CI
job's page or a report only through `plain`.
"""

import json
import unicodedata

JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Needed to spell Persian, Hindi and others; they neither move the cursor nor reverse text."""
_LETTERS_OF_A_LINE = frozenset("LMNPS")
"""Unicode's letters, marks, numbers, punctuation and symbols."""
_SPACE = "Zs"
_DELETE = "\x7f"
_LONGEST_QUOTED = 80
"""Characters of a value in a message: enough to find it in a file."""


def plain(text: str, keep: str = "") -> str:
    r"""Return a text in one line, with every character that is not safe in a line escaped.

    These are controls (ESC, newline, tab ...), marks of direction and other invisible characters,
    line separators and lone surrogates; not those in `keep`.

    >>> plain("Xeon\n\x1b[2J")
    'Xeon\\n\\x1b[2J'
    """
    if text.isprintable():
        return text
    return "".join(sign if sign in keep or _is_plain(sign) else ascii(sign)[1:-1] for sign in text)


def plain_json(document: str) -> str:
    """Return JSON with the same escapes; a reader gets the same text.

    Outside of strings JSON has nothing to escape except newlines.
    """
    if document.isascii() and _DELETE not in document:
        return document
    return "".join(
        sign if sign == "\n" or _is_plain(sign) else _json_escape(sign) for sign in document
    )


def _json_escape(sign: str) -> str:
    """Return the escape of one character; `json` leaves DEL as it is."""
    return json.dumps(sign)[1:-1].replace(_DELETE, "\\u007f")


def readable(text: str) -> str:
    """Return text that can be saved: bytes of a path or variable that are not UTF-8 as hex."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def quoted(value: str) -> str:
    """Return a value in quotes for a message, escaped; a long one is cut."""
    if len(value) <= _LONGEST_QUOTED:
        return f"'{plain(value)}'"
    return f"'{plain(value[:_LONGEST_QUOTED])}...' ({len(value)} characters)"


def _is_plain(sign: str) -> bool:
    category = unicodedata.category(sign)
    return category[0] in _LETTERS_OF_A_LINE or category == _SPACE or sign in JOINERS
