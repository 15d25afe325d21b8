"""What is claimed of a Deployment's Pod: by all of its containers, as they are written."""

import pytest

from support.deployments import SMALL_SIZED, deployment
from support.project import ROOT
from whisper_bench.errors import BenchError
from whisper_bench.manifests.deployment import Sized, updated_deployment
from whisper_bench.manifests.facts import deployment_facts

CASES = ROOT / "tests" / "recorded" / "cases" / "deployments"
SIZED = Sized(10, 1, 448, 1, {}, 36)
FIXED = "resources: {limits: {cpu: 1, memory: 448Mi}}"
OURS = f"          {FIXED}\n"


def facts(text, sized=SIZED, container=None):
    return deployment_facts(text, sized, "d.yaml", container=container)


def with_pod(lines, ours=OURS):
    return deployment(ours) + "".join(f"      {line}\n" for line in lines)


def test_a_pod_with_requests_as_limits_has_no_fault():
    deployed = facts(with_pod([]))
    assert (deployed.quality_of_service, deployed.cpus, deployed.memory_mib) == (
        "Guaranteed",
        1.0,
        448.0,
    )
    assert (deployed.container, deployed.autoscaler) == ("api", None)
    assert (deployed.faults, deployed.notes) == ([], [])


@pytest.mark.parametrize(
    ("lines", "fault_part"),
    [
        (
            ["initContainers:", "  - name: proxy", "    restartPolicy: Always"],
            "initContainers[proxy].resources has no limit of cpu and memory",
        ),
        (
            ["initContainers:", "  - name: init", "    resources: {limits: {cpu: 1}}"],
            "initContainers[init].resources has no limit of memory",
        ),
        (
            ["initContainers:", f"  - {{name: i, {FIXED[:-1]}, requests: {{cpu: 500m}}}}}}"],
            "initContainers[i].resources has cpu request 500m and cpu limit 1",
        ),
        (
            ["initContainers:", "  - {name: i, resources: {limits: {cpu: 0, memory: 1Gi}}}"],
            "initContainers[i].resources has no limit of cpu",
        ),
    ],
)
def test_one_container_without_limits_makes_the_pod_burstable(lines, fault_part):
    deployed = facts(with_pod(lines))
    assert deployed.quality_of_service == "Burstable"
    (fault,) = deployed.faults
    assert fault.startswith("the Pod is Burstable, not Guaranteed: ")
    assert fault_part in fault
    assert "write requests = limits of cpu and memory there" in fault


def test_a_container_without_resources_is_a_fault():
    text = (CASES / "22-sidecar-no-resources.yaml").read_text()
    deployed = facts(text)
    assert deployed.quality_of_service == "Burstable"
    assert "containers[envoy].resources has no limit of cpu and memory" in deployed.faults[0]


def test_the_requests_of_all_containers_are_counted():
    second = f"        - name: proxy\n          {FIXED.replace('cpu: 1', 'cpu: 500m')}\n"
    sidecar = ["initContainers:", f"  - {{name: log, restartPolicy: Always, {FIXED}}}"]
    start = [f"  - {{name: start, {FIXED.replace('cpu: 1', 'cpu: 3')}}}", "overhead: {cpu: 250m}"]
    text = with_pod([*sidecar, *start], OURS + second)
    deployed = facts(text, container="api")
    # the start asks for 3 beside the sidecar's 1 that runs already, more than all that run later
    assert deployed.cpus == 4.25
    assert deployed.memory_mib == 3 * 448
    assert deployed.quality_of_service == "Guaranteed"
    (note,) = deployed.notes
    assert "the whole Pod requests 4.25 CPU and 1344 MiB, 42.5 CPU in 10 Pods" in note
    assert "for api only, not for proxy, log, start" in note


