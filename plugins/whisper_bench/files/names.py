"""Names that become part of a file name: of a saved run, a model, a clip, a folder of runs.

They come from options, saved runs, logs and journals, and are checked as they are read.
"""

from whisper_bench.errors import BenchError
from whisper_bench.text.plain import plain, quoted

MOST_BYTES = 180
"""File systems allow 255 bytes a name; the rest is for what we add: a number, a date, the ending,
and the mark of a file that is still being written."""
_SEPARATORS = "/\\"


def checked_name(value: str, what: str, remedy: str = "give another name") -> str:
    """Return a name unchanged, if it may be part of a file name.

    Letters of any language and spaces are allowed. `what` names the value for people, such as
    "clip".

    Raises:
        BenchError: it is empty, too long, begins with a dot, or has a slash, a backslash or a
            character that cannot be shown.

    """
    trouble = name_trouble(value)
    if trouble is not None:
        raise BenchError(f"{what} {quoted(value)}: a file gets this name, and {trouble}; {remedy}")
    return value


def name_trouble(value: str) -> str | None:
    """Say why a value cannot be part of a file name; None if it can."""
    if not value.strip():
        return "it is empty"
    if any(sign in value for sign in _SEPARATORS):
        return "it has / or \\ in it"
    if value.startswith("."):
        return "it begins with a dot"
    if plain(value) != value:
        return "it has a character that cannot be printed"
    size = len(value.encode())
    if size > MOST_BYTES:
        return f"it has {size} bytes, and at most {MOST_BYTES} are allowed"
    return None
