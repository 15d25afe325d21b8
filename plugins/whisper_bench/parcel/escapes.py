r"""Lines of a log as they were before a log collector or a terminal changed them.

JSON may write a slash as `\/` and any character as `\u003a`, and JSON in JSON doubles the
backslashes; `grep --color` and terminals add colour codes. A frame has none of these in it, so
removing them never damages one.
"""

import re

_MOST_BACKSLASHES = 16
"""Of one escape: JSON in JSON in JSON in JSON."""
# Only from the first of several backslashes: many in a row are not read again from each of them.
_ESCAPE = re.compile(rf'(?<!\\)\\{{1,{_MOST_BACKSLASHES}}}(?:u00([0-7][0-9A-Fa-f])|([/"nrt]))')
_COLOUR = re.compile(r"\x1b\[[0-9;:]{0,30}[A-Za-z]")
_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}


def unescaped(text: str) -> str:
    """Return a text without JSON's escapes of ASCII characters and without colour codes."""
    if "\\" in text:
        text = _ESCAPE.sub(_sign, text)
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    return text


def _sign(match: "re.Match[str]") -> str:
    return chr(int(match[1], 16)) if match[1] else _LETTERS.get(match[2], match[2])
