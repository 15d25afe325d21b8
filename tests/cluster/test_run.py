"""`k8s run` on a real API server, with a stand-in for the kubelet: every way a Pod can end."""

import pytest

from support.kubelets import (
    NODE,
    STARTED,
    ended,
    logs,
    running,
    scheduled,
    unschedulable,
    vanishes,
    waiting,
)
from support.pod_runs import INSECURE, POD, RUN, bench_pod, framed_log
from whisper_bench.cluster.client import ClusterError
from whisper_bench.cluster.state import Phase
from whisper_bench.parcel.parcel import unpack

pytestmark = pytest.mark.filterwarnings(INSECURE)


def test_success(kubelet, runs):
    text = framed_log()
    half = text[: len(text) // 2]
    kubelet.play(POD, *STARTED, logs(half), lambda *_: None, logs(text), ended())
    end = runs.to_end()
    assert end.state.phase == Phase.SUCCEEDED
    assert end.state.node == NODE
    (parcel,), faults = unpack(end.log)
    assert not faults
    assert parcel.saved == RUN.read_text()
    assert kubelet.names() == []
    told = [line for line in runs.said if not line.startswith("|")]
    assert told[0].startswith(f"created in namespace {runs.cluster.namespace} of local")
    assert f"Pending on {NODE}: ContainerCreating" in told
    assert told[-4:] == [f"Running on {NODE}", f"Succeeded on {NODE}", "deleting it", "deleted"]
    shown = [line for line in runs.said if line.startswith("|")]
    assert shown == [
        "| collected 1 item", "| base-t1-vi_30s  case 1/1  round 10/10", "| 1 passed"
    ]  # fmt: skip


def test_pending_with_the_reason_and_then_a_node(kubelet, runs):
    message = "0/3 nodes are available: 3 Insufficient cpu."
    kubelet.play(POD, unschedulable(message), *STARTED, logs(framed_log()), ended())
    runs.to_end()
    assert f"Pending: Unschedulable: {message}" in runs.said


def test_pending_for_too_long(kubelet, runs):
    message = "0/3 nodes are available: 3 Insufficient cpu."
    kubelet.play(POD, unschedulable(message))
    with pytest.raises(ClusterError) as refused:
        runs.to_end(pending_s=1.5)
    assert str(refused.value) == (
        f"Pod {POD} does not start, after 0:02: Pending: Unschedulable: {message}; free the node, "
        "or ask for another with --node-selector and --toleration"
    )
    assert kubelet.names() == []


def test_an_image_that_cannot_be_pulled(kubelet, runs):
    pull = waiting("ImagePullBackOff", 'Back-off pulling image "registry.example/whisper-bench"')
    kubelet.play(POD, scheduled, waiting("ErrImagePull", "not found"), pull)
    with pytest.raises(ClusterError, match="push the image, or name another with --image"):
        runs.to_end(image_s=1.0)
    assert kubelet.names() == []


def test_what_no_time_brings(kubelet, runs):
    kubelet.play(POD, scheduled, waiting("InvalidImageName", "couldn't parse image name"))
    with pytest.raises(ClusterError, match="InvalidImageName: couldn't parse image name; name"):
        runs.to_end()
    assert kubelet.names() == []


def test_an_event_says_why_it_does_not_start(kubelet, runs):
    def event(kubelet, name):
        kubelet.event(name, "FailedMount", 'persistentvolumeclaim "results" not found')

    kubelet.play(POD, scheduled, waiting("ContainerCreating"), event, running, ended(1))
    runs.to_end()
    told = 'ContainerCreating (FailedMount: persistentvolumeclaim "results" not found)'
    assert f"Pending on {NODE}: {told}" in runs.said


def test_failure_keeps_its_results(kubelet, runs):
    """A throttled stress test: red, and its figures are wanted all the more."""
    kubelet.play(POD, *STARTED, logs(framed_log()), ended(1, "Error"))
    end = runs.to_end()
    assert end.state.told == f"Failed on {NODE}: Error: exit status 1"
    assert end.state.exit_code == 1
    assert unpack(end.log)[0]
    assert kubelet.names() == []


@pytest.mark.parametrize(
    ("end", "reason", "remedy"),
    [
        (ended(137, "OOMKilled"), "OOMKilled", "give the container more memory"),
        (
            ended(137, "Error", reason="Evicted", message="The node was low on memory."),
            "Evicted",
            "on a node with more",
        ),
        (
            ended(137, "Error", reason="DeadlineExceeded", message="Pod was active too long"),
            "DeadlineExceeded",
            "raise activeDeadlineSeconds",
        ),
    ],
)
def test_ended_by_the_cluster(kubelet, runs, end, reason, remedy):
    kubelet.play(POD, *STARTED, logs("collected 1 item\n"), end)
    state = runs.to_end().state
    assert (state.phase, state.reason) == (Phase.FAILED, reason)
    assert remedy in state.remedy
    assert kubelet.names() == []


def test_a_message_that_is_the_end_of_the_log(kubelet, runs):
    """FallbackToLogsOnError: the last 2 KiB, which are frames for the most part."""
    text = framed_log() + "FAILED: not measured: base-t2\n"
    kubelet.play(POD, *STARTED, logs(text), ended(1, "Error", text[-2048:]))
    assert runs.to_end().state.told == f"Failed on {NODE}: Error: FAILED: not measured: base-t2"


def test_a_red_run_whose_last_lines_come_late(kubelet, runs):
    text = framed_log()
    kubelet.play(POD, *STARTED, logs(text[:40]), ended(1, "Error"), logs(text))
    assert unpack(runs.to_end(poll_s=0.2).log)[0]


def test_a_node_that_is_lost(kubelet, runs, monkeypatch):
    monkeypatch.setattr("whisper_bench.cluster.follow._AFTER_DEADLINE_S", 0.0)
    pod = bench_pod()
    pod["spec"]["activeDeadlineSeconds"] = 1
    kubelet.play(POD, *STARTED)
    with pytest.raises(ClusterError, match=f"runs on past its .*; its node {NODE} is lost"):
        runs.to_end(pod)
    assert kubelet.names() == []


def test_an_event_of_an_earlier_pod_is_none_of_this(kubelet, runs):
    kubelet.event(POD, "FailedMount", "of last week's Pod", uid="another")
    kubelet.play(POD, scheduled, waiting("ContainerCreating"), running, logs("a\n"), ended(1))
    runs.to_end()
    assert not any("last week" in line for line in runs.said)


def test_who_may_not_read_events_may_run(kubelet, runs, monkeypatch):
    def refused(*_):
        raise ClusterError("events is forbidden", 403)

    monkeypatch.setattr(runs.cluster, "last_warning", refused)
    kubelet.play(POD, scheduled, waiting("ContainerCreating"), running, logs(framed_log()), ended())
    assert runs.to_end().state.phase == Phase.SUCCEEDED


def test_deleted_by_somebody(kubelet, runs):
    kubelet.play(POD, *STARTED, logs("collected 1 item\n"), vanishes)
    end = runs.to_end()
    assert end.state.phase == Phase.GONE
    assert kubelet.names() == []


def test_a_log_cut_in_the_middle(kubelet, runs):
    text = framed_log()
    kubelet.play(POD, *STARTED, logs(text[: len(text) // 2]), ended())
    end = runs.to_end()
    parcels, (fault,) = unpack(end.log)
    assert not parcels
    assert "missing or damaged" in fault


def test_last_lines_that_come_late(kubelet, runs):
    text = framed_log()
    whole = logs(text)
    kubelet.play(POD, *STARTED, logs(text[: len(text) // 2]), ended(), whole)
    end = runs.to_end(poll_s=0.2)
    assert unpack(end.log)[0]


def test_a_log_that_begins_anew(kubelet, runs):
    """The kubelet turns a log over at 10 MiB: what was read before is not lost."""
    lines = framed_log().splitlines(keepends=True)
    early, late = "".join(lines[:9]), "".join(lines[9:])
    kubelet.play(POD, *STARTED, logs(early), lambda *_: None, logs(late), ended())
    assert unpack(runs.to_end().log)[0]


def test_a_log_that_begins_anew_is_shown_once_and_told(kubelet, runs):
    """Each look gives the new file alone: what came in it earlier was seen, and is not shown again."""
    before = "collected 1 item\nround 1\n"
    after = "".join(f"round {number}\n" for number in (2, 3))
    looks = [logs(before), lambda *_: None, logs(after[:8]), lambda *_: None, logs(after)]
    kubelet.play(POD, *STARTED, *looks, *[lambda *_: None] * 5, logs(after + framed_log()), ended())
    end = runs.to_end()
    assert unpack(end.log)[0]
    shown = [line for line in runs.said if line.startswith("| round")]
    assert shown == ["| round 1", "| round 2", "| round 3"]
    assert end.log.count("round 2\n") == 1
    told = [line for line in runs.said if line.startswith("the node has begun a new log file")]
    assert len(told) == 1
    assert "lines between the last two reads may be lost" in told[0]


def test_a_log_without_end_is_given_up_and_the_pod_kept(kubelet, runs, monkeypatch):
    monkeypatch.setattr("whisper_bench.cluster.answer.MOST_BYTES", 20_000)
    kubelet.play(POD, *STARTED, logs("x\n" * 20_000), *[lambda *_: None] * 5, ended())
    assert runs.to_end().log == ""
    assert kubelet.names() == [POD]
    first, *_, last = (line for line in runs.said if line.startswith("its log "))
    assert first.startswith("its log is not shown: ")
    assert last.startswith("its log cannot be read: ")
    assert "kubectl logs POD --tail=20000 | whisper-bench k8s collect -" in last


def test_a_log_of_which_the_end_is_kept(kubelet, runs, monkeypatch):
    text = "collected 1 item\n" * 500 + framed_log()
    monkeypatch.setattr("whisper_bench.cluster.seen_log.MOST_SEEN", len(framed_log()))
    kubelet.play(POD, *STARTED, logs(text), ended())
    assert unpack(runs.to_end().log)[0]
    assert any("only the end of it is kept" in line for line in runs.said)


def test_a_red_run_without_results_leaves_no_pod(kubelet, runs):
    """Refused options, a crash: its log is read, and there is nothing more to it."""
    kubelet.play(POD, *STARTED, logs("ERROR: usage\n"), ended(4, "Error"))
    assert runs.to_end().log == "ERROR: usage\n"
    assert kubelet.names() == []
