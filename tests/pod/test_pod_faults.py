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
def test_a_fit_pod_has_no_faults(spec):
    check_bench_pod(spec, "p.yaml: spec")


def check_one_fault(spec, value, remedy):
    """Assert that a Pod has one fault: its path with the value, and its remedy."""
    (line,) = faults(spec)
    assert line.startswith(f"p.yaml: spec.{value}")
    assert line.endswith(f"; {remedy}")


@pytest.mark.parametrize(
    ("spec", "value", "remedy"),
    [
        (
            asking(amounts("500m", "2Gi"), amounts("1", "2Gi")),
            f"{OURS}.resources: cpu has request 500m and limit 1:",
            "write the same value for both",
        ),
        (
            asking(amounts("1", "2Gi"), amounts("1", "1Gi")),
            f"{OURS}.resources: memory has request 2Gi and limit 1Gi:",
            "write the same value for both",
        ),
        (
            asking(amounts("1", "2Gi"), amounts(memory="2Gi")),
            f"{OURS}.resources.limits.cpu is missing:",
            "write the same request and limit of cpu",
        ),
        (
            asking(None, amounts("1")),
            f"{OURS}.resources.limits.memory is missing:",
            "write the same request and limit of memory",
        ),
        (
            asking(None, amounts("-500m", "2Gi")),
            f"{OURS}.resources.limits.cpu is -500m:",
            "write more than 0",
        ),
        (
            asking(None, amounts("1", 0)),
            f"{OURS}.resources.limits.memory is 0:",
            "write more than 0",
        ),
        (
            asking(None, amounts("1500m", "2Gi")),
            f"{OURS}.resources.limits.cpu is 1500m, not a whole number of CPUs:",
            'write "1"',
        ),
        (
            pod_spec(initContainers=[{"name": "fetch"}]),
            "initContainers make the Pod's class Burstable, not Guaranteed,",
            "give each of them requests = limits of cpu and memory",
        ),
        (
            pod_spec(resources={"limits": amounts("1", "2Gi")}),
            "resources is set for the whole Pod:",
            "move it into the container",
        ),
    ],
)
def test_resources_that_are_not_fixed_are_refused(spec, value, remedy):
    check_one_fault(spec, value, remedy)
    (fault,) = of_resources(spec)
    assert fault.startswith(value)
    assert fault.endswith(f"; {remedy}")


@pytest.mark.parametrize(
    ("spec", "value", "remedy"),
    [
        *(
            (
                spec,
                "containers: proxy would run beside whisper-bench,",
                "remove proxy from this Pod",
            )
            for spec in (
                pod_spec(containers=[container(), SIDECAR]),
                pod_spec(initContainers=[SIDECAR | {"restartPolicy": "Always"}]),
            )
        ),
        *(
            (
                pod_spec(restartPolicy=policy),
                f"restartPolicy is {policy or 'Always'}:",
                "write Never",
            )
            for policy in ("OnFailure", None)
        ),
        *(
            (
                pod_spec(activeDeadlineSeconds=deadline),
                f"activeDeadlineSeconds is {'missing' if deadline is None else deadline}:",
                "write a number of seconds, such as 7200",
            )
            for deadline in (0, None)
        ),
        *(
            (
                pod_spec(automountServiceAccountToken=token),
                "automountServiceAccountToken is not false:",
                "write false",
            )
            for token in (True, None)
        ),
        (
            pod_spec(containers=[container(securityContext={"privileged": True})]),
            f"{OURS}.securityContext.privileged is true:",
            "remove privileged",
        ),
        *(
            (
                spec,
                f"{OURS} may run as root,",
                "write runAsNonRoot: true and a runAsUser other than 0",
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
def test_what_a_run_must_not_have_is_refused(spec, value, remedy):
    check_one_fault(spec, value, remedy)
    assert of_resources(spec) == []


def test_all_faults_are_in_one_message():
    lines = faults({"containers": [{"name": "a"}]})
    assert [line.split(" ")[1] for line in lines] == [
        "spec.containers[a].resources.limits.cpu",
        "spec.containers[a].resources.limits.memory",
        "spec.restartPolicy",
        "spec.activeDeadlineSeconds",
        "spec.automountServiceAccountToken",
        "spec.containers[a]",
    ]


def test_an_amount_that_is_not_a_quantity_is_refused():
    (line,) = faults(asking(None, amounts("1 core", "2Gi")))
    assert line.startswith("p.yaml: spec: '1 core' is not a quantity")
