"""The shipped manifest, as it is and sized, held to the schemas of Kubernetes itself."""

import kubernetes_validate
import pytest

from support.deployments import EXAMPLE, SIZED, all_data, update
from whisper_bench.pod.quantity import amount

KUBERNETES = "1.33.0"


@pytest.fixture(params=["as shipped", "sized"])
def documents(request):
    text = EXAMPLE.read_text()
    return all_data(text if request.param == "as shipped" else update(text, SIZED))


def test_the_shipped_manifests_are_valid(documents):
    assert [data["kind"] for data in documents] == ["Deployment", "Service"]
    for data in documents:
        kubernetes_validate.validate(data, KUBERNETES, strict=True)


def test_the_shipped_pods_are_guaranteed(documents):
    pod = documents[0]["spec"]["template"]["spec"]
    for container in pod["containers"] + pod.get("initContainers", []):
        resources = container["resources"]
        for name in ("cpu", "memory"):
            assert amount(resources["requests"][name]) == amount(resources["limits"][name]) > 0
        assert amount(resources["limits"]["cpu"]).denominator == 1


def test_the_shipped_threads_are_the_cpus(documents):
    (container,) = documents[0]["spec"]["template"]["spec"]["containers"]
    env = {item["name"]: item["value"] for item in container["env"]}
    assert set(env) == {"OMP_NUM_THREADS", "WHISPER_THREADS"}
    assert set(env.values()) == {container["resources"]["limits"]["cpu"]}


def test_the_shipped_service_selects_the_pods(documents):
    controller, service = documents
    labels = controller["spec"]["template"]["metadata"]["labels"]
    for selector in (
        service["spec"]["selector"],
        controller["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()


def test_the_shipped_pods_are_hardened(documents):
    pod = documents[0]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
