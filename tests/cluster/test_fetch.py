"""`k8s collect` from a cluster: Pods that it runs by itself, on a real API server."""

import pytest

from support.kubelets import NODE, Kubelet, ended, logs, running, scheduled, vanishes
from support.pod_runs import INSECURE, LONG_S, POD, RUN, SAMPLE, Runs, bench_pod, framed_log
from whisper_bench.cluster.client import ClusterError
from whisper_bench.cluster.fetch import SELECTOR, Fetcher, is_remote
from whisper_bench.cluster.objects import Condition, Job, JobSpec, JobStatus, Metadata
from whisper_bench.errors import BenchError

pytestmark = pytest.mark.filterwarnings(INSECURE)
OTHER = "benchmark-generic"


CONDITION = Condition(type="Failed", status="True", reason="Backoff", message="why")


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
    return list(fetcher.logs(sources)), fetcher.faults


def act(fleet, name, *script):
    for step in script:
        step(fleet, name)


def test_a_selector_fetches_every_bench_pod(fleet):
    generic = framed_log(SAMPLE / "0002_generic.json")
    act(fleet, POD, scheduled, running, logs(framed_log()), ended())
    act(fleet, OTHER, scheduled, running, logs(generic), ended(1, "Error"))
    fetched_logs, faults = fetched(fleet, SELECTOR)
    assert fetched_logs == [(POD, framed_log()), (OTHER, generic)]
    assert faults == [f"{OTHER}: Failed on {NODE}: Error: exit status 1"]


def test_a_pod_is_fetched_by_its_name_and_by_its_job(fleet):
    act(fleet, POD, scheduled, running, logs(framed_log()), ended())
    assert fetched(fleet, f"pod/{POD}") == ([(POD, framed_log())], [])
    assert fetched(fleet, "job/job-avx") == ([(POD, framed_log())], [])


def test_a_pod_that_still_runs_has_no_results_yet(fleet):
    act(fleet, POD, scheduled, running)
    fetched_logs, faults = fetched(fleet, f"pod/{POD}")
    assert not fetched_logs
    assert faults == [f"{POD}: Running on {NODE}; it has no results yet; wait longer: --wait"]


def test_wait_waits_until_every_pod_has_ended(fleet):
    act(fleet, OTHER, scheduled, running, logs(framed_log()), ended())
    fleet.play(POD, scheduled, running, logs(framed_log()), ended())
    fetched_logs, faults = fetched(fleet, SELECTOR, wait_s=LONG_S)
    assert [name for name, _ in fetched_logs] == [OTHER, POD]
    assert not faults
    assert fleet.said[-1] == f"{POD}: Succeeded on {NODE}"


def test_a_pod_killed_for_memory_without_a_log_is_a_fault_with_its_remedy(fleet):
    act(fleet, POD, scheduled, running, ended(137, "OOMKilled"))
    fetched_logs, (fault,) = fetched(fleet, f"pod/{POD}")
    assert not fetched_logs
    assert "OOMKilled" in fault
    assert "more memory" in fault


def test_a_source_that_does_not_exist_is_a_fault(fleet):
    _, faults = fetched(fleet, "pod/none", "job/none", "app=none")
    where = f"no such Pod or Job in namespace {fleet.cluster.namespace} of local"
    assert [fault.partition(";")[0] for fault in faults] == [
        f"{source}: {where}" for source in ("pod/none", "job/none", "app=none")
    ]


FAILED = {
    "type": "Failed",
    "status": "True",
    "reason": "DeadlineExceeded",
    "message": "Job was active longer than specified deadline",
}


def test_a_job_whose_pods_are_gone_is_a_fault(fleet):
    """The Job controller deletes them when the deadline has passed."""
    fleet.job("over", conditions=[FAILED])
    _, (fault,) = fetched(fleet, "job/over", wait_s=LONG_S)
    why = "Failed: DeadlineExceeded: Job was active longer than specified deadline"
    assert fault.startswith(f"job/over: its Pods are gone, and their logs too ({why})")


def test_jobs_that_have_no_pod_yet_are_waited_for(fleet):
    fleet.job("early")
    assert fetched(fleet, "job/early") == ([], ["job/early: has no Pod yet; wait longer: --wait"])


