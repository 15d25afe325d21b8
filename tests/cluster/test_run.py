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


def test_a_run_that_succeeds_is_shown_saved_and_deleted(kubelet, runs):
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
    states = [line for line in runs.said if not line.startswith("|")]
    assert states[0].startswith(f"created in namespace {runs.cluster.namespace} of local")
    assert f"Pending on {NODE}: ContainerCreating" in states
    assert states[-4:] == [f"Running on {NODE}", f"Succeeded on {NODE}", "deleting it", "deleted"]
    shown = [line for line in runs.said if line.startswith("|")]
    assert shown == [
        "| collected 1 item", "| base-t1-vi_30s  case 1/1  round 10/10", "| 1 passed"
    ]  # fmt: skip


def test_a_pod_without_a_node_says_why_it_waits(kubelet, runs):
    message = "0/3 nodes are available: 3 Insufficient cpu."
    kubelet.play(POD, unschedulable(message), *STARTED, logs(framed_log()), ended())
    runs.to_end()
    assert f"Pending: Unschedulable: {message}" in runs.said


def test_a_pod_that_waits_too_long_for_a_node_is_given_up(kubelet, runs):
    message = "0/3 nodes are available: 3 Insufficient cpu."
    kubelet.play(POD, unschedulable(message))
    with pytest.raises(ClusterError) as refused:
        runs.to_end(pending_s=1.5)
    for part in (f"Pod {POD} did not start in ", f"Unschedulable: {message}", "--node-selector"):
        assert part in str(refused.value)
    assert kubelet.names() == []


def test_an_image_that_cannot_be_pulled_is_given_up(kubelet, runs):
    pull = waiting("ImagePullBackOff", 'Back-off pulling image "registry.example/whisper-bench"')
    kubelet.play(POD, scheduled, waiting("ErrImagePull", "not found"), pull)
    with pytest.raises(ClusterError, match=r"ImagePull.*push the image, .* --image"):
        runs.to_end(image_s=1.0)
    assert kubelet.names() == []


def test_a_reason_that_never_goes_away_is_given_up_at_once(kubelet, runs):
    kubelet.play(POD, scheduled, waiting("InvalidImageName", "couldn't parse image name"))
    with pytest.raises(ClusterError, match="InvalidImageName: couldn't parse image .*--image"):
        runs.to_end()
    assert kubelet.names() == []


def test_an_event_says_why_it_does_not_start(kubelet, runs):
    def event(kubelet, name):
        kubelet.event(name, "FailedMount", 'persistentvolumeclaim "results" not found')

    kubelet.play(POD, scheduled, waiting("ContainerCreating"), event, running, ended(1))
    runs.to_end()
    reason = 'ContainerCreating (FailedMount: persistentvolumeclaim "results" not found)'
    assert f"Pending on {NODE}: {reason}" in runs.said


def test_the_results_of_a_failed_run_are_taken(kubelet, runs):
    """A throttled stress test fails, and its figures show why."""
    kubelet.play(POD, *STARTED, logs(framed_log()), ended(1, "Error"))
    end = runs.to_end()
    assert end.state.summary == f"Failed on {NODE}: Error: exit status 1"
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
def test_a_pod_ended_by_the_cluster_has_reason_and_remedy(kubelet, runs, end, reason, remedy):
    kubelet.play(POD, *STARTED, logs("collected 1 item\n"), end)
    state = runs.to_end().state
    assert (state.phase, state.reason) == (Phase.FAILED, reason)
    assert remedy in state.remedy
    assert kubelet.names() == []


def test_the_last_line_of_a_log_is_the_reason_of_the_end(kubelet, runs):
    """FallbackToLogsOnError: the last 2 KiB, which are mostly frames."""
    text = framed_log() + "FAILED: not measured: base-t2\n"
    kubelet.play(POD, *STARTED, logs(text), ended(1, "Error", text[-2048:]))
    assert runs.to_end().state.summary == f"Failed on {NODE}: Error: FAILED: not measured: base-t2"


def ends_with_a_late_log(kubelet, runs, monkeypatch, lines, end):
    """Play a Pod whose log has all but its first line only at the third read after its end."""
    log, reads = runs.cluster.log, []

    def end_and_count(kubelet, name):
        end(kubelet, name)
        monkeypatch.setattr(runs.cluster, "log", read)

    def read(name, container):
        reads.append(name)
        if len(reads) == 3:  # at most one of these was before the client saw the end
            kubelet.log(name, "".join(lines))
        return log(name, container)

    kubelet.play(POD, *STARTED, logs(lines[0]), end_and_count)


def test_the_last_lines_of_a_failed_run_are_waited_for(kubelet, runs, monkeypatch):
    lines = framed_log().splitlines(keepends=True)
    ends_with_a_late_log(kubelet, runs, monkeypatch, lines, ended(1, "Error"))
    assert unpack(runs.to_end().log)[0]


