"""The whole way for real: a Pod of a real API server, its container in a real engine, base measured."""

import json
from pathlib import Path

import pytest

from support.container_kubelet import contained
from support.kubelets import NODE
from support.pod_runs import INSECURE, MANIFEST
from whisper_bench.cli import main
from whisper_bench.saved.file import read_saved, records_of

pytestmark = [
    pytest.mark.real,
    pytest.mark.filterwarnings(INSECURE),
]
QUICK = ("--whisper-rounds=2", "--whisper-processes=1", "--whisper-warmup-rounds=0")


@pytest.fixture
def run(engine, image, kubelet, where, home):
    """Type `whisper-bench k8s run` in an empty folder."""

    def typed(*options, manifest=MANIFEST):
        pod = ("--save", "xeon", "--image", image, "--manifest", manifest)
        kubelet.play("benchmark-xeon", contained(engine))
        status = main(["k8s", "run", *map(str, pod), *where, *options, "--", *QUICK])
        assert kubelet.names() == []
        return status

    return typed


def test_a_run_measured_in_a_pod_is_saved_here_with_its_limit(run, capsys, tmp_path):
    assert run("--json") == 0
    document = json.loads(capsys.readouterr().out)
    path = Path(document["runs"][0]["saved_run"])
    saved = read_saved(path)
    (record,) = records_of(saved, str(path))
    limit = record.cpu_limit
    assert limit.cpus == limit.quota_cpus == 1
    assert limit.source.startswith("cgroup v")
    assert saved.machine_info.node == NODE
    assert len(record.rounds) == 2
    result = document["runs"][0]["results"][0]["result"]
    assert result["cpu_limit"] == 1
    assert result["iterations"] == 2
    assert (tmp_path / "benchmark_results").is_dir()


def test_a_pod_with_too_little_memory_ends_as_oomkilled_with_the_remedy(run, capsys, tmp_path):
    """Base needs some 350 MiB: the kernel kills it, and the end has its name."""
    small = tmp_path / "small.yaml"
    small.write_text(MANIFEST.read_text().replace("memory: 2Gi", "memory: 200Mi"))
    assert run(manifest=small) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "OOMKilled" in err
    assert "give the container more memory" in err
