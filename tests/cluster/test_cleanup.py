"""A Pod of a run is always deleted, or the message says how to, on a real API server."""

import signal
import threading

import pytest

from support.kubelets import STARTED, Kubelet, ended, logs
from support.pod_runs import INSECURE, POD, Runs, bench_pod, framed_log
from support.runs import wait_until
from whisper_bench.cluster.client import ClusterError
from whisper_bench.cluster.state import Phase
from whisper_bench.errors import BenchError
from whisper_bench.parcel.parcel import unpack

pytestmark = pytest.mark.filterwarnings(INSECURE)


def test_keep_leaves_the_pod_and_says_how_to_delete_it(kubelet, runs):
    kubelet.play(POD, *STARTED, logs(framed_log()), ended())
    runs.to_end(keep=True)
    assert kubelet.names() == [POD]
    assert runs.said[-1] == (
        f"kept; to delete it: kubectl --context local -n {runs.cluster.namespace} delete pod {POD}"
    )


def test_the_pod_of_another_run_is_not_deleted(kubelet, runs):
    other = bench_pod()
    other["metadata"]["labels"]["whisper-bench/run"] = "another"
    runs.cluster.create(other)
    with pytest.raises(ClusterError, match=f"Pod {POD} exists already \\(Pending\\)"):
        runs.to_end()
    assert kubelet.names() == [POD]


def test_a_pod_that_the_server_refuses_is_reported_in_its_words(kubelet, runs):
    pod = bench_pod()
    pod["spec"]["containers"][0]["image"] = ""
    with pytest.raises(ClusterError, match="image: Required value"):
        runs.to_end(pod)
    assert kubelet.names() == []


def test_a_signal_while_the_pod_runs_deletes_it(kubelet, runs):
    """Ctrl-C; the same for the SIGTERM of a CI that cancels a job."""

    def stop(*_):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)

    kubelet.play(POD, *STARTED, stop)
    with pytest.raises(KeyboardInterrupt):
        runs.to_end()
    assert kubelet.names() == []
    assert runs.said[-1] == "deleted"


def test_a_signal_once_its_results_are_taken_changes_nothing(kubelet, runs, monkeypatch):
    delete = runs.cluster.delete

    def interrupted(*arguments):
        signal.raise_signal(signal.SIGINT)
        delete(*arguments)

    monkeypatch.setattr(runs.cluster, "delete", interrupted)
    kubelet.play(POD, *STARTED, logs(framed_log()), ended())
    assert unpack(runs.to_end().log)[0]
    assert kubelet.names() == []


def test_a_node_that_does_not_answer_is_not_waited_for(apiserver, namespace, tmp_path, monkeypatch):
    monkeypatch.setattr("whisper_bench.cluster.run._GONE_S", 0.3)
    runs = Runs(apiserver, namespace)
    with Kubelet(apiserver, namespace, tmp_path, lets_go=False) as kubelet:
        kubelet.play(POD, *STARTED, lambda *_: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            runs.to_end()
        assert kubelet.names() == []


def test_a_pod_that_a_finalizer_keeps_is_reported(kubelet, runs, monkeypatch):
    monkeypatch.setattr("whisper_bench.cluster.run._GONE_S", 0.3)
    pod = bench_pod()
    pod["metadata"]["finalizers"] = ["example.org/held"]
    kubelet.play(POD, *STARTED, logs(framed_log()), ended())
    try:
        with pytest.raises(
            ClusterError, match=r"may still exist: .* \(finalizers: example.*kubectl"
        ):
            runs.to_end(pod)
        assert unpack(runs.ends[0].log)[0]  # its results were taken all the same
    finally:
        kubelet.set_free(POD)


def test_another_pod_of_the_same_name_is_not_deleted(kubelet, runs):
    """Ours was deleted and another one created: it is not ours to delete."""

    def replaced(kubelet, name):
        other = bench_pod()
        other["metadata"]["labels"]["whisper-bench/run"] = "another"
        kubelet.remove(name)
        runs.cluster.create(other)

    kubelet.play(POD, *STARTED, replaced)
    assert runs.to_end().state.phase == Phase.GONE
    # the end may be seen before the other one is created
    assert wait_until(kubelet.names, lambda: "the other Pod is gone") == [POD]


def test_results_that_cannot_be_written_keep_the_pod(kubelet, runs):
    def full(_ended):
        raise BenchError("cannot write")

    kubelet.play(POD, *STARTED, logs(framed_log()), ended())
    with pytest.raises(BenchError, match="cannot write"):
        runs.to_end(take=full)
    assert kubelet.names() == [POD]
    assert runs.said[-1].startswith("kept; to delete it: kubectl")
