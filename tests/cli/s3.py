"""An S3-compatible server for the tests, and a proxy before it that fails on purpose."""

import http.client
import itertools
import logging
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEYS = {"AWS_ACCESS_KEY_ID": "AKIATESTING", "AWS_SECRET_ACCESS_KEY": "not-to-be-seen-anywhere", "AWS_REGION": "us-east-1"}
BUCKETS = itertools.count()
SERVER = []


def server():
    """The server, started once."""
    if not SERVER:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        from moto.server import ThreadedMotoServer

        started = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        started.start()
        SERVER.append(started.get_host_and_port())
    return SERVER[0]


class Client:
    """A bucket of its own, and what a program needs to use it."""

    def __init__(self, folder, address=None):
        self.host, self.port = server()
        self.bucket = f"bucket-{next(BUCKETS)}"
        self.request("PUT", "")
        self.folder = folder
        self.address = address

    def request(self, method, key, body=b"", headers=None):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        # The server accepts any signature, and wants one.
        signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"}
        connection.request(method, f"/{self.bucket}/{key}", body, {**signed, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def keys(self, prefix=""):
        text = self.request("GET", f"?list-type=2&prefix={prefix}")[1].decode()
        return [part.split("</Key>")[0] for part in text.split("<Key>")[1:]]

    def url(self, prefix):
        return f"s3://{self.bucket}/{prefix}"

    def environment(self, proxy=None, **others):
        host, port = proxy.address if proxy else (self.host, self.port)
        return {**KEYS, "AWS_ENDPOINT_URL": f"http://{host}:{port}", "DAYBOOK_CACHE": str(self.folder / "cache"), **others}


class Proxy:
    """Hands requests on to the server; `fault(method, path, number)` says what goes wrong with one, if anything does."""

    def __init__(self, fault=lambda method, path, number: None):
        self.fault, self.seen, self.numbers = fault, [], itertools.count()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self):
                proxy.handle(self)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        # Programs that were killed do not wait for answers.
        self.http.handle_error = lambda *_: None
        self.address = self.http.server_address
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()

    def count(self, method, part):
        return sum(1 for seen, path, _ in self.seen if seen == method and part in path)

    def handle(self, handler):
        method, path = handler.command, handler.path
        fault = self.fault(method, path, next(self.numbers))
        self.seen.append((method, path, dict(handler.headers)))
        kind, value = fault or (None, None)
        length = int(handler.headers.get("Content-Length", 0))
        if kind == "cut request":
            # The connection ends in the middle of what the program sends.
            handler.rfile.read(min(length, value))
            return self.cut(handler)
        body = handler.rfile.read(length)
        if kind == "answer":
            status, headers, text = value
            return self.answer(handler, status, headers, text.encode())
        if kind == "slow":
            time.sleep(value)
        if kind == "stop":
            value()
        connection = http.client.HTTPConnection(*server(), timeout=60)
        connection.request(method, path, body, {name: text for name, text in handler.headers.items()})
        answer = connection.getresponse()
        content = answer.read()
        if kind == "lost":
            # It was done, and nobody hears of it.
            return self.cut(handler)
        headers = [(name, text) for name, text in answer.getheaders() if name.lower() not in ("transfer-encoding", "connection", "server", "date")]
        if kind == "cut answer":
            return self.answer(handler, answer.status, headers, content, len(content) // 2)
        self.answer(handler, answer.status, headers, content)

    @staticmethod
    def answer(handler, status, headers, content, sent=None):
        handler.send_response(status)
        headers = dict(headers)
        if handler.command != "HEAD":
            headers = {name: text for name, text in headers.items() if name.lower() != "content-length"}
            headers["Content-Length"] = str(len(content))
        for name, text in headers.items():
            handler.send_header(name, text)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(content[:sent])
        if sent is not None:
            Proxy.cut(handler)

    @staticmethod
    def cut(handler):
        handler.close_connection = True
        try:
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def every(count, fault, method=None, part=""):
    """A fault of each so many requests of a kind."""
    numbers = itertools.count(1)

    def chosen(seen, path, _):
        fits = (method is None or seen == method) and part in path
        return fault if fits and next(numbers) % count == 0 else None

    return chosen


def once(fault, method, part, times=1):
    """A fault of the first requests of a kind."""
    left = itertools.count()
    return lambda seen, path, _: fault if seen == method and part in path and next(left) < times else None


def error(status, code, message="no", **headers):
    return "answer", (status, headers, f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>")
