"""Processes of tests: waiting for an end that the kernel may report late on a busy machine."""

import time
from pathlib import Path

LONG_S = 120.0
"""Far longer than any process of a test needs to end."""


def has_ended(pid):
    """Whether a process is gone, or is a zombie that nobody has waited for yet."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def wait_until(condition, what):
    """Wait until a condition holds; `what` says in the failure what did not happen."""
    until_s = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < until_s, f"after {LONG_S:g} s: {what}"
        time.sleep(0.02)
