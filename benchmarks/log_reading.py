"""How fast logs are read, normal and hostile ones: MB/s, and the time relative to half the log.

Run with `python benchmarks/log_reading.py`. A ratio of 2 is linear; 4 would be quadratic.
"""

import random
import sys
import time
from collections.abc import Callable

from whisper_bench.parcel.frames import MARK, encode
from whisper_bench.parcel.reassemble import payloads_in

_MEGABYTE = 10**6
_MOST_RATIO = 3.0
"""Timings are noisy; a step from linear to quadratic doubles them."""


def _frames(size: int) -> str:
    return "\n".join(encode(random.Random(1).randbytes(size * 2 // 3)))


def _filled(piece: str) -> Callable[[int], str]:
    return lambda size: piece * (size // len(piece))


LOGS: dict[str, Callable[[int], str]] = {
    "frames": _frames,
    "lines that end in w": _filled("the log says now\n"),
    "words that may end a frame": _filled("; "),
    "cut frames and ends": _filled(f"{MARK}1:ab " + "; " * 20),
    "marks, one per line": _filled(f"{MARK}1\n"),
    "marks in one line": _filled(MARK),
    "frames that never end": _filled("1:" + "a" * 32 + ":1/2:" + "0" * 8 + ":" + "A" * 890 + " "),
    "backslashes": _filled("\\"),
    "newlines": _filled("\n"),
    "one line": _filled("x"),
}


def _elapsed_s(text: str) -> float:
    """Return the CPU-seconds of the quickest of three readings."""
    elapsed = []
    for _ in range(3):
        start_s = time.process_time()
        payloads_in(text)
        elapsed.append(time.process_time() - start_s)
    return min(elapsed)


def main() -> int:
    """Print one line per kind of log; return 1 if the time of one is not linear."""
    slow = []
    for name, made in LOGS.items():
        half, whole = made(2 * _MEGABYTE), made(4 * _MEGABYTE)
        half_s, whole_s = _elapsed_s(half), _elapsed_s(whole)
        ratio = whole_s / half_s
        print(f"{name:28} {len(whole) / _MEGABYTE / whole_s:8.1f} MB/s   {ratio:4.1f} times half's")
        if ratio > _MOST_RATIO:
            slow.append(name)
    if slow:
        print(f"not linear: {', '.join(slow)}")
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main())
