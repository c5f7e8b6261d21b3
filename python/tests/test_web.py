"""Requests of web applications."""

import asyncio

import flask
import pytest
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

import daybook.asgi
import daybook.flask

FIELDS = ("kind", "level", "message", "method", "route", "path", "status", "status_code", "ip", "user_agent",
          "referrer", "actor", "error_type", "request_body", "response_body", "query")
HEADERS = {"user-agent": "tests", "referer": "http://example.com/", "x-forwarded-for": "198.51.100.9, 192.0.2.7"}


class Backend(AuthenticationBackend):
    async def authenticate(self, connection):
        if "authorization" in connection.headers:
            return AuthCredentials(), SimpleUser("ann")
        return None


def starlette_client(log, **options):
    async def order(request):
        log.event("looked", order_id=request.path_params["id"])
        return JSONResponse({"id": request.path_params["id"], "got": (await request.body()).decode()})

    async def broken(request):
        raise ValueError("it broke")

    async def stream(request):
        async def parts():
            for _ in range(3):
                await asyncio.sleep(0.01)
                yield b"x" * 10
        return StreamingResponse(parts())

    app = Starlette(routes=[Route("/orders/{id}", order, methods=["GET", "POST"]), Route("/broken", broken),
                            Route("/stream", stream)])
    app.add_middleware(AuthenticationMiddleware, backend=Backend())
    app.add_middleware(daybook.asgi.Middleware, log=log, **options)
    return TestClient(app, raise_server_exceptions=False, client=("192.0.2.1", 50000))


def flask_client(log, **options):
    app = flask.Flask("orders")
    daybook.flask.Daybook(app, log, **options)

    @app.route("/orders/<id>", methods=["GET", "POST"])
    def order(id):
        log.event("looked", order_id=id)
        return {"id": id, "got": flask.request.get_data(as_text=True)}

    @app.route("/broken")
    def broken():
        raise ValueError("it broke")

    @app.route("/stream")
    def stream():
        return app.response_class(b"x" * 10 for _ in range(3))

    return Client(app.test_client())


class Client:
    """The client of Flask, called as Starlette's."""

    def __init__(self, client):
        self._client = client

    def get(self, path, headers=None):
        return self._client.get(path, headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.1"})

    def post(self, path, content):
        return self._client.post(path, data=content, environ_base={"REMOTE_ADDR": "192.0.2.1"})


@pytest.fixture(params=[starlette_client, flask_client], ids=["asgi", "flask"])
def client(request, log):
    return lambda **options: request.param(log, **options)


def pattern(client):
    return "/orders/<id>" if isinstance(client, Client) else "/orders/{id}"


def test_a_request_is_an_event(client, recorded):
    client = client()
    assert client.get("/orders/55?token=secret", headers=HEADERS).status_code == 200
    around = {"method": "GET", "ip": "192.0.2.1", "user_agent": "tests", "referrer": "http://example.com/"}
    looked, request = recorded(*FIELDS)
    assert around.items() <= looked.items() and looked["kind"] == "looked"
    assert request == {**around, "kind": "http_request", "level": "info", "message": f"GET {pattern(client)}",
                       "route": pattern(client), "path": "/orders/55", "status": "success", "status_code": 200}
    assert recorded()[1]["duration_ms"] > 0 and "secret" not in str(recorded())


def test_errors_have_their_stack_trace(client, recorded):
    client = client()
    assert client.get("/broken").status_code == 500
    assert client.get("/nowhere").status_code == 404
    broken, nowhere = recorded("level", "status", "status_code", "error_type", "error_message", "stack_trace")
    assert "it broke" in broken.pop("stack_trace")
    assert broken == {"level": "error", "status": "failure", "status_code": 500, "error_type": "ValueError",
                      "error_message": "it broke"}
    assert nowhere == {"level": "info", "status": "failure", "status_code": 404}


def test_bodies_only_when_asked(client, recorded):
    client(bodies=True).post("/orders/55?a=b", content=b"x" * 20_000)
    client().post("/orders/56", content=b"body")
    one, other = (event for event in recorded(*FIELDS) if event["kind"] == "http_request")
    assert one["request_body"] == "x" * 10_000 and one["response_body"].startswith('{"') and one["query"] == "a=b"
    assert not {"request_body", "response_body", "query"} & set(other)


def test_streamed_answers(client, recorded):
    assert client(bodies=True).get("/stream").status_code == 200
    assert recorded("status_code", "route") == [{"status_code": 200, "route": "/stream"}]


def test_users_and_proxies(client, recorded):
    client(proxies=1).get("/orders/1", headers=HEADERS)
    user = {"user": lambda *scope: "bob"}
    client(**user).get("/orders/1")
    requests = [event for event in recorded("kind", "ip", "actor") if event["kind"] == "http_request"]
    assert [(event["ip"], event.get("actor")) for event in requests] == [("192.0.2.7", None), ("192.0.2.1", "bob")]


def test_who_was_authenticated(log, recorded):
    starlette_client(log).get("/stream", headers={"authorization": "Basic x"})
    flask_client(log).get("/stream", headers={"authorization": "Basic YW5uOng="})
    assert recorded("actor") == [{"actor": "ann"}, {"actor": "ann"}]


def test_nothing_stays_bound_after_a_request(client, log, recorded):
    client().get("/orders/1")
    log.event("after")
    assert "route" not in recorded()[-1]


def test_other_messages_go_through(log):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    middleware = daybook.asgi.Middleware(app, log)
    asyncio.run(middleware({"type": "lifespan"}, None, None))
    asyncio.run(middleware({"type": "websocket"}, None, None))
    assert seen == ["lifespan", "websocket"] and "Middleware" in repr(middleware)


def test_an_extension_without_a_log_says_so():
    with pytest.raises(TypeError, match="no log"):
        daybook.flask.Daybook().init_app(flask.Flask("x"))
