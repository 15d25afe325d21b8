"""Deployments to edit, and what must hold of every edit."""

import pytest
from ruamel.yaml import YAML

from support.project import ROOT
from support.untraced import untraced
from whisper_bench.errors import BenchError
from whisper_bench.manifests.deployment import Sized, updated_deployment
from whisper_bench.pod.quantity import amount

EXAMPLE = ROOT / "k8s/deployment.yaml"
SIZED = Sized(
    replicas=7,
    cpu=2,
    memory_mib=768,
    threads=2,
    annotations={"whisper-bench/sizing": "2 rps, p95 <= 5 s", "whisper-bench/ratio": "2.46"},
)
BARE = Sized(replicas=7, cpu=2, memory_mib=768, threads=2, annotations={})
SMALL = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api   # ours
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: api
        image: "api:1"
        env:
        - name: OMP_NUM_THREADS
          value: "1"
        - {name: WHISPER_THREADS, value: '1'}   # the app's
        resources:
          requests: {cpu: 500m, memory: 1Gi, ephemeral-storage: 1Gi}
          limits:
            memory: "1Gi"

            # whole CPUs only
            cpu: 1
"""
SMALL_SIZED = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api   # ours
spec:
  replicas: 7
  template:
    spec:
      containers:
      - name: api
        image: "api:1"
        env:
        - name: OMP_NUM_THREADS
          value: "2"
        - {name: WHISPER_THREADS, value: '2'}   # the app's
        resources:
          requests: {cpu: "2", memory: 768Mi, ephemeral-storage: 1Gi}
          limits:
            memory: "768Mi"

            # whole CPUs only
            cpu: "2"
"""


def update(text, sized=BARE, **choice):
    """What the command does, and what must hold of it whatever the text."""
    new = updated_deployment(text, sized, "d.yaml", **choice)
    assert updated_deployment(new, sized, "d.yaml", **choice) == new
    assert all_data(new) == [in_step(data, sized, **choice) for data in all_data(text)]
    return new


@untraced
def all_data(text):
    return list(YAML(typ="safe", pure=True).load_all(text.removeprefix("\ufeff")))


def in_step(data, sized, container=None, thread_variable="WHISPER_THREADS"):
    """The independent word on what should come out, on data and not on text."""
    if not isinstance(data, dict) or data.get("kind") != "Deployment":
        return data
    if sized.annotations:
        metadata = data["metadata"] = data.get("metadata") or {}
        metadata["annotations"] = (metadata.get("annotations") or {}) | sized.annotations
    data["spec"]["replicas"] = sized.replicas
    containers = data["spec"]["template"]["spec"]["containers"]
    (ours,) = (
        entry
        for entry in containers
        if (entry["name"] == container if container else "whisper" in entry["name"])
        or len(containers) == 1
    )
    resources = ours["resources"] = dict(ours.get("resources") or {})
    for kind in ("requests", "limits"):
        amounts = resources[kind] = dict(resources.get(kind) or {})
        for name, want in (("cpu", str(sized.cpu)), ("memory", f"{sized.memory_mib}Mi")):
            if amount(str(amounts.get(name))) != amount(want):
                amounts[name] = want
    env = ours["env"] = list(ours.get("env") or [])
    for name in dict.fromkeys(["OMP_NUM_THREADS", thread_variable]):
        actual = next((item for item in env if item["name"] == name), None)
        if actual is None:
            env.append(actual := {"name": name})
        actual["value"] = str(sized.threads)
    return data


def refused(text, **choice):
    with pytest.raises(BenchError) as caught:
        updated_deployment(text, SIZED, "d.yaml", **choice)
    return str(caught.value)


def deployment(container="", *, spec="", env="", metadata=""):
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api\n{metadata}spec:\n{spec}"
        f"  template:\n    spec:\n      containers:\n        - name: api\n{container}{env}"
    )
