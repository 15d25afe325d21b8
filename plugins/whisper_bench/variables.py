"""Environment variables that we read: one that is set to nothing is misuse."""

import os

from whisper_bench.errors import BenchError


def variable(name: str) -> str | None:
    """Return a variable's value, None where it is not set.

    Raises:
        BenchError: it is blank, as where another variable that it was made of is not set.

    """
    value = os.environ.get(name)
    if value is not None and not value.strip():
        raise BenchError(f"{name} is set to {value!r}; give it a value, or unset it")
    return value
