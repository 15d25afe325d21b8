"""An autoscaler beside the Deployment: the replicas are its, and it is held to the sizing."""

import pytest

from support.autoscalers import CPU, FITS, POD, RESOURCES, SIZED, facts, hpa, scaled
from support.project import ROOT
from whisper_bench.errors import BenchError
from whisper_bench.manifests.deployment import Sized, updated_deployment
from whisper_bench.manifests.facts import deployment_facts

CASE = ROOT / "tests" / "recorded" / "cases" / "deployments" / "21-hpa-no-replicas.yaml"


def test_replicas_are_left_to_the_autoscaler():
    new = updated_deployment(CASE.read_text(), SIZED, "d.yaml")
    assert "\n  replicas:" not in new
    (less, target), (note,) = facts(new).faults, facts(new).notes
    assert "HorizontalPodAutoscaler stt: minReplicas is 3, and the sizing's 10 Pods" in less
    assert "write 10, or let --hpa write it" in less
    assert "above 60% CPU utilisation, and the sizing's peak is at 36%" in target
    assert "sets the replicas (3 to 30)" in note
    assert facts(new).autoscaler == "HorizontalPodAutoscaler stt"


def test_replicas_that_are_written_stay_and_are_noted():
    text = POD.replace("spec:\n  temp", "spec:\n  replicas: 010\n  temp") + hpa(FITS)
    new = updated_deployment(text, SIZED, "d.yaml")
    assert "  replicas: 010\n" in new
    assert "every kubectl apply sets the Pods back to 8" in facts(new).notes[1]
    assert facts(new).faults == []
    with pytest.raises(BenchError, match="d.yaml: spec: Expected `int . null`, got `str`"):
        facts(new.replace("replicas: 010", "replicas: '10'"))


def test_the_autoscaler_is_edited_in_place():
    new = scaled(CASE.read_text())
    hpa_text = new.partition("\n---\n")[2]
    assert hpa_text == CASE.read_text().partition("\n---\n")[2].replace(
        "minReplicas: 3", "minReplicas: 10"
    ).replace("averageUtilization: 60", "averageUtilization: 36")
    assert facts(new).faults == []


@pytest.mark.parametrize(
    ("spec", "version", "faults", "edited"),
    [
        (FITS, "autoscaling/v2", [], FITS),
        # more Pods, and sooner, than the sizing asks for do no harm; --hpa writes its figures
        (FITS.replace("36", "30").replace("10", "12"), "autoscaling/v2", [], FITS),
        (
            "  maxReplicas: 4 # most\n",
            "autoscaling/v2",
            [
                "minReplicas is 1",
                "maxReplicas is 4, below",
                "above 80% CPU utilisation (the default",
            ],
            "  minReplicas: 10\n  maxReplicas: 10 # most\n  metrics:\n",
        ),
        (
            "  maxReplicas: 40\n  metrics: []\n",
            "autoscaling/v2beta2",
            ["minReplicas is 1", "80%"],
            "  maxReplicas: 40\n  metrics:\n",
        ),
        (
            "  minReplicas: 0xA\n  maxReplicas: 40\n",
            "autoscaling/v1",
            ["80%"],
            "  minReplicas: 0xA\n  maxReplicas: 40\n  targetCPUUtilizationPercentage: 36\n",
        ),
        (
            "  minReplicas: 10\n  maxReplicas: 40\n  targetCPUUtilizationPercentage: 70 # ours\n",
            "autoscaling/v1",
            ["70%"],
            "  maxReplicas: 40\n  targetCPUUtilizationPercentage: 36 # ours\n",
        ),
        (
            (
                "  minReplicas: 10\n  maxReplicas: 40\n  metrics:\n    - type: Resource\n"
                "      resource: {name: cpu, targetAverageUtilization: 70}\n"
            ),
            "autoscaling/v2beta1",
            ["70%"],
            "resource: {name: cpu, targetAverageUtilization: 36}\n",
        ),
        (
            (
                "  minReplicas: 10\n  maxReplicas: 40\n  metrics:\n    - {type: External}\n"
                "    - type: ContainerResource\n      containerResource:\n        name: cpu\n"
                "        container: api\n        target: {averageUtilization: 99}\n"
            ),
            "autoscaling/v2",
            ["99%"],
            "        target: {averageUtilization: 36}\n",
        ),
    ],
)
def test_minimum_maximum_and_target_are_checked(spec, version, faults, edited):
    text = POD + hpa(spec, version=version)
    new = updated_deployment(text, SIZED, "d.yaml")
    lines = facts(new).faults
    assert all(fault in line for fault, line in zip(faults, lines, strict=True))
    assert edited in scaled(text)
    assert facts(scaled(text)).faults == []


