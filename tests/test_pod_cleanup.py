"""A Pod of a run is deleted whatever happens, or it is said how: signals, lost connections.

On a real API server, with a stand-in for the kubelet.
"""

import signal
import threading
import time

import pytest

from kubelets import STARTED, Kubelet, ended, logs
from pod_runs import INSECURE, POD, Runs, bench_pod, framed_log
from whisper_bench.cluster.client import ClusterError, UnreachableError
from whisper_bench.cluster.parcel import unpack
from whisper_bench.cluster.state import Phase

pytestmark = pytest.mark.filterwarnings(INSECURE)


def test_kept_when_told_to(kubelet, runs):
    kubelet.play(POD, *STARTED, logs(framed_log()), ended())
    runs.to_end(keep=True)
    assert kubelet.names() == [POD]
    assert runs.said[-1] == (
        f"kept, as told; to delete it: kubectl --context local -n {runs.cluster.namespace} "
        f"delete pod {POD}"
    )


def test_one_that_is_there_is_no_ones_to_delete(kubelet, runs):
    other = bench_pod()
    other["metadata"]["labels"]["whisper-bench/run"] = "another"
    runs.cluster.create(other)
    with pytest.raises(ClusterError, match=f"Pod {POD} is there already \\(Pending\\)"):
        runs.to_end()
    assert kubelet.names() == [POD]


def test_what_the_server_refuses(kubelet, runs):
    pod = bench_pod()
    pod["spec"]["containers"][0]["image"] = ""
    with pytest.raises(ClusterError, match="image: Required value"):
        runs.to_end(pod)
    assert kubelet.names() == []


def test_a_signal_while_it_runs(kubelet, runs):
    """Ctrl-C; the same for the SIGTERM of a CI that cancels a job."""

    def stop(*_):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)

    kubelet.play(POD, *STARTED, stop)
    with pytest.raises(KeyboardInterrupt):
        runs.to_end()
    assert kubelet.names() == []
    assert runs.said[-1] == "deleted"


def test_a_signal_while_it_is_deleted(kubelet, runs, monkeypatch):
    delete = runs.cluster.delete

    def interrupted(*arguments):
        signal.raise_signal(signal.SIGINT)
        delete(*arguments)

    monkeypatch.setattr(runs.cluster, "delete", interrupted)
    kubelet.play(POD, *STARTED, logs(framed_log()), ended())
    with pytest.raises(KeyboardInterrupt):
        runs.to_end()
    assert kubelet.names() == []


def test_a_node_that_does_not_answer_is_not_waited_for(apiserver, namespace, tmp_path, monkeypatch):
    monkeypatch.setattr("whisper_bench.cluster.run._GONE_S", 0.3)
    runs = Runs(apiserver, namespace)
    with Kubelet(apiserver, namespace, tmp_path, lets_go=False) as kubelet:
        kubelet.play(POD, *STARTED, lambda *_: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            runs.to_end()
        assert kubelet.names() == []


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


def test_an_answer_lost_on_creation(kubelet, runs, monkeypatch):
    """The Pod is there, and the answer that said so is not: it is taken for what it is."""
    create = runs.cluster.create

    def lost(pod):
        create(pod)
        raise UnreachableError("no answer from the cluster (reset)")

    monkeypatch.setattr(runs.cluster, "create", lost)
    kubelet.play(POD, *STARTED, logs(framed_log()), ended())
    assert runs.to_end().state.phase == Phase.SUCCEEDED
    assert kubelet.names() == []


def test_a_connection_that_comes_back(kubelet, runs, monkeypatch):
    kubelet.play(POD, *STARTED, logs(framed_log()), ended())
    pods = Flaky(monkeypatch, runs.cluster, "pod", 0)

    def lose(*_):
        pods.failures = 1

    kubelet.play(POD, lose)
    assert runs.to_end().state.phase == Phase.SUCCEEDED
    assert kubelet.names() == []
    assert "the connection is back" in runs.said


def test_a_node_that_gives_no_log_for_a_while(kubelet, runs, monkeypatch):
    flaky = Flaky(monkeypatch, runs.cluster, "log", 1)

    def asked(*_):
        while flaky.failures:
            time.sleep(0.05)

    kubelet.play(POD, *STARTED, asked, logs(framed_log()), ended())
    assert unpack(runs.to_end().log)[0]
    assert kubelet.names() == []


def test_a_connection_that_does_not(kubelet, runs, monkeypatch):
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
    assert str(lost.value) == (
        f"Pod {POD} may be left behind: no answer from the cluster (reset). Delete it: kubectl "
        f"--context local -n {runs.cluster.namespace} delete pod {POD}; its "
        "activeDeadlineSeconds ends it in any case"
    )
    assert isinstance(lost.value.__context__.__context__, UnreachableError)
    assert deletions.failures == 98


def test_a_connection_lost_on_creation_for_good(kubelet, runs, monkeypatch):
    Flaky(monkeypatch, runs.cluster, "create", 99)
    with pytest.raises(ClusterError, match=f"Pod {POD} may be left behind: no answer from the"):
        runs.to_end(patience_s=0.0)
    assert kubelet.names() == []
