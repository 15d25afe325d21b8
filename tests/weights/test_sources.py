"""The hub's real client against a stand-in for the hub on loopback."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from whisper_bench.weights.pins import MODEL_FILES, PINS

PIN = PINS["small"]
CONTENT = {name: f"the hub's {name}".encode() for name in MODEL_FILES}
PROGRAM = """
import json, sys
from whisper_bench.errors import BenchError
from whisper_bench.weights.resolve import resolve_weights
try:
    found = resolve_weights("small", allow_unpinned="--allow" in sys.argv)
    print(json.dumps({"source": found.source, "folder": found.folder}))
except BenchError as error:
    print(json.dumps({"error": str(error)}))
"""


class Hub(BaseHTTPRequestHandler):
    """Answers what the client asks for one repository at one revision."""

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, *, body):
        path = self.path.partition("?")[0]
        name = path.rpartition("/")[2]
        if path.startswith(f"/api/models/{PIN.repository}/"):
            tree = [{"type": "file", "path": key, "size": len(value), "oid": key}
                    for key, value in CONTENT.items()]  # fmt: skip
            siblings = [{"rfilename": key} for key in CONTENT]
            info = {"id": PIN.repository, "sha": PIN.revision, "siblings": siblings}
            self._send(json.dumps(tree if "/tree/" in path else info).encode(), body=True)
        elif path == f"/{PIN.repository}/resolve/{PIN.revision}/{name}" and name in CONTENT:
            self._send(CONTENT[name], body=body, etag=f'"{name}"')
        else:
            self.send_error(404)

    def _send(self, content, *, body, etag=None):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Repo-Commit", PIN.revision)
        if etag:
            self.send_header("ETag", etag)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_arguments):
        """Say nothing on the test's terminal."""


@pytest.fixture
def endpoint():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def resolve(tmp_path, endpoint, *arguments, **environment):
    proxies = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    inherited = {key: value for key, value in os.environ.items() if key not in proxies}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**inherited, "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "hf"), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_a_download_is_of_the_pinned_revision_and_then_cached(tmp_path, endpoint):
    first = resolve(tmp_path, endpoint, "--allow")
    assert first["source"] == "hub"
    assert first["folder"].endswith(f"snapshots/{PIN.revision}")
    assert sorted(path.name for path in Path(first["folder"]).iterdir()) == sorted(MODEL_FILES)
    again = resolve(tmp_path, "http://127.0.0.1:9", "--allow")
    assert again == {"source": "hub-cache", "folder": first["folder"]}


def test_a_download_is_checked_against_the_pins(tmp_path, endpoint):
    assert f"pinned is {PIN.model_sha256}" in resolve(tmp_path, endpoint)["error"]


def test_a_hub_out_of_reach_is_a_reason(tmp_path):
    error = resolve(tmp_path, "http://127.0.0.1:9")["error"]
    assert "tried hub: 127.0.0.1 cannot be reached" in error


def test_an_offline_hub_is_not_asked(tmp_path, endpoint):
    error = resolve(tmp_path, endpoint, HF_HUB_OFFLINE="1")["error"]
    assert "tried hub: HF_HUB_OFFLINE is set" in error