@pytest.mark.parametrize(
    "metrics",
    [
        "    - type: Resource\n      resource: {name: memory, target: {averageUtilization: 9}}\n",
        "    - type: Resource\n      resource: {name: cpu, target: {averageValue: 600m}}\n",
        "    - type: Resource\n      resource: {name: cpu}\n",
        "    - type: Pods\n      pods: {metric: {name: queue}}\n",
    ],
)
def test_other_metrics_are_not_checked_and_that_is_noted(metrics):
    text = POD + hpa("  minReplicas: 10\n  maxReplicas: 30\n  metrics:\n" + metrics)
    new = updated_deployment(text, SIZED, "d.yaml")
    assert facts(new).faults == []
    assert (
        "does not scale by the CPU utilisation of api: when it adds Pods was not checked"
        in facts(new).notes[1]
    )
    assert scaled(text) == new


def cpu_of(container, percent):
    return (
        f"    - {{type: ContainerResource, containerResource: {{name: cpu, container: {container}, "
        f"target: {{averageUtilization: {percent}}}}}}}\n"
    )


SECOND = "        - name: proxy\n" + RESOURCES


@pytest.mark.parametrize(
    "metrics", [cpu_of("proxy", 99), cpu_of("proxy", 10) + cpu_of("gone", 10)], ids=["one", "two"]
)
def test_a_target_of_another_container_is_not_checked_and_that_is_noted(metrics):
    text = POD + SECOND + hpa("  minReplicas: 10\n  maxReplicas: 30\n  metrics:\n" + metrics)
    new = updated_deployment(text, SIZED, "d.yaml", container="api")
    deployed = facts(new, container="api")
    assert deployed.faults == []
    assert "does not scale by the CPU utilisation of api" in deployed.notes[-1]
    assert scaled(text, container="api") == new


@pytest.mark.parametrize(
    ("metrics", "faults", "edited"),
    [
        # the sidecar's figure is lower, and says nothing of Whisper's
        (cpu_of("proxy", 20) + cpu_of("api", 99), ["99%"], cpu_of("proxy", 20) + cpu_of("api", 36)),
        (CPU.format(99) + cpu_of("api", 50), ["50%"], CPU.format(99) + cpu_of("api", 36)),
        (CPU.format(19) + cpu_of("api", 99), ["19%"], CPU.format(18) + cpu_of("api", 99)),
        # the metric that asks for the most Pods counts, wherever it stands
        (CPU.format(99) + cpu_of("api", 30), [], CPU.format(99) + cpu_of("api", 36)),
    ],
)
def test_of_several_targets_the_one_that_adds_pods_first_counts(metrics, faults, edited):
    head = "  minReplicas: 10\n  maxReplicas: 30\n  metrics:\n"
    text = POD + SECOND + hpa(head + metrics)
    new = updated_deployment(text, SIZED, "d.yaml", container="api")
    lines = facts(new, container="api").faults
    assert all(f"above {fault} CPU" in line for fault, line in zip(faults, lines, strict=True))
    assert scaled(text, container="api") == new.replace(metrics, edited)
    assert facts(scaled(text, container="api"), container="api").faults == []


def test_a_container_without_cpu_request_does_not_matter_for_the_metric_of_another():
    metrics = "  minReplicas: 10\n  maxReplicas: 30\n  metrics:\n" + cpu_of("api", 36)
    text = POD + "        - name: proxy\n" + hpa(metrics)
    assert not any(
        "proxy has no CPU request" in fault for fault in facts(text, container="api").faults
    )


def test_the_pods_other_containers_count_in_the_percent():
    second = "        - name: whisper\n" + RESOURCES.replace("cpu: 1", "cpu: 3")
    text = POD + second + hpa(FITS)
    sized = Sized(10, 1, 448, 1, {}, 36)
    new = scaled(text, sized, container="api")
    assert "averageUtilization: 9}" in new
    assert (
        "36% CPU utilisation, and the sizing's peak is at 9%"
        in (
            facts(
                updated_deployment(text, sized, "d.yaml", container="api"), container="api"
            ).faults[0]
        )
    )
    other = FITS.replace("Resource", "ContainerResource").replace(
        "resource: {name: cpu,", "containerResource: {name: cpu, container: whisper,"
    )
    text = POD + second + hpa(other)
    assert "averageUtilization: 36}" in scaled(text, sized, container="api")


def test_a_container_without_cpu_request_is_a_fault():
    text = POD + "        - name: proxy\n" + hpa(FITS)
    new = updated_deployment(text, SIZED, "d.yaml", container="api")
    faults = facts(new, container="api").faults
    (fault,) = [line for line in faults if "proxy has no CPU request" in line]
    assert fault.endswith("write requests.cpu there")


def test_without_a_known_utilisation_the_target_stays():
    sized = Sized(10, 1, 448, 1, {}, None)
    text = POD + hpa(FITS.replace("36", "99"))
    assert "averageUtilization: 99" in scaled(text, sized)
    deployed = deployment_facts(scaled(text, sized), sized, "d.yaml")
    assert deployed.faults == []
