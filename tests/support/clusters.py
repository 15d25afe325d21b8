"""A real Kubernetes API server to hold manifests to, and kubectl to talk to it.

Two environment variables name one; without either, tests that ask for it are skipped:

WHISPER_BENCH_KUBECONFIG: a cluster of yours, such as kind's. Each test makes a namespace of its own
    there and deletes it.
WHISPER_BENCH_APISERVER: a script that starts a server with nothing behind it: `SCRIPT start DIR
    PORT` returns when it is ready and leaves DIR/kubeconfig and *.pid, `SCRIPT stop DIR` ends it.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from support.project import ROOT

MANIFESTS = ROOT / "k8s"
NO_SERVER = (
    "no Kubernetes API server to hold the manifests to: WHISPER_BENCH_KUBECONFIG names a cluster "
    "of yours, WHISPER_BENCH_APISERVER a script that starts a server (with etcd, xz, openssl and "
    "curl, on amd64)"
)
_PORTS = 3
"""The server's, and two of etcd's behind it."""
_STOP_S = 120.0
_COMMAND_S = 600.0
"""Ten times what a quiet machine needs to start a server."""


def kustomized(folder):
    """What `kubectl kustomize` renders, which needs no server."""
    if shutil.which("kubectl") is None:
        pytest.skip(
            reason="kubectl is not on PATH, and only it (or kustomize) renders the fleet; no Python "
            "package carries it, and Debian's is too old"
        )
    done = _run(["kubectl", "kustomize", str(folder)])
    assert done.returncode == 0, done.stderr
    return done.stdout


class Kubectl:
    """kubectl on one server and in one namespace; `kubectl(...)` is its output."""

    def __init__(self, kubeconfig, namespace=None):
        self.kubeconfig = kubeconfig
        self.namespace = namespace

    def tried(self, *arguments, manifest=None):
        """Run it; `manifest` is read where an argument is "-"."""
        where = [f"--kubeconfig={self.kubeconfig}"]
        if self.namespace:
            where.append(f"--namespace={self.namespace}")
        if not _brought():
            # what it learns of a server that soon is gone is not kept in the user's home
            where.append(f"--cache-dir={Path(self.kubeconfig).with_name('kubectl')}")
        return _run(["kubectl", *where, *arguments], manifest)

    def __call__(self, *arguments, manifest=None):
        done = self.tried(*arguments, manifest=manifest)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def objects(self, *arguments, manifest=None):
        """Return what it prints as a list of objects, also where some were refused."""
        done = self.tried(*arguments, "--output=json", manifest=manifest)
        return list(_objects(done.stdout))


@pytest.fixture(scope="session")
def apiserver(tmp_path_factory):
    """The kubeconfig of a real API server, the same for the whole session."""
    script = os.environ.get("WHISPER_BENCH_APISERVER")
    if not (brought := _brought()) and not script:
        pytest.skip(reason=NO_SERVER)
    assert shutil.which("kubectl"), "a server is named in the environment, and no kubectl on PATH"
    if brought:
        yield Path(brought)
        return
    folder = tmp_path_factory.mktemp("apiserver")
    try:
        done = _run([script, "start", str(folder), str(_free_ports())])
        assert done.returncode == 0, f"{script} start: {done.stderr}"
        yield folder / "kubeconfig"
    finally:
        _stop(script, folder)


@pytest.fixture
def namespace(apiserver):
    """A fresh namespace; what is in it goes with it."""
    name = f"whisper-bench-{secrets.token_hex(4)}"
    kubectl = Kubectl(apiserver)
    kubectl("create", "namespace", name)
    try:
        if _brought():
            # a whole cluster admits no Pod before its controllers have made this
            kubectl("wait", "--for=create", "serviceaccount/default", f"--namespace={name}")
        yield name
    finally:
        # a server with no controllers behind it never ends deleting
        kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def kubectl(apiserver, namespace):
    return Kubectl(apiserver, namespace)


@pytest.fixture
def kubelet(apiserver, namespace, tmp_path):
    """A stand-in for the kubelet of one node."""
    from support.kubelets import Kubelet  # it wants the Kubernetes client, which few tests do

    with Kubelet(apiserver, namespace, tmp_path) as stand_in:
        yield stand_in


@pytest.fixture
def runs(apiserver, namespace):
    """Runs of a Pod there."""
    from support.pod_runs import Runs  # as above

    return Runs(apiserver, namespace)


@pytest.fixture
def where(apiserver, namespace):
    """Options that name the server and the namespace."""
    return ["--kubeconfig", str(apiserver), "--namespace", namespace]


def _brought():
    return os.environ.get("WHISPER_BENCH_KUBECONFIG")


def _run(command, text=None):
    return subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, timeout=_COMMAND_S
    )


def _free_ports():
    """Return the first of some ports in a row that nobody listens on."""
    for _ in range(100):
        with contextlib.ExitStack() as held:
            first = held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            try:
                for port in range(first + 1, first + _PORTS):
                    held.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return first
    raise AssertionError("no three free ports in a row on 127.0.0.1")


def _stop(script, folder):
    """End the server and etcd, whatever state they are in, and leave nothing of them."""
    pids = [int(path.read_text()) for path in folder.glob("*.pid")]
    _run([script, "stop", str(folder)])
    deadline = time.monotonic() + _STOP_S
    while any(map(_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in filter(_alive, pids):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def _alive(pid):
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _objects(text):
    """Yield the objects of kubectl's JSON: a List's items, or one document after another."""
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        actual, end = decoder.raw_decode(text)
        text = text[end:]
        yield from actual["items"] if actual["kind"] == "List" else [actual]
