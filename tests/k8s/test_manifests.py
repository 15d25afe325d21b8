"""The shipped Pod and Jobs, as they are and as kustomize renders them."""

import re

import kubernetes_validate
import pytest

from support.bench_pods import JOB, NODE_TYPES, POD, SAVE_NAMES, SOURCES, one, template_of, text_of
from support.deployments import EXAMPLE, SIZED, all_data, update
from whisper_bench.pod.pod_faults import check_bench_pod, resource_faults
from whisper_bench.pod.pod_spec import parse_pod_spec
from whisper_bench.pod.qos import QosClass, qos_class

# the oldest and the newest that the installed schemas have
KUBERNETES = ["1.33.0", "1.37.0"]
OUR_IMAGE = "registry.example/whisper-bench:0.1.0"
USER = 10001
PLAIN_FILES = ["pod", "job"]


@pytest.fixture(params=SOURCES)
def source(request):
    return request.param


@pytest.fixture
def data(source):
    return one(text_of(source))


@pytest.fixture
def spec(data):
    return template_of(data)["spec"]


@pytest.fixture
def container(spec):
    (only,) = spec["containers"]
    return only


@pytest.mark.parametrize("version", KUBERNETES)
def test_manifest_fits_the_kubernetes_schema(data, version):
    kubernetes_validate.validate(data, version, strict=True)


def test_manifest_is_a_guaranteed_pod_fit_to_measure_in(spec):
    check_bench_pod(spec, "spec")
    assert qos_class(parse_pod_spec(spec, "spec")) is QosClass.GUARANTEED


def test_manifest_requests_what_it_limits(container):
    fixed = {"cpu": "1", "memory": "2Gi"}
    assert container["resources"] == {"requests": fixed, "limits": fixed}


def test_manifest_runs_our_image_with_its_entry_point(source, container):
    assert container["name"] == "whisper-bench"
    assert container["image"] == OUR_IMAGE
    assert "command" not in container, "the image's entry point is the suite"
    assert container["args"] == [f"--benchmark-save={SAVE_NAMES[source]}", "--whisper-frames"]


def test_manifest_passes_the_nodes_name(container):
    (variable,) = container["env"]
    assert variable == {
        "name": "WHISPER_BENCH_NODE",
        "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}},
    }


def test_manifest_has_no_privileges(spec, container):
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(spec)


def test_manifest_writes_to_bounded_volumes_alone(spec, container):
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {"results": "/results", "tmp": "/tmp"}
    volumes = {volume.pop("name"): volume for volume in spec["volumes"]}
    assert volumes == {
        "results": {"emptyDir": {"sizeLimit": "4Gi"}},
        "tmp": {"emptyDir": {"sizeLimit": "16Mi"}},
    }


def test_manifest_has_a_deadline_and_never_restarts(spec, container):
    assert spec["restartPolicy"] == "Never"
    assert spec["activeDeadlineSeconds"] == 7200
    assert spec["terminationGracePeriodSeconds"] == 5
    assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_manifest_keeps_two_pods_off_one_node(data, spec):
    (term,) = spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    labels = template_of(data)["metadata"]["labels"]
    assert term["labelSelector"]["matchLabels"].items() <= labels.items()
    # whatever else a fleet's Pods are labelled with, one keeps the others off
    assert term["labelSelector"] == {"matchLabels": {"app.kubernetes.io/name": "whisper-bench"}}


def test_the_jobs_template_is_the_pod():
    pod, template = one(POD.read_text()), template_of(one(JOB.read_text()))
    assert template["spec"] == pod["spec"]
    assert template["metadata"] == {key: pod["metadata"][key] for key in ("labels", "annotations")}


@pytest.mark.parametrize("source", ["job", *NODE_TYPES])
def test_a_job_runs_once_and_keeps_its_pods_log(source):
    spec = one(text_of(source))["spec"]
    assert (spec["parallelism"], spec["completions"], spec["backoffLimit"]) == (1, 1, 0)
    # past the Job's deadline the Pod goes, past the Pod's own it stays
    assert spec["template"]["spec"]["activeDeadlineSeconds"] < spec["activeDeadlineSeconds"]
    assert spec["ttlSecondsAfterFinished"] >= 7 * 86_400


def test_the_commented_claim_can_replace_the_results_volume():
    """The lines that the Pod has in a comment, put where the comment says."""
    text = re.sub(r"      emptyDir:\n        sizeLimit: 4Gi\n", "", POD.read_text())
    text = re.sub(r"# (persistentVolumeClaim:|  claimName:)", r"\1", text)
    data = one(text)
    assert data["spec"]["volumes"][0] == {
        "name": "results",
        "persistentVolumeClaim": {"claimName": "whisper-bench-results"},
    }
    kubernetes_validate.validate(data, KUBERNETES[0], strict=True)


@pytest.mark.parametrize("source", PLAIN_FILES)
def test_manifest_is_laid_out_to_be_read(source):
    text = text_of(source)
    assert max(map(len, text.splitlines())) <= 100
    assert text.startswith("# ")
    assert text.endswith("\n")
    assert "\t" not in text


@pytest.mark.parametrize("text", [EXAMPLE.read_text(), update(EXAMPLE.read_text(), SIZED)])
def test_the_deployments_resources_are_as_in_the_measured_pod(text):
    """What was measured holds for a service that runs the same way."""
    deployment, _ = all_data(text)
    spec = parse_pod_spec(deployment["spec"]["template"]["spec"], "spec.template.spec")
    assert list(resource_faults(spec)) == []
