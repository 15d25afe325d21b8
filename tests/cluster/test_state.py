"""What a Pod's status means; the statuses are as the kubelet and the scheduler write them."""

import msgspec
import pytest

from whisper_bench.cluster.objects import Pod
from whisper_bench.cluster.state import GONE, Phase, state_of

NOW = "2026-11-24T10:00:00Z"


def pod(node="node-1", **status):
    return msgspec.convert(
        {"metadata": {"name": "p"}, "spec": {"nodeName": node}, "status": status}, Pod
    )


def container(**state):
    return [{"name": "whisper-bench", "ready": False, "restartCount": 0, "state": state}]


def terminated(code, reason="", message=""):
    return container(terminated={"exitCode": code, "reason": reason, "message": message})


UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available: 3 Insufficient cpu.",
}


@pytest.mark.parametrize(
    ("status", "summary"),
    [
        (pod(""), "Pending"),
        (pod("", phase="Pending"), "Pending"),
        (
            pod("", phase="Pending", conditions=[UNSCHEDULABLE]),
            "Pending: Unschedulable: 0/3 nodes are available: 3 Insufficient cpu.",
        ),
        (
            pod(
                "",
                conditions=[
                    {"type": "PodScheduled", "status": "True"},
                    {"type": "Ready", "status": "False"},
                ],
            ),
            "Pending",
        ),
        (
            pod(containerStatuses=container(waiting={"reason": "ContainerCreating"})),
            "Pending on node-1: ContainerCreating",
        ),
        (
            pod(
                containerStatuses=container(
                    waiting={"reason": "ErrImagePull", "message": "not found"}
                )
            ),
            "Pending on node-1: ErrImagePull: not found",
        ),
        (
            pod(
                initContainerStatuses=container(waiting={"reason": "PodInitializing"}),
                containerStatuses=container(waiting={"reason": "InvalidImageName"}),
            ),
            "Pending on node-1: InvalidImageName",
        ),
        (
            pod(phase="Running", containerStatuses=container(running={"startedAt": NOW})),
            "Running on node-1",
        ),
        (pod(phase="Running", containerStatuses=terminated(0)), "Running on node-1"),
        (
            pod(phase="Unknown", reason="NodeLost", message="unresponsive"),
            "Running on node-1: NodeLost: unresponsive",
        ),
        (pod(phase="Succeeded", containerStatuses=terminated(0)), "Succeeded on node-1"),
        (
            pod(phase="Failed", containerStatuses=terminated(137, "OOMKilled")),
            "Failed on node-1: OOMKilled: exit status 137",
        ),
        (
            pod(phase="Failed", containerStatuses=terminated(1, "Error", "FAILED: throttled\n")),
            "Failed on node-1: Error: FAILED: throttled",
        ),
        (
            pod(
                phase="Failed",
                reason="Evicted",
                message="The node was low on resource: memory.",
                containerStatuses=terminated(137, "Error"),
            ),
            "Failed on node-1: Evicted: The node was low on resource: memory.",
        ),
        (
            pod(phase="Failed", reason="DeadlineExceeded", message="Pod was active too long"),
            "Failed on node-1: DeadlineExceeded: Pod was active too long",
        ),
        (pod(phase="Failed"), "Failed on node-1: Error: none of its containers ever ran"),
        (
            pod(
                phase="Failed",
                conditions=[
                    {
                        "type": "DisruptionTarget",
                        "status": "True",
                        "reason": "DeletionByTaintManager",
                        "message": "Taint manager: deleting due to NoExecute taint",
                    }
                ],
            ),
            "Failed on node-1: DeletionByTaintManager: Taint manager: deleting due to NoExecute taint",
        ),
        (None, "Gone: Deleted: somebody deleted it, or its node is lost"),
    ],
)
def test_a_state_is_summarised_with_phase_node_reason_and_message(status, summary):
    assert state_of(status).summary == summary


def test_which_phases_are_the_end():
    assert {phase for phase in Phase if phase not in {"Pending", "Running"}} == {
        "Succeeded", "Failed", "Gone"
    }  # fmt: skip
    assert state_of(pod(phase="Succeeded")).ended
    assert state_of(pod(phase="Failed")).ended
    assert GONE.ended
    assert not state_of(pod()).ended


def test_the_exit_status_of_a_pod_is_that_of_its_failed_container():
    assert state_of(pod(phase="Succeeded")).exit_code == 0
    assert state_of(pod(phase="Failed", containerStatuses=terminated(137))).exit_code == 137
    assert state_of(pod(phase="Failed", reason="Evicted")).exit_code is None


@pytest.mark.parametrize(
    ("reason", "hopeless", "remedy"),
    [
        ("InvalidImageName", True, "--image"),
        ("CreateContainerConfigError", True, ""),
        ("ImagePullBackOff", False, "push the image, or pass another with --image"),
        ("ContainerCreating", False, ""),
    ],
)
def test_a_reason_that_never_goes_away_is_hopeless(reason, hopeless, remedy):
    state = state_of(pod(containerStatuses=container(waiting={"reason": reason})))
    assert state.hopeless is hopeless
    assert remedy in state.remedy
    assert bool(remedy) == bool(state.remedy)


def test_foreign_statuses_may_carry_more():
    raw = b'{"kind":"Pod","metadata":{"name":"p","ownerReferences":[]},"spec":{"a":1},"status":{"qosClass":"Guaranteed"}}'
    assert state_of(msgspec.json.decode(raw, type=Pod)).phase == Phase.PENDING
