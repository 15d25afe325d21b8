"""The cluster's answers: refusals in its own words, and errors that may go away."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from whisper_bench.cluster import answer
from whisper_bench.cluster.client import Cluster, ClusterError, UnreachableError
from whisper_bench.errors import BenchError

FORBIDDEN = b'{"kind":"Status","message":"pods \\"a\\" is forbidden: User \\"me\\" cannot get"}'


class Answers(BaseHTTPRequestHandler):
    """Gives the same answer to every request."""

    def do_GET(self):
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_DELETE(self):
        self.do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def answering(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    config = tmp_path / "kubeconfig"
    config.write_text(
        "{apiVersion: v1, kind: Config, current-context: one, contexts: ["
        "{name: one, context: {cluster: a, user: a}},"
        "{name: two, context: {cluster: a, user: a, namespace: team}}],"
        f"clusters: [{{name: a, cluster: {{server: 'http://127.0.0.1:{server.server_port}'}}}}],"
        "users: [{name: a, user: {}}]}"
    )

    def cluster(status, body, **names):
        server.answer = (status, body)
        return Cluster(**{"kubeconfig": config, "context": None, "namespace": None, **names})

    yield cluster
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("names", "namespace", "context"),
    [
        ({}, "default", "one"),
        ({"context": "two"}, "team", "two"),
        ({"context": "two", "namespace": "mine"}, "mine", "two"),
    ],
)
def test_context_and_namespace_come_from_options_or_the_kubeconfig(
    answering, names, namespace, context
):
    cluster = answering(200, b"", **names)
    assert (cluster.namespace, cluster.context) == (namespace, context)


def test_a_refusal_in_the_servers_own_words(answering):
    message = 'pods "a" is forbidden: User "me" cannot get'
    with pytest.raises(ClusterError, match=message) as refused:
        answering(403, FORBIDDEN).pod("a")
    assert not isinstance(refused.value, UnreachableError)


def test_a_log_that_the_user_may_not_read_is_an_error(answering):
    with pytest.raises(ClusterError, match="is forbidden"):
        answering(403, FORBIDDEN).log("a", "b")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_or_broken_server_may_be_asked_again(answering, status):
    with pytest.raises(UnreachableError, match=str(status)):
        answering(status, b"upstream is away").pod("a")


def test_an_answer_that_is_not_kubernetes_is_an_error(answering):
    with pytest.raises(UnreachableError, match=r"not a Kubernetes API server .* --kubeconfig"):
        answering(200, b"<html>sign in</html>").pod("a")


def test_a_missing_pod_or_job_is_none(answering):
    assert answering(404, b"{}").pod("a") is None
    assert answering(404, b"{}").job("a") is None


def test_bytes_of_a_log_that_are_not_text_are_replaced(answering):
    assert answering(200, b"a\xffb").log("a", "b") == "a\N{REPLACEMENT CHARACTER}b"


def test_a_context_by_name_works_without_a_current_one(answering, tmp_path):
    cluster = answering(200, b"")
    config = tmp_path / "kubeconfig"
    config.write_text(config.read_text().replace("current-context: one, ", ""))
    cluster = answering(404, b"{}", context="two")
    assert (cluster.namespace, cluster.context) == ("team", "two")


@pytest.mark.parametrize("text", ["a: [", "\x00"])
def test_a_broken_kubeconfig_names_the_option(tmp_path, text):
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(BenchError, match=r"no cluster: .* --kubeconfig"):
        Cluster(kubeconfig=path, context=None, namespace=None)


@pytest.mark.parametrize("status", [200, 404, 409])
def test_deleting_a_pod_that_is_gone_is_no_error(answering, status):
    answering(status, b"{}").delete("a", "uid", 0)


def test_a_pod_that_the_user_may_not_delete_is_an_error(answering):
    with pytest.raises(ClusterError, match="is forbidden"):
        answering(403, FORBIDDEN).delete("a", "uid", 0)


class Dripping:
    """An answer that comes a byte at a time, and has no end."""

    def __init__(self, piece=b"x"):
        self.piece = piece
        self.closed = False

    def read1(self, _):
        return self.piece

    read = read1

    def close(self):
        self.closed = True


def test_an_answer_without_end_is_given_up_in_time(monkeypatch):
    monkeypatch.setattr(answer, "_ANSWER_S", 0.05)
    response = Dripping()
    with pytest.raises(UnreachableError, match=r"answer was not complete after 0\.05 s"):
        answer.content_of(response)
    assert response.closed


def test_an_answer_without_end_is_given_up_by_its_size():
    response = Dripping(b"x" * 2**22)
    with pytest.raises(answer.TooLongError, match=r"more than 64 MiB .*--tail"):
        answer.content_of(response)
    assert response.closed


@pytest.mark.parametrize("status", [200, 403, 500])
def test_every_answer_has_a_largest_size_also_a_refusal(answering, monkeypatch, status):
    monkeypatch.setattr(answer, "MOST_BYTES", 1000)
    with pytest.raises(answer.TooLongError, match="the cluster's answer has more than"):
        answering(status, b"x" * 1001).pod("a")