def test_a_pod_limit_below_its_containers_is_a_fault():
    deployed = facts((CASES / "31-pod-level-resources.yaml").read_text())
    assert deployed.quality_of_service == "Burstable"
    cpu, memory, quality = deployed.faults
    assert "containers[whisper] has cpu limit 1, above the whole Pod's limit 500m" in cpu
    assert "containers[whisper] has memory limit 448Mi, above the whole Pod's limit 256Mi" in memory
    assert "has cpu request 1 and cpu limit 500m; remove it" in quality


def test_pod_resources_that_are_not_fixed_are_a_fault():
    deployed = facts(with_pod(["resources: {limits: {cpu: 2, memory: 448Mi}}"]))
    assert deployed.cpus == 1.0
    assert "on servers with Pod-level resources (Kubernetes 1.34)" in deployed.faults[0]
    assert "has cpu request 1 and cpu limit 2" in deployed.faults[0]
    deployed = facts(with_pod(["resources: {requests: {cpu: 1}}"]))
    assert "has no limit of cpu and memory" in deployed.faults[0]
    # and none that are: what the containers have is for older servers
    fixed = ["resources: {limits: {cpu: 2, memory: 1Gi}, requests: {cpu: 2, memory: 1Gi}}"]
    deployed = facts(with_pod(fixed))
    assert deployed.faults == []
    assert "the whole Pod requests 2 CPU and 1024 MiB" in deployed.notes[0]
    assert not deployed.notes[0].endswith(", beside ")
    bare = with_pod([*fixed, "initContainers: [{name: init}]"])
    assert "the Pod is Burstable, not Guaranteed: initContainers[init]" in facts(bare).faults[0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("- name: OMP_NUM_THREADS", "- name: [a]"), "Expected `str`, got `array`"),
        (("- name: OMP_NUM_THREADS", "- name: yes"), "Expected `str`, got `bool`"),
        (("- name: OMP_NUM_THREADS", "- name: 010"), "Expected `str`, got `int`"),
        (('value: "2"', "value: 1"), "Expected `str | null`, got `int`"),
        (('value: "2"', "value: on"), "Expected `str | null`, got `bool`"),
        (('cpu: "2"', "cpu: yes"), "True is not a quantity"),
        (('cpu: "2"', "cpu: 1 core"), "'1 core' is not a quantity"),
        (('cpu: "2"', "cpu: ~"), "None is not a quantity"),
    ],
)
def test_what_a_server_refuses_is_refused_with_its_path(change, problem):
    with pytest.raises(BenchError) as refused:
        facts(SMALL_SIZED.replace(*change))
    assert problem in str(refused.value)
    assert "d.yaml: spec.template.spec: " in str(refused.value)
    assert "at `$.containers[0]." in str(refused.value)
    assert "write it as" in str(refused.value)
    assert ("put a number" in str(refused.value)) == problem.startswith("Expected `str")


def test_a_vertical_autoscaler_that_changes_resources_is_a_fault():
    vpa = (
        "---\nkind: VerticalPodAutoscaler\nmetadata: {name: v}\nspec:\n"
        "  targetRef: {apiVersion: apps/v1, kind: Deployment, name: api}\n"
    )
    (fault,) = facts(with_pod([]) + vpa).faults
    assert "VerticalPodAutoscaler v changes requests and limits" in fault
    assert 'write updateMode: "Off" (with the quotes' in fault
    # unquoted, Off is false to Kubernetes, which refuses it
    assert facts(with_pod([]) + vpa + "  updatePolicy: {updateMode: Off}\n").faults
    assert not facts(with_pod([]) + vpa + '  updatePolicy: {updateMode: "Off"}\n').faults


@pytest.mark.parametrize("item", ["OMP_NUM_THREADS=1", "~", "[name]", "1"])
def test_a_variable_that_is_no_mapping_is_refused_with_its_place(item):
    # a slip of those who come from docker-compose
    text = deployment(env=f"          env:\n            - {item}\n            - name: A\n")
    new = updated_deployment(text, SIZED, "d.yaml")
    with pytest.raises(
        BenchError, match=r"d.yaml: spec.template.spec: Expected `object`.*env\[0\]"
    ):
        facts(new)
