"""Each fault that a Pod may have as a place to measure, alone: its path, value, reason, remedy."""

import pytest

from support.bench_pods import amounts, changed, container, pod_spec
from whisper_bench.errors import BenchError
from whisper_bench.pod.pod_faults import check_bench_pod, resource_faults
from whisper_bench.pod.pod_spec import parse_pod_spec

SIDECAR = {"name": "proxy", "resources": {"limits": amounts("1", "64Mi")}}
OURS = "containers[whisper-bench]"
PODS_SECURITY = pod_spec()["securityContext"]


def asking(requests, limits):
    return pod_spec(containers=[container(resources=changed({}, requests=requests, limits=limits))])


def secured(**security):
    """The shipped Pod with another securityContext, and a container that has none."""
    return pod_spec(
        securityContext=changed(PODS_SECURITY, **security),
        containers=[container(securityContext=None)],
    )


def faults(spec):
    with pytest.raises(BenchError) as caught:
        check_bench_pod(spec, "p.yaml: spec")
    return str(caught.value).splitlines()


def of_resources(spec):
    return list(resource_faults(parse_pod_spec(spec, "p.yaml: spec")))


@pytest.mark.parametrize(
    "spec",
    [
        pod_spec(),
        asking(None, amounts("1", "2Gi")),
        asking(amounts("2000m", "1024Mi"), amounts(2, "1Gi")),
        # one that ends before the measurement begins
        pod_spec(initContainers=[SIDECAR]),
        secured(runAsUser=None),
        secured(runAsNonRoot=None),
    ],
)
def test_fit(spec):
    check_bench_pod(spec, "p.yaml: spec")


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        (
            asking(amounts("500m", "2Gi"), amounts("1", "2Gi")),
            (
                f"{OURS}.resources: cpu has request 500m and limit 1: between the two a Pod has what "
                "its neighbours leave, which is no figure to size by; write the same for both"
            ),
        ),
        (
            asking(amounts("1", "2Gi"), amounts("1", "1Gi")),
            (
                f"{OURS}.resources: memory has request 2Gi and limit 1Gi: between the two a Pod has "
                "what its neighbours leave, which is no figure to size by; write the same for both"
            ),
        ),
        (
            asking(amounts("1", "2Gi"), amounts(memory="2Gi")),
            (
                f"{OURS}.resources.limits.cpu is missing: what the node happens to have left would be "
                "measured; write requests and limits of cpu, the same for both"
            ),
        ),
        (
            asking(None, amounts("1")),
            (
                f"{OURS}.resources.limits.memory is missing: what the node happens to have left would "
                "be measured; write requests and limits of memory, the same for both"
            ),
        ),
        (
            asking(None, amounts("-500m", "2Gi")),
            f"{OURS}.resources.limits.cpu is -500m: no process runs in that; write more than 0",
        ),
        (
            asking(None, amounts("1", 0)),
            f"{OURS}.resources.limits.memory is 0: no process runs in that; write more than 0",
        ),
        (
            asking(None, amounts("1500m", "2Gi")),
            (
                f"{OURS}.resources.limits.cpu is 1500m, no whole number of CPUs: a part of one is had "
                "by throttling alone, and the kubelet's static CPU manager gives CPUs of its own to "
                'whole numbers only; write "1"'
            ),
        ),
        (
            pod_spec(initContainers=[{"name": "fetch"}]),
            (
                "initContainers make the Pod's class Burstable, not Guaranteed, and take its CPUs of "
                "its own away; give each of them requests = limits of cpu and memory"
            ),
        ),
        (
            pod_spec(resources={"limits": amounts("1", "2Gi")}),
            (
                "resources is for the Pod as a whole: only some servers know it, and it leaves open "
                "what the measured container has; move it into the container"
            ),
        ),
    ],
)
def test_resources(spec, fault):
    assert faults(spec) == [f"p.yaml: spec.{fault}"]
    assert of_resources(spec) == [fault]


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        (
            pod_spec(containers=[container(), SIDECAR]),
            (
                "containers: proxy would run beside whisper-bench and be measured with it, and the "
                "Pod would not end with it; take it out of this Pod"
            ),
        ),
        (
            pod_spec(initContainers=[SIDECAR | {"restartPolicy": "Always"}]),
            (
                "containers: proxy would run beside whisper-bench and be measured with it, and the "
                "Pod would not end with it; take it out of this Pod"
            ),
        ),
        *(
            (
                pod_spec(restartPolicy=policy),
                (
                    f"restartPolicy is {policy or 'Always'}: a run that failed would begin anew and "
                    "write over its own log; write Never"
                ),
            )
            for policy in ("OnFailure", None)
        ),
        *(
            (
                pod_spec(activeDeadlineSeconds=deadline),
                (
                    f"activeDeadlineSeconds is {'missing' if deadline is None else deadline}: a run "
                    "that hangs would hold its CPUs for ever; write a figure, such as 7200"
                ),
            )
            for deadline in (0, None)
        ),
        *(
            (
                pod_spec(automountServiceAccountToken=token),
                (
                    "automountServiceAccountToken is not false: measuring asks nothing of the "
                    "cluster, and a token in the Pod can only be stolen; write false"
                ),
            )
            for token in (True, None)
        ),
        (
            pod_spec(containers=[container(securityContext={"privileged": True})]),
            (
                f"{OURS}.securityContext.privileged is true: it may lift its own CPU limit, and more; "
                "take it out"
            ),
        ),
        *(
            (
                spec,
                (
                    f"{OURS} may run as root, which nothing in it needs; write runAsNonRoot: true and "
                    "a runAsUser other than 0"
                ),
            )
            for spec in (
                secured(runAsUser=0),
                secured(runAsNonRoot=None, runAsUser=None),
                secured(runAsNonRoot=False, runAsUser=None),
                pod_spec(containers=[container(securityContext={"runAsUser": 0})]),
                changed(secured(runAsUser=None))
                | {"containers": [container(securityContext={"runAsNonRoot": False})]},
            )
        ),
    ],
)
def test_life_and_hygiene(spec, fault):
    assert faults(spec) == [f"p.yaml: spec.{fault}"]
    assert of_resources(spec) == []


def test_all_at_once():
    found = faults({"containers": [{"name": "a"}]})
    assert [line.split(" ")[1] for line in found] == [
        "spec.containers[a].resources.limits.cpu",
        "spec.containers[a].resources.limits.memory",
        "spec.restartPolicy",
        "spec.activeDeadlineSeconds",
        "spec.automountServiceAccountToken",
        "spec.containers[a]",
    ]


def test_no_quantity():
    (line,) = faults(asking(None, amounts("1 core", "2Gi")))
    assert line.startswith("p.yaml: spec: '1 core' is no quantity")
