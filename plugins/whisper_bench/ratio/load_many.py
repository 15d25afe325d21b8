"""Thousands of saved runs, loaded by all CPUs: reading one costs far more than handing it over."""

import os
import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from whisper_bench.ratio.load import load_file
from whisper_bench.ratio.run import Run

_WORTH_IT = 100
"""Runs from which workers pay: below, starting them takes as long as what they save."""
_CHUNK = 50
"""Runs that are handed over at a time; what they have in common travels once."""
_MOST_WORKERS = 8
"""Each takes about 30 MB."""


def load_files(paths: Sequence[Path]) -> list[Run]:
    """Load saved runs, in their order.

    Raises:
        BenchError: one is broken, foreign or of another version; the first of them is named.

    """
    workers = min(os.cpu_count() or 1, _MOST_WORKERS)
    if len(paths) < _WORTH_IT or workers == 1:
        return _loaded(paths)
    chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    try:
        with ProcessPoolExecutor(workers, initializer=_leave_interrupts) as pool:
            return [run for chunk in pool.map(_loaded, chunks) for run in chunk]
    except (OSError, BrokenProcessPool):  # no semaphores here, or a worker was killed
        return _loaded(paths)


def _loaded(paths: Sequence[Path]) -> list[Run]:
    return [load_file(path) for path in paths]


def _leave_interrupts() -> None:
    """Leave Ctrl-C to the command, which ends its workers: else each prints a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
