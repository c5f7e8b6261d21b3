"""Requests of ASGI applications (Starlette, FastAPI, Django, Quart) as events.

    app = daybook.asgi.Middleware(app, log)
    app.add_middleware(daybook.asgi.Middleware, log=log)     # with Starlette and FastAPI
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from daybook import context
from daybook.logger import Logger
from daybook.requested import BODY_BYTES_MAX, forwarded_for, record_request

__all__ = ["Middleware"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Middleware:
    """Records each request: method, route, path, status, duration, ip, user agent, referrer, user, and what it
    raised. All that is recorded meanwhile has method, route, ip, user agent and referrer, too.

    - `user` gives the user of a scope; else it is who an authentication middleware found.
    - `bodies` records what came and went, up to 10,000 bytes each. Queries of URLs are recorded with it, too.
    - `proxies` is how many proxies of one's own add to `X-Forwarded-For`.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], log: Logger, *,
                 user: Callable[[Scope], Any] | None = None, bodies: bool = False, proxies: int = 0) -> None:
        self.app, self.log = app, log
        self._user, self._bodies, self._proxies = user, bodies, proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        call = _Call(receive, send, self._bodies)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        client = scope.get("client")
        around = {"method": scope["method"], "route": scope["path"], "referrer": headers.get("referer"),
                  "ip": forwarded_for(headers.get("x-forwarded-for"), self._proxies) or (client[0] if client else None),
                  "user_agent": headers.get("user-agent")}
        token = context.set(**around)
        error: BaseException | None = None
        try:
            await self.app(scope, call.receive, call.send)
        except BaseException as raised:
            error = raised
            raise
        finally:
            fields = {**around, "path": scope["path"], "route": _route(scope), "actor": self._user_of(scope)}
            if self._bodies:
                fields |= {"query": scope.get("query_string", b""), "request_body": bytes(call.received),
                           "response_body": bytes(call.sent)}
            record_request(self.log, call.status, time.perf_counter() - call.began, error, fields)
            context.unset(token)

    def __repr__(self) -> str:
        return f"<daybook.asgi.Middleware of {self.log!r}>"

    def _user_of(self, scope: Scope) -> Any:
        if self._user is not None:
            return self._user(scope)
        user = scope.get("user")
        # The one that nobody is has an empty name.
        return getattr(user, "display_name", None) or getattr(user, "username", None) or None


class _Call:
    """What goes through a request."""

    def __init__(self, receive: Receive, send: Send, bodies: bool) -> None:
        self._receive, self._send, self._bodies = receive, send, bodies
        self.began = time.perf_counter()
        self.status: int | None = None
        self.received, self.sent = bytearray(), bytearray()

    async def receive(self) -> Message:
        message = await self._receive()
        if self._bodies:
            self.received += message.get("body", b"")[: BODY_BYTES_MAX - len(self.received)]
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif self._bodies:
            self.sent += message.get("body", b"")[: BODY_BYTES_MAX - len(self.sent)]
        await self._send(message)


def _route(scope: Scope) -> str:
    """The pattern that the path has matched, if a framework says so."""
    route = getattr(scope.get("route"), "path", None)
    if isinstance(route, str):
        return route
    # Starlette does not name it: put the names of its parameters back.
    path: str = scope["path"]
    for name, value in (scope.get("path_params") or {}).items():
        path = path.replace(f"/{value}", f"/{{{name}}}", 1)
    return path