def test_a_pod_whose_node_is_lost_is_given_up(kubelet, runs, monkeypatch):
    monkeypatch.setattr("whisper_bench.cluster.follow._AFTER_DEADLINE_S", 0.0)
    pod = bench_pod()
    pod["spec"]["activeDeadlineSeconds"] = 1
    kubelet.play(POD, *STARTED)
    with pytest.raises(ClusterError, match=f"past its activeDeadline.*; its node {NODE} is lost"):
        runs.to_end(pod)
    assert kubelet.names() == []


def test_an_event_of_an_earlier_pod_is_not_shown(kubelet, runs):
    kubelet.event(POD, "FailedMount", "of last week's Pod", uid="another")
    kubelet.play(POD, scheduled, waiting("ContainerCreating"), running, logs("a\n"), ended(1))
    runs.to_end()
    assert not any("last week" in line for line in runs.said)


def test_a_user_who_may_not_read_events_may_run(kubelet, runs, monkeypatch):
    def refused(*_):
        raise ClusterError("events is forbidden", 403)

    monkeypatch.setattr(runs.cluster, "last_warning", refused)
    kubelet.play(POD, scheduled, waiting("ContainerCreating"), running, logs(framed_log()), ended())
    assert runs.to_end().state.phase == Phase.SUCCEEDED


def test_a_pod_deleted_by_somebody_is_gone(kubelet, runs):
    kubelet.play(POD, *STARTED, logs("collected 1 item\n"), vanishes)
    end = runs.to_end()
    assert end.state.phase == Phase.GONE
    assert kubelet.names() == []


def test_a_log_cut_in_the_middle_is_incomplete(kubelet, runs):
    text = framed_log()
    kubelet.play(POD, *STARTED, logs(text[: len(text) // 2]), ended())
    end = runs.to_end()
    parcels, (fault,) = unpack(end.log)
    assert not parcels
    assert "missing or damaged" in fault


def test_the_last_lines_of_a_run_that_succeeded_are_waited_for(kubelet, runs, monkeypatch):
    lines = framed_log().splitlines(keepends=True)
    ends_with_a_late_log(kubelet, runs, monkeypatch, lines, ended())
    assert unpack(runs.to_end().log)[0]


def test_a_rotated_log_keeps_what_was_read_before(kubelet, runs):
    """The kubelet begins a new file at 10 MiB."""
    lines = framed_log().splitlines(keepends=True)
    early, late = "".join(lines[:9]), "".join(lines[9:])
    kubelet.play(POD, *STARTED, logs(early), lambda *_: None, logs(late), ended())
    assert unpack(runs.to_end().log)[0]


def test_a_rotated_log_is_shown_once_with_a_warning(kubelet, runs):
    """Each read gives the new file only: lines that were shown are not shown again."""
    before = "collected 1 item\nround 1\n"
    after = "".join(f"round {number}\n" for number in (2, 3))
    looks = [logs(before), logs(after[:8]), logs(after)]
    kubelet.play(POD, *STARTED, *looks, *[lambda *_: None] * 2, logs(after + framed_log()), ended())
    end = runs.to_end()
    assert unpack(end.log)[0]
    shown = [line for line in runs.said if line.startswith("| round")]
    assert shown == ["| round 1", "| round 2", "| round 3"]
    assert end.log.count("round 2\n") == 1
    warnings = [line for line in runs.said if line.startswith("the node has begun a new log file")]
    assert len(warnings) == 1
    assert "lines between the last two reads may be lost" in warnings[0]


def test_a_log_that_is_too_long_is_given_up_and_the_pod_kept(kubelet, runs, monkeypatch):
    monkeypatch.setattr("whisper_bench.cluster.answer.MOST_BYTES", 20_000)
    kubelet.play(POD, *STARTED, logs("x\n" * 20_000), lambda *_: None, ended())
    assert runs.to_end().log == ""
    assert kubelet.names() == [POD]
    first, *_, last = (line for line in runs.said if line.startswith("its log "))
    assert first.startswith("its log is not shown: ")
    assert last.startswith("its log cannot be read: ")
    assert "kubectl logs POD --tail=20000 | whisper-bench k8s collect -" in last


def test_only_the_end_of_a_very_long_log_is_kept(kubelet, runs, monkeypatch):
    text = "collected 1 item\n" * 500 + framed_log()
    monkeypatch.setattr("whisper_bench.cluster.seen_log.MOST_SEEN", len(framed_log()))
    kubelet.play(POD, *STARTED, logs(text), ended())
    assert unpack(runs.to_end().log)[0]
    assert any("only the end is kept" in line for line in runs.said)


def test_a_failed_run_without_results_leaves_no_pod(kubelet, runs):
    """Refused options or a crash: its log is complete without results."""
    kubelet.play(POD, *STARTED, logs("ERROR: usage\n"), ended(4, "Error"))
    assert runs.to_end().log == "ERROR: usage\n"
    assert kubelet.names() == []
