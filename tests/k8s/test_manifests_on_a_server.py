"""The manifests, and our reading of Pods, held to a real Kubernetes API server."""

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from support.bench_pods import NODE_TYPES, POD, SOURCES, amounts, container, one, pod_spec, text_of
from support.clusters import MANIFESTS, kustomized
from support.deployments import EXAMPLE, SIZED, all_data, update
from whisper_bench.errors import BenchError
from whisper_bench.pod.pod_faults import check_bench_pod
from whisper_bench.pod.pod_spec import parse_pod_spec
from whisper_bench.pod.qos import QosClass, qos_class

FIXED = {"limits": amounts("1", "1Gi")}
DEPLOYMENTS = [EXAMPLE.read_text(), update(EXAMPLE.read_text(), SIZED)]
# the amounts of a user who is nearly right, and of one who is not
cpus = st.sampled_from([None, "1", 1, "1000m", "500m", "0.0005", "0.0004", "2", "0", 0, 1.5])
memories = st.sampled_from([None, "1Gi", "1024Mi", 1 << 30, "1073741824", "1G", "0", "2e9", "100m"])
resources = st.fixed_dictionaries(
    {},
    optional={
        "requests": st.builds(amounts, cpus, memories),
        "limits": st.builds(amounts, cpus, memories),
    },
)
asked = st.one_of(resources, st.just(FIXED), st.just({"requests": amounts("1"), **FIXED}))
pods = st.tuples(st.lists(asked, min_size=1, max_size=2), st.lists(asked, max_size=2))


def spec_of(containers, init=()):
    lists = {"containers": containers, "initContainers": init}
    named = {
        kind: [
            container(name=f"{kind[:4].lower()}{number}", resources=item)
            for number, item in enumerate(given)
        ]
        for kind, given in lists.items()
    }
    return pod_spec(**named)


def pod_of(spec, name="benchmark-xeon"):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def listed(specs):
    items = [pod_of(spec, f"p{number}") for number, spec in enumerate(specs)]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


@pytest.mark.parametrize("source", SOURCES)
def test_the_server_admits_each_manifest(kubectl, source):
    (actual,) = kubectl.objects("apply", "--dry-run=server", "-f", "-", manifest=text_of(source))
    given = one(text_of(source))
    assert (actual["kind"], actual["metadata"]["name"]) == (
        given["kind"],
        given["metadata"]["name"],
    )


def test_the_server_admits_the_fleet(kubectl):
    text = kustomized(MANIFESTS / "fleet")
    actual = kubectl.objects("apply", "--dry-run=server", "-f", "-", manifest=text)
    assert [job["metadata"]["labels"]["whisper-bench/node-type"] for job in actual] == NODE_TYPES


@pytest.mark.parametrize("text", DEPLOYMENTS)
def test_the_server_admits_the_deployment(kubectl, text):
    actual = kubectl.objects("apply", "--dry-run=server", "-f", "-", manifest=text)
    assert [item["kind"] for item in actual] == ["Deployment", "Service"]


def test_the_server_calls_the_pod_guaranteed(kubectl):
    kubectl("create", "-f", str(POD))
    (actual,) = kubectl.objects("get", "pod", "benchmark-xeon")
    ours = qos_class(parse_pod_spec(one(POD.read_text())["spec"], "spec"))
    assert actual["status"]["qosClass"] == ours == QosClass.GUARANTEED
    kubectl("delete", "pod", "benchmark-xeon", "--grace-period=0", "--force")


def test_the_server_calls_the_pods_of_jobs_and_deployments_guaranteed(kubectl):
    """Templates have no class of their own: a Pod is made of each, as the controllers do."""
    templates = [one(text_of(name))["spec"]["template"]["spec"] for name in ("job", *NODE_TYPES)]
    for text in DEPLOYMENTS:
        deployment, _ = all_data(text)
        templates.append(deployment["spec"]["template"]["spec"])
    actual = kubectl.objects("create", "--dry-run=server", "-f", "-", manifest=listed(templates))
    assert [pod["status"]["qosClass"] for pod in actual] == ["Guaranteed"] * len(templates)


@pytest.mark.parametrize(
    ("given", "theirs", "ours"),
    [
        (
            {"limits": amounts("1 core", "1Gi")},
            "quantities must match the regular expression",
            "'1 core' is not a quantity",
        ),
        (
            {"requests": amounts("2", "1Gi"), "limits": amounts("1", "1Gi")},
            "must be less than or equal to cpu limit",
            "cpu has request 2 and limit 1",
        ),
        (
            {"limits": amounts("-1", "1Gi")},
            "must be greater than or equal to 0",
            "limits.cpu is -1",
        ),
    ],
)
def test_a_pod_that_the_server_refuses_we_refuse_too(kubectl, given, theirs, ours):
    spec = spec_of([given])
    done = kubectl.tried("create", "--dry-run=server", "-f", "-", manifest=listed([spec]))
    assert done.returncode == 1
    assert theirs in done.stderr
    with pytest.raises(BenchError) as caught:
        check_bench_pod(spec, "spec")
    assert ours in str(caught.value)


@settings(
    max_examples=5,
    deadline=None,
    # a batch is too much to shrink by a server; what disagrees in it is named
    phases=[Phase.generate],
    # a dry run leaves nothing in the namespace
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(batch=st.lists(pods, min_size=40, max_size=40))
def test_our_class_of_a_pod_is_the_servers(kubectl, batch):
    """On the class of what it admits; what it refuses, we refuse too. kubectl is slow to start."""
    specs = [spec_of(*item) for item in batch]
    actual = kubectl.objects("create", "--dry-run=server", "-f", "-", manifest=listed(specs))
    theirs = {pod["metadata"]["name"]: pod["status"]["qosClass"] for pod in actual}
    assert theirs
    said = [(theirs.get(f"p{number}", "refused"), spec) for number, spec in enumerate(specs)]
    assert [(word, spec) for word, spec in said if word not in our_words(spec)] == []


def our_words(spec):
    """The class, and "refused" where the Pod is not fit to measure in."""
    words = {str(qos_class(parse_pod_spec(spec, "spec")))}
    try:
        check_bench_pod(spec, "spec")
    except BenchError:
        words.add("refused")
    return words
