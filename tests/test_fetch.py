"""`k8s collect` out of a cluster: Pods that it has run itself, on a real API server."""

import pytest

from kubelets import NODE, Kubelet, ended, logs, running, scheduled
from pod_runs import INSECURE, POD, RUN, SAMPLE, Runs, bench_pod, framed_log
from whisper_bench.cluster.fetch import SELECTOR, Fetcher, is_remote
from whisper_bench.errors import BenchError

pytestmark = pytest.mark.filterwarnings(INSECURE)
OTHER = "benchmark-generic"


@pytest.fixture
def fleet(apiserver, namespace, tmp_path):
    """Two Pods of a fleet, there and not yet run."""
    runs = Runs(apiserver, namespace)
    for save in ("avx", "generic"):
        pod = bench_pod(save)
        pod["metadata"]["labels"]["job-name"] = f"job-{save}"
        runs.cluster.create(pod)
    with Kubelet(apiserver, namespace, tmp_path) as stand_in:
        stand_in.cluster, stand_in.said = runs.cluster, runs.said
        yield stand_in


def fetched(fleet, *sources, wait_s=0.0):
    fetcher = Fetcher(fleet.cluster, fleet.said.append, wait_s=wait_s, poll_s=0.05)
    return fetcher.logs(sources)


def act(fleet, name, *script):
    for each in script:
        each(fleet, name)


def test_every_bench_pod(fleet):
    generic = framed_log(SAMPLE / "0002_generic.json")
    act(fleet, POD, scheduled, running, logs(framed_log()), ended())
    act(fleet, OTHER, scheduled, running, logs(generic), ended(1, "Error"))
    found, faults = fetched(fleet, SELECTOR)
    assert found == [(POD, framed_log()), (OTHER, generic)]
    assert faults == [f"{OTHER}: Failed on {NODE}: Error: exit status 1"]


def test_by_name_and_by_job(fleet):
    act(fleet, POD, scheduled, running, logs(framed_log()), ended())
    assert fetched(fleet, f"pod/{POD}") == ([(POD, framed_log())], [])
    assert fetched(fleet, "job/job-avx") == ([(POD, framed_log())], [])


def test_one_that_still_runs_has_no_results_yet(fleet):
    act(fleet, POD, scheduled, running)
    found, faults = fetched(fleet, f"pod/{POD}")
    assert not found
    assert faults == [f"{POD}: Running on {NODE}; it has no results yet, see --wait"]


def test_waiting_for_the_last(fleet):
    act(fleet, OTHER, scheduled, running, logs(framed_log()), ended())
    fleet.play(POD, scheduled, running, logs(framed_log()), ended())
    found, faults = fetched(fleet, SELECTOR, wait_s=30.0)
    assert [name for name, _ in found] == [POD, OTHER]
    assert not faults
    assert fleet.said[-1] == f"{POD}: Succeeded on {NODE}"


def test_one_that_was_killed_without_a_log(fleet):
    act(fleet, POD, scheduled, running, ended(137, "OOMKilled"))
    found, (fault,) = fetched(fleet, f"pod/{POD}")
    assert not found
    assert "OOMKilled" in fault
    assert "more memory" in fault


def test_none_of_that_name(fleet):
    _, faults = fetched(fleet, "pod/none", "job/none", "app=none")
    where = f"no such Pod in namespace {fleet.cluster.namespace} of local"
    assert [fault.partition(";")[0] for fault in faults] == [
        f"{source}: {where}" for source in ("pod/none", "job/none", "app=none")
    ]


def test_a_job_whose_pods_are_gone(fleet, kubectl):
    """The Job controller deletes them when the deadline has come."""
    condition = {
        "type": "Failed",
        "status": "True",
        "reason": "DeadlineExceeded",
        "message": "Job was active longer than specified deadline",
    }
    fleet.job("over", conditions=[condition])
    fleet.job("under-way")
    _, faults = fetched(fleet, "job/over", "job/under-way")
    why = "Failed: DeadlineExceeded: Job was active longer than specified deadline"
    assert faults == [
        f"job/over: its Pods are gone ({why}), and their logs too",
        "job/under-way: its Pods are gone, and their logs too",
    ]


def test_what_is_in_the_cluster():
    assert [is_remote(each) for each in ("pod/a", "job/a", "log.txt", "-", str(RUN))] == [
        True, True, False, False, False
    ]  # fmt: skip


def test_a_kind_without_a_name():
    with pytest.raises(BenchError, match="pod/: name the Pod or Job behind the slash"):
        is_remote("pod/")
