"""Names that become part of a file's name: of a saved run, a model, a clip, a folder of runs.

They come from options, saved runs, logs and journals, and are checked where they enter.
"""

from whisper_bench.errors import BenchError
from whisper_bench.text.plain import plain, quoted

MOST_BYTES = 180
"""File systems take 255 bytes a name; the rest is for what we put around it: a number, a date, the
ending, and what tells a file apart that is still being written."""
_SEPARATORS = "/\\"


def checked_name(value: str, what: str, remedy: str = "give another name") -> str:
    """Return a name that may stand in a file's name, as it is.

    Any language's letters and spaces may. `what` names the value for people, such as "clip".

    Raises:
        BenchError: it is empty, too long, begins with a dot, or has a separator of folders or a
            character that cannot be shown.

    """
    trouble = name_trouble(value)
    if trouble is not None:
        raise BenchError(
            f"{what} {quoted(value)}: a file is named after it, and {trouble}; {remedy}"
        )
    return value


def name_trouble(value: str) -> str | None:
    """Say why a value may not stand in a file's name; None where it may."""
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
        return f"it has {size} bytes, {MOST_BYTES} are the most"
    return None