def test_a_job_that_is_suspended_says_so(fleet, monkeypatch):
    """Kueue does that; the API server of the tests (1.20) does not know it."""
    queued = Job(metadata=Metadata(name="queued"), spec=JobSpec(suspend=True))
    monkeypatch.setattr(fleet.cluster, "job", lambda _: queued)
    assert fetched(fleet, "job/queued") == ([], ["job/queued: is suspended; wait longer: --wait"])


def test_a_fleet_is_incomplete_without_the_job_that_never_ran(fleet):
    act(fleet, POD, scheduled, running, logs(framed_log()), ended())
    act(fleet, OTHER, scheduled, running, logs(framed_log()), ended())
    fleet.job("queued", labels=dict([SELECTOR.split("=")]))
    fetched_logs, faults = fetched(fleet, SELECTOR, wait_s=0.5)
    assert len(fetched_logs) == 2
    assert faults == ["job/queued: has no Pod yet; wait longer: --wait"]


def test_a_pod_that_was_deleted_is_a_fault(fleet):
    act(fleet, OTHER, scheduled, running, logs(framed_log()), ended())
    fleet.play(POD, scheduled, running, vanishes)
    fetched_logs, faults = fetched(fleet, SELECTOR, wait_s=LONG_S)
    assert [name for name, _ in fetched_logs] == [OTHER]
    assert faults == [f"{POD}: Gone: Deleted: somebody deleted it, or its node is lost"]


def test_each_log_is_read_as_its_pod_ends(fleet):
    """An autoscaler takes the node of a Pod that has ended, and the log with it."""
    act(fleet, POD, scheduled, running, logs(framed_log()), ended())
    act(fleet, OTHER, scheduled, running)
    fetcher = Fetcher(fleet.cluster, fleet.said.append, wait_s=LONG_S, poll_s=0.05)
    coming = fetcher.logs([SELECTOR])
    assert next(coming)[0] == POD
    act(fleet, POD, vanishes)
    act(fleet, OTHER, logs(framed_log()), ended())
    assert next(coming)[0] == OTHER
    assert list(coming) == []
    assert fetcher.faults == []


def test_a_log_that_cannot_be_read_does_not_stop_the_others(fleet, monkeypatch):
    act(fleet, POD, scheduled, running, logs(framed_log()), ended())
    act(fleet, OTHER, scheduled, running, logs(framed_log()), ended())
    log = fleet.cluster.log

    def dead(name, container):
        if name == POD:
            raise ClusterError("dial tcp: connection refused", 400)
        return log(name, container)

    monkeypatch.setattr(fleet.cluster, "log", dead)
    fetched_logs, faults = fetched(fleet, SELECTOR)
    assert [name for name, _ in fetched_logs] == [OTHER]
    assert faults == [f"{POD}: its log cannot be read: dial tcp: connection refused"]


def test_pods_and_jobs_are_in_the_cluster_and_files_are_not():
    assert [is_remote(source) for source in ("pod/a", "job/a", "log.txt", "-", str(RUN))] == [
        True, True, False, False, False
    ]  # fmt: skip


def test_a_kind_without_a_name_is_refused():
    with pytest.raises(BenchError, match="pod/: .*write pod/NAME"):
        is_remote("pod/")


def test_a_job_that_was_deleted_is_a_fault(fleet, monkeypatch):
    jobs = [Job(metadata=Metadata(name="early"))]
    monkeypatch.setattr(fleet.cluster, "job", lambda _: jobs.pop() if jobs else None)
    assert fetched(fleet, "job/early", wait_s=LONG_S) == (
        [], ["job/early: Gone: Deleted: somebody deleted it, or its node is lost"]
    )  # fmt: skip


def test_a_job_that_ended_is_one_fault(fleet, monkeypatch):
    ended_job = Job(metadata=Metadata(name="over"), status=JobStatus(conditions=[CONDITION]))
    monkeypatch.setattr(fleet.cluster, "job", lambda _: ended_job)
    act(fleet, POD, scheduled, running)
    fleet.play(POD, lambda *_: None, logs(framed_log()), ended())
    fetched_logs, (fault,) = fetched(fleet, "job/over", f"pod/{POD}", wait_s=LONG_S)
    assert [name for name, _ in fetched_logs] == [POD]
    assert "its Pods are gone, and their logs too (Failed: Backoff: why)" in fault
