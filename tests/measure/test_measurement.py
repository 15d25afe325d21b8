import msgspec
import pytest

from support.samples import CASE, LIMIT, NO_LIMIT, evidence, plan, ready
from whisper_bench.case.transcript import TranscriptCheck
from whisper_bench.errors import BenchError
from whisper_bench.machine.cpu_limit import CpuLimit
from whisper_bench.measure import copies as module
from whisper_bench.measure.measurement import FinishedRounds, Measurement


class FakeWorker:
    """A process that is always ready, under the limits given in turn."""

    limits: list

    def __init__(self, _assignment, _join):
        self.ready = msgspec.structs.replace(ready(1).ready, cpu_limit=self.limits.pop(0))

    def round(self):
        return evidence(4.5).rounds[0].measured

    def close(self):
        """There is nothing to end."""


class Lines(list):
    """A journal in memory."""

    def append(self, *lines):
        self.extend(lines)


@pytest.fixture
def measure(monkeypatch):
    monkeypatch.setattr(module, "Worker", FakeWorker)

    def make(actual, **settings):
        demanded = settings.pop("cpu_limit", None)
        asked = plan(**{"rounds": 5, "processes": 2, **settings})
        return Measurement(
            msgspec.structs.replace(asked, cpu_limit=demanded),
            actual,
            journal=Lines(),
            check=TranscriptCheck(),
            on_progress=lambda _: None,
        )

    return make


def run(measuring):
    for _ in range(measuring.remaining):
        measuring.before_round()
        measuring.round()
        measuring.after_round(4.5)
    return [line.process for line in measuring.finished.rounds]


def test_rounds_are_spread_over_fresh_processes(measure):
    FakeWorker.limits = [LIMIT] * 2
    assert run(measure(FinishedRounds([], []))) == [1, 1, 1, 2, 2]


def test_a_resumed_run_goes_on_in_processes_of_its_own(measure):
    FakeWorker.limits = [LIMIT] * 2
    assert run(measure(evidence(4.5, 4.5))) == [1, 1, 2, 3, 3]
    FakeWorker.limits = [LIMIT]
    assert run(measure(evidence(4.5, 4.5, 4.5, per_process=3))) == [1, 1, 1, 2, 2]


def test_nothing_is_left_of_a_whole_run_or_of_one_with_more_rounds(measure):
    assert measure(evidence(*[4.5] * 5)).remaining == 0
    assert measure(evidence(*[4.5] * 9)).remaining == 0


def test_a_limit_that_changes_during_a_run_is_an_error(measure):
    FakeWorker.limits = [LIMIT, NO_LIMIT]
    with pytest.raises(
        BenchError,
        match=f"{CASE.label}: the CPU limit was 1.0 in process 1 and is None in process 2",
    ):
        run(measure(FinishedRounds([], [])))


def test_a_demanded_limit_that_the_worker_does_not_have_is_an_error(measure):
    FakeWorker.limits = [NO_LIMIT]
    with pytest.raises(
        BenchError, match="--whisper-cpu-limit=2 was asked for, but the worker is under"
    ):
        run(measure(FinishedRounds([], []), cpu_limit=2.0))


def test_groups_that_were_seen_and_are_hidden_now_are_not_one_case(measure):
    """As a run that is begun on the host and resumed in a container."""
    FakeWorker.limits = [NO_LIMIT, msgspec.structs.replace(NO_LIMIT, tree="groups are hidden")]
    with pytest.raises(BenchError, match="control groups are hidden was False in process 1"):
        run(measure(FinishedRounds([], [])))


def test_a_quota_and_an_affinity_of_the_same_cpus_are_not_one_case(measure):
    pinned = CpuLimit(1.0, "affinity", None, None, 1, 8)
    FakeWorker.limits = [pinned, LIMIT]
    with pytest.raises(
        BenchError, match="the CPU quota was None in process 1 and is 1.0 in process 2"
    ):
        run(measure(FinishedRounds([], [])))
