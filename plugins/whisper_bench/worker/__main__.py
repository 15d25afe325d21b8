"""The worker's own program: `python -P -m whisper_bench.worker`, started by `process.Worker`."""

import os
import signal
import sys
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

import msgspec

from whisper_bench.case.clip import Clip
from whisper_bench.errors import BenchError
from whisper_bench.machine.counters import CpuCounters, counters_of, most_throttled
from whisper_bench.machine.cpu_limit import cpu_limit_in_force, quota_groups
from whisper_bench.text.plain import readable
from whisper_bench.worker.busy import with_busy_threads
from whisper_bench.worker.engine import LoadedModel, load_model, run_benchmark, run_warmup
from whisper_bench.worker.environment import RECORDED_PREFIXES
from whisper_bench.worker.protocol import (
    LANGUAGE,
    ROUNDS,
    Assignment,
    Failed,
    Heard,
    Measured,
    Ready,
    Reply,
)
from whisper_bench.worker.usage import peak_rss_bytes, run_queue_wait_s

_LIBRARIES = ("faster-whisper", "ctranslate2", "numpy", "tokenizers", "av")
_PR_SET_PDEATHSIG = 1  # Linux, include/uapi/linux/prctl.h


def main() -> None:
    """Load, warm up, then measure one round for each line on stdin, until it ends."""
    _end_with_parent()
    # Ctrl-C reaches the whole foreground group; the run ends its worker itself
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    replies = _claim_stdout()
    requests = sys.stdin.buffer
    try:
        assignment = msgspec.json.decode(requests.readline(), type=Assignment)
        model, ready = _load(assignment)
        _send(replies, ready)
        meter = _Meter(model, assignment.clip)
        while request := requests.readline():
            if request.rstrip() == LANGUAGE:
                _send(replies, Heard(model.language_of(assignment.clip)))
            elif request.rstrip() == ROUNDS:
                _measure_until_ended(replies, meter)
            else:
                _send(replies, meter.measure())
    except BenchError as error:
        _send(replies, Failed(str(error)))


def _measure_until_ended(replies: BinaryIO, meter: "_Meter") -> None:
    """Measure one round after another; the run ends this process, or closes the pipe."""
    with suppress(BrokenPipeError):
        while True:
            _write(replies, meter.measure())


def _load(assignment: Assignment) -> tuple[LoadedModel, Ready]:
    model = load_model(
        assignment.model,
        threads=assignment.threads,
        compute_type=assignment.compute_type,
        decoding=assignment.decoding,
        folder=Path(assignment.folder),
        files=assignment.files,
    )
    run_warmup(model, assignment.clip, assignment.warmup_rounds)
    ready = Ready(
        pid=os.getpid(),
        load_s=model.load_s,
        compute_type=model.compute_type,
        cpu_limit=with_busy_threads(cpu_limit_in_force(), assignment.threads),
        versions={name: version(name) for name in _LIBRARIES},
        environment={
            readable(name): readable(value)
            for name, value in sorted(os.environ.items())
            if name.startswith(RECORDED_PREFIXES)
        },
        files=model.files,
        peak_rss_bytes=peak_rss_bytes(),
    )
    return model, ready


class _Meter:
    """Rounds of one model, each with what the kernel counted during it."""

    def __init__(self, model: LoadedModel, clip: Clip) -> None:
        self._rounds = run_benchmark(model, clip, rounds=sys.maxsize)
        self._groups = quota_groups()

    def measure(self) -> Measured:
        counters, wait_s, start_s = self._counters(), run_queue_wait_s(), time.monotonic()
        transcription = next(self._rounds)
        wait_end_s, counters_end = run_queue_wait_s(), self._counters()
        return Measured(
            transcription=transcription,
            wait_s=None if wait_s is None or wait_end_s is None else max(0.0, wait_end_s - wait_s),
            counters=most_throttled(counters, counters_end),
            peak_rss_bytes=peak_rss_bytes(),
            start_s=start_s,
        )

    def _counters(self) -> list[CpuCounters | None]:
        return [counters_of(group) for group in self._groups]


def _claim_stdout() -> BinaryIO:
    """Keep the pipe for replies; what libraries print on stdout goes to stderr."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return replies


def _send(replies: BinaryIO, reply: Reply) -> None:
    with suppress(BrokenPipeError):
        _write(replies, reply)


def _write(replies: BinaryIO, reply: Reply) -> None:
    replies.write(msgspec.json.encode(reply) + b"\n")
    replies.flush()


def _end_with_parent() -> None:
    """Ask Linux to kill this process with its parent; elsewhere the end of stdin ends it."""
    if sys.platform != "linux":
        return
    import ctypes

    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    main()
