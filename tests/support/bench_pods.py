"""The shipped manifests of the measurement as data, and Pod specs made from them."""

import copy
import functools

from support.clusters import MANIFESTS, kustomized
from support.deployments import all_data

POD = MANIFESTS / "bench-pod.yaml"
JOB = MANIFESTS / "job" / "bench-job.yaml"
FLEET = MANIFESTS / "fleet"
NODE_TYPES = ["m5.large", "m6i.large", "m7i.large"]
SOURCES = ["pod", "job", "job by kustomize", *NODE_TYPES]
"""Every way to a Pod that measures."""
SAVE_NAMES = {name: name if name in NODE_TYPES else "xeon" for name in SOURCES}


def text_of(source):
    """The manifest of one of SOURCES."""
    if source in NODE_TYPES:
        return kustomized(FLEET / source.replace(".", "-"))
    return {
        "pod": POD.read_text,
        "job": JOB.read_text,
        "job by kustomize": lambda: kustomized(JOB.parent),
    }[source]()


def one(text):
    (data,) = all_data(text)
    return data


def template_of(data):
    """What a Pod is made of: metadata and spec."""
    return data["spec"]["template"] if data["kind"] == "Job" else data


def pod_spec(**changes):
    """The shipped Pod's spec with other fields; None takes one out."""
    return changed(_shipped(), **changes)


def container(**changes):
    """The shipped container with other fields; None takes one out."""
    return changed(_shipped()["containers"][0], **changes)


@functools.cache
def _shipped():
    return one(POD.read_text())["spec"]


def changed(data, **changes):
    new = copy.deepcopy(data) | changes
    return {key: value for key, value in new.items() if value is not None}


def amounts(cpu=None, memory=None):
    return changed({}, cpu=cpu, memory=memory)
