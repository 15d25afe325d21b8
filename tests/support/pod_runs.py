"""Runs in a Pod of a real API server, for tests: quick to ask, and a log of a real run."""

import zlib

import msgspec

from support.project import ROOT
from whisper_bench.cluster.bench_pod import PodChanges, pod_to_create, read_manifest
from whisper_bench.cluster.client import Cluster
from whisper_bench.cluster.follow import Waits
from whisper_bench.cluster.run import PodRun
from whisper_bench.parcel.frames import encode
from whisper_bench.parcel.parcel import Parcel, pack

MANIFEST = ROOT / "k8s" / "bench-pod.yaml"
SAMPLE = ROOT / "docs" / "sample" / "Linux-CPython-3.11-64bit"
RUN = SAMPLE / "0003_avx.json"
POD = "benchmark-avx"
LONG_S = 300.0
"""Longer than anything that a run here waits for, also on a busy machine."""
QUICK = {"pending_s": LONG_S, "image_s": LONG_S, "poll_s": 0.05, "log_every_s": 0.0}
INSECURE = "ignore:Unverified HTTPS request"
"""The stand-in servers' certificates are their own."""


def frames_of(path=RUN, save_name=None):
    """A run's frames, under another name than that of its file where one is given."""
    if save_name is None:
        return pack(path)
    parcel = Parcel(
        parcel_version=1, folder=path.parent.name, save_name=save_name, saved=path.read_text()
    )
    return encode(zlib.compress(msgspec.json.encode(parcel)))


def framed_log(path=RUN, save_name=None):
    lines = ["collected 1 item", "base-t1-vi_30s  case 1/1  round 10/10"]
    lines += [*frames_of(path, save_name), "1 passed"]
    return "".join(f"{line}\n" for line in lines)


def bench_pod(save="avx", **changes):
    manifest = read_manifest(MANIFEST)
    return pod_to_create(manifest, PodChanges(save_name=save, **changes), "run-of-a-test", "a test")


class Runs:
    """Runs one Pod; what is said is in `said`."""

    def __init__(self, kubeconfig, namespace):
        self.cluster = Cluster(kubeconfig=kubeconfig, context=None, namespace=namespace)
        self.said, self.ends = [], []

    def to_end(self, pod=None, *, keep=False, patience_s=LONG_S, take=None, **waits):
        runs = PodRun(
            self.cluster,
            self.said.append,
            keep=keep,
            waits=Waits(**{**QUICK, **waits}),
            patience_s=patience_s,
        )
        runs.to_end(pod or bench_pod(), take or self.ends.append)
        return self.ends[-1]
