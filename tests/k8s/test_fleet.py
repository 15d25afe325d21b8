"""The fleet: one Job a node type, which differ in what they should and nothing else."""

import copy
import difflib
import shutil

import kubernetes_validate
import pytest

from support.bench_pods import FLEET, JOB, NODE_TYPES, one, text_of
from support.clusters import MANIFESTS, kustomized
from support.deployments import all_data
from whisper_bench.pod.pod_faults import check_bench_pod

NODE_TYPE = "whisper-bench/node-type"
INSTANCE_TYPE = "node.kubernetes.io/instance-type"


@pytest.fixture
def ours(tmp_path):
    """A copy of the manifests to change, as a user would."""
    return shutil.copytree(MANIFESTS, tmp_path / "k8s")


def fleet_of(folder=MANIFESTS):
    return {
        job["metadata"]["labels"][NODE_TYPE]: job for job in all_data(kustomized(folder / "fleet"))
    }


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_fleet_has_one_job_for_each_node_type():
    fleet = fleet_of()
    assert list(fleet) == NODE_TYPES
    assert {name: one(text_of(name)) for name in NODE_TYPES} == fleet
    assert len({job["metadata"]["name"] for job in fleet.values()}) == len(NODE_TYPES)
    folders = {path.parent.name for path in FLEET.glob("*/kustomization.yaml")}
    assert folders == {"base", "kueue"} | {name.replace(".", "-") for name in NODE_TYPES}


@pytest.mark.parametrize("node_type", NODE_TYPES)
def test_an_overlay_adds_to_the_job_what_selects_its_node_type(node_type):
    expected = copy.deepcopy(one(JOB.read_text()))
    expected["metadata"]["name"] += "-" + node_type.replace(".", "-")
    template = expected["spec"]["template"]
    for metadata in (expected["metadata"], template["metadata"]):
        metadata["labels"] |= {
            "app.kubernetes.io/part-of": "whisper-bench-fleet",
            NODE_TYPE: node_type,
        }
    template["spec"]["nodeSelector"][INSTANCE_TYPE] = node_type
    template["spec"]["containers"][0]["args"][0] = f"--benchmark-save={node_type}"
    template["spec"]["tolerations"] = [
        {"key": "whisper-bench/measuring", "operator": "Exists", "effect": "NoSchedule"}
    ]
    assert one(text_of(node_type)) == expected


@pytest.mark.parametrize("other", NODE_TYPES[1:])
def test_overlays_differ_in_the_node_type_alone(other):
    first = NODE_TYPES[0]
    lines = [text_of(name).splitlines() for name in (first, other)]
    changes = [line for line in difflib.ndiff(*lines) if line[0] in "-+"]
    assert len(changes) == 2 * 5  # a name, two labels, an argument, a selector
    for theirs in (first, other):
        wanted = "-" if theirs == first else "+"
        named = [line for line in changes if line[0] == wanted]
        assert all(theirs in line or theirs.replace(".", "-") in line for line in named)


def test_the_users_own_image_reaches_every_job(ours):
    kustomization = ours / "fleet/kustomization.yaml"
    for line in ("images:", "  - name: ", "    newName: ", "    newTag: "):
        edit(kustomization, f"# {line}", line)
    edit(kustomization, "newTag: 0.1.0", "newTag: 0.2.0")
    for job in fleet_of(ours).values():
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert container["image"] == "registry.yours/whisper-bench:0.2.0"


def test_the_kueue_overlay_adds_the_queue(ours):
    edit(
        ours / "fleet/kustomization.yaml",
        "# components:\n#   - kueue\n",
        "components:\n  - kueue\n",
    )
    plain = fleet_of()
    for node_type, job in fleet_of(ours).items():
        kubernetes_validate.validate(job, "1.33.0", strict=True)
        check_bench_pod(job["spec"]["template"]["spec"], "spec.template.spec")
        assert job["metadata"]["labels"].pop("kueue.x-k8s.io/queue-name") == "whisper-bench"
        assert job["spec"].pop("suspend") is True
        assert job == plain[node_type]


def test_a_base_with_other_arguments_is_refused(ours):
    """A save name that is put in the place of some other option would go unseen."""
    edit(ours / "job/bench-job.yaml", "            - --benchmark-save=xeon\n", "")
    with pytest.raises(
        AssertionError, match="testing value /spec/template/spec/containers/0/args/0"
    ):
        kustomized(ours / "fleet/m5-large")


def test_options_added_to_the_job_reach_the_fleet(ours):
    edit(
        ours / "job/bench-job.yaml",
        "--whisper-frames\n",
        "--whisper-frames\n            - --stress\n",
    )
    for node_type, job in fleet_of(ours).items():
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert container["args"] == [
            f"--benchmark-save={node_type}",
            "--whisper-frames",
            "--stress",
        ]
