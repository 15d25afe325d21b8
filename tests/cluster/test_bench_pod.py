"""The Pod to create: the manifest's, with the changes of the command line."""

import pytest

from support.pod_runs import MANIFEST, bench_pod
from whisper_bench.cluster.bench_pod import PodChanges, pod_name, pod_to_create, read_manifest
from whisper_bench.errors import BenchError


def container(**changes):
    return bench_pod(**changes)["spec"]["containers"][0]


def test_of_the_manifest_only_the_name_and_the_save_name_change():
    pod, manifest = bench_pod("xeon"), read_manifest(MANIFEST)
    assert pod["metadata"].pop("name") == manifest["metadata"].pop("name") == "benchmark-xeon"
    assert pod["metadata"]["labels"].pop("whisper-bench/run") == "run-of-a-test"
    assert pod["spec"].pop("tolerations") == []
    assert pod == {**manifest, "spec": {**manifest["spec"], "containers": [container(save="xeon")]}}


def test_options_of_the_command_line_change_the_pod():
    taint = {"key": "gpu", "operator": "Equal", "value": "no", "effect": "NoSchedule"}
    changes = {"image": "mine:1", "node_selector": {"a": "b"}, "tolerations": [taint]}
    pod = bench_pod("icelake", **changes, arguments=["--whisper-models=base,small"])
    assert pod["metadata"]["name"] == "benchmark-icelake"
    assert pod["spec"]["nodeSelector"] == {"kubernetes.io/arch": "amd64", "a": "b"}
    assert pod["spec"]["tolerations"] == [taint]
    assert pod["spec"]["containers"][0]["image"] == "mine:1"
    assert pod["spec"]["containers"][0]["args"] == [
        "--whisper-models=base,small", "--benchmark-save=icelake", "--whisper-frames"
    ]  # fmt: skip


def written(tmp_path, old, new):
    path = tmp_path / "pod.yaml"
    text = MANIFEST.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_a_save_name_written_as_an_argument_of_its_own_is_replaced(tmp_path):
    old = "- --benchmark-save=xeon"
    path = written(tmp_path, old, "- --benchmark-save\n        - xeon\n        - --stress")
    pod = pod_to_create(read_manifest(path), PodChanges(save_name="a"), "r", "test")
    assert pod["spec"]["containers"][0]["args"] == [
        "--stress", "--benchmark-save=a", "--whisper-frames"
    ]  # fmt: skip


def test_a_pod_of_two_cpus_is_measured_under_two(tmp_path):
    manifest = read_manifest(written(tmp_path, 'cpu: "1"', 'cpu: "2"'))
    args = [
        pod_to_create(manifest, PodChanges(save_name="a", arguments=words), "r", "test")["spec"][
            "containers"
        ][0]["args"]
        for words in ([], ["--whisper-cpu-limit=1"])
    ]
    assert args == [
        ["--whisper-cpu-limit=2", "--benchmark-save=a", "--whisper-frames"],
        ["--whisper-cpu-limit=1", "--benchmark-save=a", "--whisper-frames"],
    ]


def test_a_pod_that_is_not_fit_to_measure_in_is_refused(tmp_path):
    manifest = read_manifest(written(tmp_path, 'cpu: "1"', 'cpu: "1500m"'))
    with pytest.raises(BenchError, match="pod.yaml: spec.containers"):
        pod_to_create(manifest, PodChanges(save_name="a"), "r", "pod.yaml")


def test_a_pod_without_a_spec():
    with pytest.raises(BenchError, match=r"pod.yaml: spec"):
        pod_to_create({"kind": "Pod"}, PodChanges(save_name="a"), "r", "pod.yaml")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"kind: Job\n", ("has Job;", "exactly one Pod", "--manifest")),
        (b"", ("has nothing;", "exactly one Pod", "--manifest")),
        (b"- 1\n", ("has None;", "exactly one Pod", "--manifest")),
        (b"kind: Pod\n---\nkind: Pod\n", ("has Pod, Pod;", "exactly one Pod", "--manifest")),
        (b"kind: [\n", ("cannot read this YAML",)),
        (b"\xff\xfe", ("codec can't decode", "--manifest")),
    ],
)
def test_a_file_that_is_not_one_pod_is_refused(tmp_path, content, parts):
    path = tmp_path / "pod.yaml"
    path.write_bytes(content)
    with pytest.raises(BenchError) as refused:
        read_manifest(path)
    for part in (str(path), *parts):
        assert part in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "  name: benchmark-xeon\n  labels:",
            "  name: x\n  labels: [a]\n  more:",
            "metadata.labels is ['a']",
        ),
        (
            "  nodeSelector:\n",
            "  tolerations: all\n  nodeSelector:\n",
            "spec.tolerations is 'all'; write a list",
        ),
        (
            "    kubernetes.io/arch: amd64",
            "    - kubernetes.io/arch",
            "nodeSelector is ['kubernetes.io/arch']",
        ),
        (
            "      args:\n",
            "      args: --stress\n      x-args:\n",
            "whisper-bench.args is '--stress'; write a list",
        ),
    ],
)
def test_a_field_of_the_wrong_type_is_refused(tmp_path, old, new, fault):
    manifest = read_manifest(written(tmp_path, old, new))
    with pytest.raises(BenchError) as refused:
        pod_to_create(manifest, PodChanges(save_name="a"), "r", "pod.yaml")
    assert fault in str(refused.value)


@pytest.mark.parametrize("save", ["a/b", ".a", "", "a" * 201, "a:b", "a\nb", "a\\b", "a?"])
def test_a_save_name_that_no_file_can_have_is_refused(save):
    with pytest.raises(BenchError, match="a file gets this name"):
        pod_name(save)


@pytest.mark.parametrize(
    ("save", "name"),
    [
        ("xeon", "benchmark-xeon"),
        ("m6i.large", "benchmark-m6i-large"),
        ("Ice Lake_2", "benchmark-ice-lake-2"),
        ("a" * 60, "benchmark-" + "a" * 53),
        ("a" * 52 + "-b", "benchmark-" + "a" * 52),
    ],
)
def test_a_pod_is_named_after_the_save_name(save, name):
    assert pod_name(save) == name
