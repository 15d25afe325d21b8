"""The Pod to create: the manifest, with what the command line wants of it."""

import pytest

from support.pod_runs import MANIFEST, bench_pod
from whisper_bench.cluster.wished_pod import PodWishes, pod_name, read_manifest, wished_pod
from whisper_bench.errors import BenchError


def container(**wishes):
    return bench_pod(**wishes)["spec"]["containers"][0]


def test_of_the_manifest_only_the_name_and_the_save_name_change():
    pod, manifest = bench_pod("xeon"), read_manifest(MANIFEST)
    assert pod["metadata"].pop("name") == manifest["metadata"].pop("name") == "benchmark-xeon"
    assert pod["metadata"]["labels"].pop("whisper-bench/run") == "run-of-a-test"
    assert pod["spec"].pop("tolerations") == []
    assert pod == {**manifest, "spec": {**manifest["spec"], "containers": [container(save="xeon")]}}


def test_what_is_asked_for():
    taint = {"key": "gpu", "operator": "Equal", "value": "no", "effect": "NoSchedule"}
    wishes = {"image": "mine:1", "node_selector": {"a": "b"}, "tolerations": [taint]}
    pod = bench_pod("icelake", **wishes, arguments=["--whisper-models=base,small"])
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


def test_arguments_of_two_words(tmp_path):
    old = "- --benchmark-save=xeon"
    path = written(tmp_path, old, "- --benchmark-save\n        - xeon\n        - --stress")
    pod = wished_pod(read_manifest(path), PodWishes(save_name="a"), "r", "test")
    assert pod["spec"]["containers"][0]["args"] == [
        "--stress", "--benchmark-save=a", "--whisper-frames"
    ]  # fmt: skip


def test_a_pod_of_two_cpus_is_measured_under_two(tmp_path):
    manifest = read_manifest(written(tmp_path, 'cpu: "1"', 'cpu: "2"'))
    args = [
        wished_pod(manifest, PodWishes(save_name="a", arguments=words), "r", "test")["spec"][
            "containers"
        ][0]["args"]
        for words in ([], ["--whisper-cpu-limit=1"])
    ]
    assert args == [
        ["--whisper-cpu-limit=2", "--benchmark-save=a", "--whisper-frames"],
        ["--whisper-cpu-limit=1", "--benchmark-save=a", "--whisper-frames"],
    ]


def test_a_pod_that_is_not_fit_is_refused(tmp_path):
    manifest = read_manifest(written(tmp_path, 'cpu: "1"', 'cpu: "1500m"'))
    with pytest.raises(BenchError, match="pod.yaml: spec.containers"):
        wished_pod(manifest, PodWishes(save_name="a"), "r", "pod.yaml")


def test_a_pod_without_a_spec():
    with pytest.raises(BenchError, match=r"pod.yaml: spec"):
        wished_pod({"kind": "Pod"}, PodWishes(save_name="a"), "r", "pod.yaml")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"kind: Job\n", "holds Job; a manifest of one Pod is wanted"),
        (b"", "holds nothing; a manifest of one Pod is wanted"),
        (b"- 1\n", "holds None; a manifest of one Pod is wanted"),
        (b"kind: Pod\n---\nkind: Pod\n", "holds Pod, Pod; a manifest of one Pod is wanted"),
        (b"kind: [\n", "not YAML"),
        (b"\xff\xfe", "name the Pod's manifest with --manifest"),
    ],
)
def test_no_manifest(tmp_path, content, told):
    path = tmp_path / "pod.yaml"
    path.write_bytes(content)
    with pytest.raises(BenchError) as refused:
        read_manifest(path)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
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
def test_what_is_not_of_its_kind(tmp_path, old, new, told):
    manifest = read_manifest(written(tmp_path, old, new))
    with pytest.raises(BenchError) as refused:
        wished_pod(manifest, PodWishes(save_name="a"), "r", "pod.yaml")
    assert told in str(refused.value)


@pytest.mark.parametrize("save", ["a/b", ".a", "", "a" * 201, "a:b", "a\nb", "a\\b", "a?"])
def test_no_save_names(save):
    with pytest.raises(BenchError, match="a file is named after it"):
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
def test_names(save, name):
    assert pod_name(save) == name
