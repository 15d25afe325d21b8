"""Ctrl-C at every line of a run leaves no Pod: on a fake cluster, so that every line is tried."""

import contextlib
import itertools
import signal
import sys

import msgspec

from support.pod_runs import bench_pod
from whisper_bench.cluster.follow import Waits
from whisper_bench.cluster.objects import Pod
from whisper_bench.cluster.run import PodRun

PLACES = 400
"""Lines of our code that run in a Pod's life; some 200 are the start and the first look."""


class Fake:
    """A cluster of one Pod that never ends."""

    namespace, context = "default", "fake"

    def __init__(self):
        self.there = None

    def pod(self, _name):
        return self.there

    def create(self, pod):
        metadata = {**pod["metadata"], "uid": "1"}
        created = {**pod, "metadata": metadata, "status": {"phase": "Running"}}
        self.there = msgspec.convert(created, Pod)
        return self.there

    def log(self, *_):
        return ""

    def delete(self, *_):
        self.there = None


def left_after_signals_at(place, pod):
    """Run a Pod, signal from the given line of our code on, and return what is left of it."""
    cluster, lines = Fake(), itertools.count()
    runs = PodRun(cluster, lambda _: None, waits=Waits(poll_s=0.0))

    def trace(frame, event, _argument):
        ours = "whisper_bench" in frame.f_code.co_filename or frame.f_code.co_name == "__exit__"
        if event == "line" and next(lines) in {place, place + 1, place + 7}:
            signal.raise_signal(signal.SIGINT)
        return trace if ours else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            runs.to_end(pod, lambda _: None)
    finally:
        sys.settrace(before)
    return cluster.there


def test_no_place_leaves_a_pod():
    pod = bench_pod()
    assert [place for place in range(PLACES) if left_after_signals_at(place, pod)] == []
