"""A stand-in for the kubelet of one node: it moves Pods' status and serves their logs.

The API server is a real one; what is behind it is played: which Pod runs, how it ends, what its
log has. It also lets Pods go that are to be deleted, as a node does.
"""

import contextlib
import functools
import json
import os
import threading
import time

import pytest
from kubernetes import client, config

from support.log_server import log_server
from whisper_bench.cluster.client import Cluster

NODE = "-".join(["node-of-the-stand-in", *filter(None, [os.environ.get("PYTEST_XDIST_WORKER")])])
"""One a worker of xdist, which may share a cluster."""
CONTAINER = "whisper-bench"
_TICK_S = 0.05
_LOOKS = 3
"""Requests after which the client has seen a change: one may be on its way, and of the next two
one is for the Pod and one for its log."""
_NOW = "2026-11-24T10:00:00Z"


class Kubelet:
    """Plays `script`, a list of functions of (kubelet, Pod's name), on the first Pod that comes."""

    def __init__(self, kubeconfig, namespace, folder, *, lets_go=True):
        api = config.new_client_from_config(str(kubeconfig))
        self._core, self._batch = client.CoreV1Api(api), client.BatchV1Api(api)
        self._namespace = namespace
        self._lets_go = lets_go
        self._logs = {}
        self._looks = 0
        self._patch = pytest.MonkeyPatch()
        self._stopped = threading.Event()
        self._server = log_server(folder, self._logs)
        self._threads = [threading.Thread(target=self._server.serve_forever)]

    def __enter__(self):
        self._register()
        for name in ("pod", "pods", "log"):
            self._patch.setattr(Cluster, name, self._counted(getattr(Cluster, name)))
        self._threads.append(threading.Thread(target=self._let_go))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join()
        self._patch.undo()
        with contextlib.suppress(client.ApiException):
            self._core.delete_node(NODE)

    def play(self, name, *script):
        """Begin to act on a Pod that may not be there yet."""
        thread = threading.Thread(target=self._play, args=(name, script))
        self._threads.append(thread)
        thread.start()

    def raw(self, name):
        """A Pod as the server has it."""
        read = self._core.read_namespaced_pod
        return json.loads(read(name, self._namespace, _preload_content=False).data)

    def status(self, name, **status):
        """Say how a Pod is."""
        self._core.patch_namespaced_pod_status(name, self._namespace, {"status": status})

    def schedule(self, name):
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        body = {"metadata": {"name": name}, "target": target}
        self._core.create_namespaced_pod_binding(
            name, self._namespace, body, _preload_content=False
        )

    def log(self, name, text):
        self._logs[f"{self._namespace}/{name}"] = text

    def event(self, name, reason, message, uid=None):
        """Say what went wrong with a Pod."""
        uid = uid or self.raw(name)["metadata"]["uid"]
        kind = {"kind": "Pod", "name": name, "namespace": self._namespace, "uid": uid}
        body = {
            "metadata": {"generateName": f"{name}-"},
            "involvedObject": kind,
            "type": "Warning",
            "reason": reason,
            "message": message,
        }
        self._core.create_namespaced_event(self._namespace, body, _preload_content=False)

    def job(self, name, *, labels=None, **status):
        """Create a Job that nobody runs, and say how it is."""
        container = {"name": "a", "image": "a"}
        template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
        body = {"metadata": {"name": name, "labels": labels}, "spec": {"template": template}}
        raw = {"_preload_content": False}
        self._batch.create_namespaced_job(self._namespace, body, **raw)
        body = {"status": status}
        self._batch.patch_namespaced_job_status(name, self._namespace, body, **raw)

    def names(self):
        """The Pods that are in the namespace."""
        return [pod.metadata.name for pod in self._pods()]

    def remove(self, name):
        self._core.delete_namespaced_pod(name, self._namespace, grace_period_seconds=0)

    def set_free(self, name):
        """Take the finalizers of a Pod away."""
        body = {"metadata": {"finalizers": None}}
        self._core.patch_namespaced_pod(name, self._namespace, body)

    def _pods(self):
        return self._core.list_namespaced_pod(self._namespace).items

    def _play(self, name, script):
        while not self._stopped.is_set() and name not in self.names():
            time.sleep(_TICK_S)
        for act in script:
            if self._stopped.is_set():
                return
            act(self, name)
            self._wait_until_seen()

    def _wait_until_seen(self):
        """Wait until the client of this process has asked again, however busy the machine is."""
        if not self._looks:  # the client is another process, or does not ask yet
            time.sleep(4 * _TICK_S)
            return
        seen = self._looks + _LOOKS
        while self._looks < seen and not self._stopped.wait(_TICK_S):
            pass

    def _counted(self, request):
        @functools.wraps(request)
        def counted(*arguments, **options):
            try:
                return request(*arguments, **options)
            finally:
                self._looks += 1

        return counted

    def _let_go(self):
        """Delete what is to be deleted, once its container has ended."""
        while not self._stopped.wait(_TICK_S):
            for pod in self._pods():
                if self._lets_go and pod.metadata.deletion_timestamp:
                    with contextlib.suppress(client.ApiException):
                        self.remove(pod.metadata.name)

    def _register(self):
        with contextlib.suppress(client.ApiException):
            self._core.delete_node(NODE)
        self._core.create_node({"metadata": {"name": NODE}})
        port = self._server.server_address[1]
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        }
        self._core.patch_node_status(NODE, {"status": status})


def waiting(reason, message=""):
    """The container waits."""

    def act(kubelet, name):
        state = {"waiting": {"reason": reason, "message": message}}
        kubelet.status(name, phase="Pending", containerStatuses=[_container(state)])

    return act


def unschedulable(message):
    """No node has room."""

    def act(kubelet, name):
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
        }
        kubelet.status(name, phase="Pending", conditions=[condition])

    return act


def scheduled(kubelet, name):
    kubelet.schedule(name)


def running(kubelet, name):
    state = {"running": {"startedAt": _NOW}}
    kubelet.status(name, phase="Running", containerStatuses=[_container(state)])


STARTED = (scheduled, waiting("ContainerCreating"), running)


def logs(text):
    def act(kubelet, name):
        kubelet.log(name, text)

    return act


def ended(exit_code=0, reason="Completed", last_words="", /, **pod):
    """The container ends; `pod` is what the Pod's own status says of it."""

    def act(kubelet, name):
        end = {"exitCode": exit_code, "reason": reason, "finishedAt": _NOW, "message": last_words}
        phase = "Failed" if exit_code or pod else "Succeeded"
        status = [_container({"terminated": end})]
        kubelet.status(name, phase=phase, containerStatuses=status, **pod)

    return act


def vanishes(kubelet, name):
    kubelet.remove(name)


def _container(state):
    return {
        "name": CONTAINER,
        "state": state,
        "ready": False,
        "restartCount": 0,
        "image": "",
        "imageID": "",
    }
