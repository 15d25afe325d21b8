"""Environment variables that we read: a blank one is misuse."""

import os

from whisper_bench.errors import BenchError


def variable(name: str) -> str | None:
    """Return a variable's value, None if it is not set.

    Raises:
        BenchError: it is blank, as happens if it was set from a variable that does not exist.

    """
    value = os.environ.get(name)
    if value is not None and not value.strip():
        raise BenchError(f"{name} is set to {value!r}; give it a value, or unset it")
    return value
