"""A cluster that does not answer for a while, or no longer; on a real API server."""

import signal
import time

import pytest

from support.kubelets import STARTED, ended, logs
from support.pod_runs import INSECURE, POD, framed_log
from whisper_bench.cluster.client import ClusterError, UnreachableError
from whisper_bench.cluster.state import Phase
from whisper_bench.parcel.parcel import unpack

pytestmark = pytest.mark.filterwarnings(INSECURE)


class Flaky:
    """Makes a cluster's calls fail as a lost connection does."""

    def __init__(self, monkeypatch, cluster, name, failures):
        self._call = getattr(cluster, name)
        self.failures = failures
        monkeypatch.setattr(cluster, name, self)

    def __call__(self, *arguments):
        if self.failures:
            self.failures -= 1
            raise UnreachableError("no answer from the cluster (reset)")
        return self._call(*arguments)


def test_a_pod_whose_creation_was_not_answered_is_used(kubelet, runs, monkeypatch):
    """The Pod exists, but the answer was lost: it is ours."""
    create = runs.cluster.create

    def lost(pod):
        create(pod)
        raise UnreachableError("no answer from the cluster (reset)")

    monkeypatch.setattr(runs.cluster, "create", lost)
    kubelet.play(POD, *STARTED, logs(framed_log()), ended())
    assert runs.to_end().state.phase == Phase.SUCCEEDED
    assert kubelet.names() == []


def test_a_run_goes_on_when_the_connection_comes_back(kubelet, runs, monkeypatch):
    kubelet.play(POD, *STARTED, logs(framed_log()), ended())
    pods = Flaky(monkeypatch, runs.cluster, "pod", 0)

    def lose(*_):
        pods.failures = 1

    kubelet.play(POD, lose)
    assert runs.to_end().state.phase == Phase.SUCCEEDED
    assert kubelet.names() == []
    assert "the connection is back" in runs.said


def test_a_run_goes_on_when_a_log_could_not_be_read_once(kubelet, runs, monkeypatch):
    flaky = Flaky(monkeypatch, runs.cluster, "log", 1)

    def asked(*_):
        while flaky.failures:
            time.sleep(0.05)

    kubelet.play(POD, *STARTED, asked, logs(framed_log()), ended())
    assert unpack(runs.to_end().log)[0]
    assert kubelet.names() == []


def test_a_lost_connection_says_how_to_delete_the_pod(kubelet, runs, monkeypatch):
    monkeypatch.setattr("whisper_bench.cluster.run._CLEANUP_PATIENCE_S", 0.0)
    kubelet.play(POD, *STARTED)
    deletions = Flaky(monkeypatch, runs.cluster, "delete", 99)
    Flaky(monkeypatch, runs.cluster, "log", 99)
    pods = runs.cluster.pod
    asked = []

    def failing(name):
        asked.append(name)
        if len(asked) > 2:
            raise UnreachableError("no answer from the cluster (reset)")
        return pods(name)

    monkeypatch.setattr(runs.cluster, "pod", failing)
    with pytest.raises(ClusterError) as lost:
        runs.to_end(patience_s=0.0)
    for part in (
        f"Pod {POD} may still exist: no answer from the cluster (reset)",
        f"kubectl --context local -n {runs.cluster.namespace} delete pod {POD}",
        "activeDeadlineSeconds",
    ):
        assert part in str(lost.value)
    assert isinstance(lost.value.__context__.__context__, UnreachableError)
    assert deletions.failures == 98


def test_a_connection_lost_during_creation_says_that_the_pod_may_exist(kubelet, runs, monkeypatch):
    monkeypatch.setattr("whisper_bench.cluster.run._CLEANUP_PATIENCE_S", 0.0)
    pods = Flaky(monkeypatch, runs.cluster, "pod", 0)
    lost = Flaky(monkeypatch, runs.cluster, "create", 99)
    call = lost.__call__

    def create(pod):
        pods.failures = 99
        return call(pod)

    monkeypatch.setattr(runs.cluster, "create", create)
    with pytest.raises(ClusterError, match=f"Pod {POD} may still exist: no answer from the"):
        runs.to_end(patience_s=0.0)
    assert kubelet.names() == []


def test_a_pod_that_an_earlier_request_created_is_used(kubelet, runs, monkeypatch):
    """Two requests to create, of which the first one is done late: the Pod is ours."""
    create, asked = runs.cluster.create, []

    def late(pod):
        asked.append(pod)
        if len(asked) == 1:
            raise UnreachableError("no answer from the cluster (reset)")
        create(pod)
        return create(pod)

    monkeypatch.setattr(runs.cluster, "create", late)
    kubelet.play(POD, *STARTED, logs(framed_log()), ended())
    assert runs.to_end().state.phase == Phase.SUCCEEDED
    assert kubelet.names() == []


@pytest.mark.parametrize("landed", [True, False])
def test_a_signal_while_the_answer_of_creation_is_lost(kubelet, runs, monkeypatch, landed):
    """The Pod may exist: it is searched, and deleted."""
    create = runs.cluster.create

    def lost(pod):
        if landed:
            create(pod)
        signal.raise_signal(signal.SIGINT)
        raise UnreachableError("no answer from the cluster (reset)")

    monkeypatch.setattr(runs.cluster, "create", lost)
    with pytest.raises(KeyboardInterrupt):
        runs.to_end()
    assert kubelet.names() == []


@pytest.mark.parametrize(("reason", "left"), [("Error", [POD]), ("Evicted", [])])
def test_a_log_that_cannot_be_read_at_the_end(kubelet, runs, monkeypatch, reason, left):
    """A Pod with the only copy of its results is kept; one without results is deleted."""
    Flaky(monkeypatch, runs.cluster, "log", 99)
    end = ended(1, "Error") if reason == "Error" else ended(137, "Error", reason=reason)
    kubelet.play(POD, *STARTED, end)
    assert runs.to_end().state.reason == reason
    assert kubelet.names() == left
    lines = [line for line in runs.said if line.startswith(("Failed", "its log", "kept"))]
    assert lines[0].startswith("Failed on")
    assert lines[1] == "its log cannot be read: no answer from the cluster (reset)"
