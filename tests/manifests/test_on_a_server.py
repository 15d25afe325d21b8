"""Deployments as a real API server reads them, beside what is claimed of them."""

import json

import pytest

from support.autoscalers import SIZED, scaled
from support.project import ROOT
from whisper_bench.manifests.deployment import updated_deployment
from whisper_bench.manifests.facts import deployment_facts

CASES = ROOT / "tests" / "recorded" / "cases" / "deployments"


@pytest.fixture
def admitted(kubectl):
    """The objects of a manifest as a server would store them."""

    def read(text):
        objects = kubectl.objects("create", "--dry-run=server", "--filename=-", manifest=text)
        assert objects
        return objects

    return read


@pytest.mark.parametrize("written", ["010", "0o10", "0x8", "8.0", "1_0", "09", "1e1"])
def test_replicas_are_what_the_server_reads(admitted, written):
    text = (CASES / "24-octal-replicas.yaml").read_text().replace("010", written)
    (stored,) = admitted(text)
    for replicas in (8, 9, 10):
        sized = SIZED.__class__(replicas, 1, 448, 1, {})
        stays = updated_deployment(text, sized, "d.yaml") == text
        assert stays == (stored["spec"]["replicas"] == replicas)


@pytest.mark.parametrize(
    "change", [("- name: OMP", "- name: [a]\n            - name: OMP"), ("448Mi", "yes")]
)
def test_what_is_refused_here_is_refused_there(kubectl, change):
    text = (CASES / "24-octal-replicas.yaml").read_text().replace(*change)
    done = kubectl.tried("create", "--dry-run=server", "--filename=-", manifest=text)
    assert done.returncode == 1
    with pytest.raises(Exception, match="d.yaml: spec.template.spec: "):
        deployment_facts(text, SIZED, "d.yaml")


@pytest.mark.parametrize("name", ["22-sidecar-no-resources.yaml", "24-octal-replicas.yaml"])
def test_the_class_is_the_one_of_the_server(admitted, name):
    text = (CASES / name).read_text()
    (stored,) = admitted(text)
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    (admitted_pod,) = admitted(json.dumps(pod | {"spec": stored["spec"]["template"]["spec"]}))
    deployed = deployment_facts(text, SIZED, "d.yaml")
    assert admitted_pod["status"]["qosClass"] == deployed.quality_of_service
    assert (deployed.quality_of_service == "Guaranteed") == (not deployed.faults)


def test_an_edited_autoscaler_is_admitted(admitted):
    text = (CASES / "21-hpa-no-replicas.yaml").read_text().replace("g/v2", "g/v2beta2")
    controller, autoscaler = admitted(scaled(text))
    assert controller["spec"]["replicas"] == 1  # the server's default, until the autoscaler acts
    spec = autoscaler["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (10, 30)
    target = {"type": "Utilization", "averageUtilization": 36}
    assert spec["metrics"] == [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
