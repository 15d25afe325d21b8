"""What the cluster answers, in plain words: refusals, and what may pass by itself."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from whisper_bench.cluster import answer
from whisper_bench.cluster.client import Cluster, ClusterError, UnreachableError
from whisper_bench.errors import BenchError

FORBIDDEN = b'{"kind":"Status","message":"pods \\"a\\" is forbidden: User \\"me\\" cannot get"}'


class Answers(BaseHTTPRequestHandler):
    """Gives the one answer that it was told to, whatever is asked."""

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
        given = {"kubeconfig": config, "context": None, "namespace": None, **names}
        return Cluster(**given)

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
def test_where(answering, names, namespace, context):
    cluster = answering(200, b"", **names)
    assert (cluster.namespace, cluster.context) == (namespace, context)


def test_a_refusal_in_the_servers_own_words(answering):
    with pytest.raises(ClusterError, match='pods "a" is forbidden: User "me" cannot get') as no:
        answering(403, FORBIDDEN).pod("a")
    assert not isinstance(no.value, UnreachableError)


def test_a_log_that_may_not_be_read(answering):
    with pytest.raises(ClusterError, match="is forbidden"):
        answering(403, FORBIDDEN).log("a", "b")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_by_itself(answering, status):
    with pytest.raises(UnreachableError, match=str(status)):
        answering(status, b"upstream is away").pod("a")


def test_something_else_that_answers(answering):
    with pytest.raises(UnreachableError, match="what answered is no Kubernetes API server"):
        answering(200, b"<html>sign in</html>").pod("a")


def test_what_is_not_there_is_none(answering):
    assert answering(404, b"{}").pod("a") is None
    assert answering(404, b"{}").job("a") is None


def test_a_log_of_bytes_that_are_no_text(answering):
    assert answering(200, b"a\xffb").log("a", "b") == "a\N{REPLACEMENT CHARACTER}b"


def test_a_context_by_name_where_none_is_current(answering, tmp_path):
    cluster = answering(200, b"")
    config = tmp_path / "kubeconfig"
    config.write_text(config.read_text().replace("current-context: one, ", ""))
    cluster = answering(404, b"{}", context="two")
    assert (cluster.namespace, cluster.context) == ("team", "two")


@pytest.mark.parametrize("text", ["a: [", "\x00"])
def test_a_kubeconfig_that_is_none(tmp_path, text):
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(BenchError, match="name a kubeconfig with --kubeconfig"):
        Cluster(kubeconfig=path, context=None, namespace=None)


@pytest.mark.parametrize("status", [200, 404, 409])
def test_one_that_is_gone_is_deleted(answering, status):
    answering(status, b"{}").delete("a", "uid", 0)


def test_one_that_may_not_be_deleted(answering):
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
    with pytest.raises(UnreachableError, match=r"had not ended after 0\.05 s and was given up"):
        answer.content_of(response)
    assert response.closed


def test_an_answer_without_end_is_given_up_by_its_size():
    response = Dripping(b"x" * 2**22)
    with pytest.raises(answer.TooLongError, match="more than 64 MiB, and is not read"):
        answer.content_of(response)
    assert response.closed


@pytest.mark.parametrize("status", [200, 403, 500])
def test_every_answer_has_a_bound_refusals_too(answering, monkeypatch, status):
    monkeypatch.setattr(answer, "MOST_BYTES", 1000)
    with pytest.raises(answer.TooLongError, match="the cluster's answer has more than"):
        answering(status, b"x" * 1001).pod("a")
