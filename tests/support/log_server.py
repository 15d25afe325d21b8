"""The part of a kubelet that gives logs, over TLS."""

import http.server
import ssl
import subprocess
import urllib.parse


def log_server(folder, texts):
    """Serve the texts of "namespace/Pod", with a certificate of its own in the folder."""
    certificate, key = folder / "kubelet.crt", folder / "kubelet.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Logs)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.texts = texts
    return server


class _Logs(http.server.BaseHTTPRequestHandler):
    """GET /containerLogs/NAMESPACE/POD/CONTAINER, as a kubelet answers it."""

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        _, kind, namespace, name, _container = path.split("/")
        text = self.server.texts.get(f"{namespace}/{name}")
        if kind != "containerLogs" or text is None:
            self.send_error(404)
            return
        content = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass
