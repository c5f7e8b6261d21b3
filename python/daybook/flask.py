"""Requests of Flask applications as events.

    daybook.flask.Daybook(app, log)
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from daybook import context
from daybook.logger import Logger
from daybook.optional import module
from daybook.requested import BODY_BYTES_MAX, forwarded_for, record_request

__all__ = ["Daybook"]


class Daybook:
    """An extension that records each request: method, route, path, endpoint, status, duration, ip, user agent,
    referrer, user, and what it raised. All that is recorded meanwhile has them, too.

    - `user` gives the user; else it is who HTTP's basic authentication names.
    - `bodies` records what came and went, up to 10,000 bytes each. Queries of URLs are recorded with it, too.
    - `proxies` is how many proxies of one's own add to `X-Forwarded-For`.
    """

    def __init__(self, app: Any = None, log: Logger | None = None, *, user: Callable[[], Any] | None = None,
                 bodies: bool = False, proxies: int = 0) -> None:
        self.log = log
        self._user, self._bodies, self._proxies = user, bodies, proxies
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Any, log: Logger | None = None) -> None:
        """Begins to record the requests of an application."""
        self.log = log or self.log
        if self.log is None:
            raise TypeError("there is no log to record to: Daybook(app, log)")
        app.extensions["daybook"] = self
        app.before_request(self._before)
        app.after_request(self._after)
        app.teardown_request(self._over)
        module("flask").got_request_exception.connect(self._raised, app)

    def __repr__(self) -> str:
        return f"<daybook.flask.Daybook of {self.log!r}>"

    def _before(self) -> None:
        flask = module("flask")
        request = flask.request
        route = request.url_rule.rule if request.url_rule is not None else request.path
        around = {"method": request.method, "route": route, "referrer": request.referrer,
                  "ip": forwarded_for(request.headers.get("X-Forwarded-For"), self._proxies) or request.remote_addr,
                  "user_agent": request.user_agent.string or None}
        fields = {**around, "path": request.path, "endpoint": request.endpoint}
        if self._bodies:
            fields |= {"query": request.query_string, "request_body": request.get_data(cache=True)[:BODY_BYTES_MAX]}
        flask.g._daybook = {"began": time.perf_counter(), "token": context.set(**around), "fields": fields}

    def _raised(self, sender: Any, exception: BaseException, **more: Any) -> None:
        call = self._call()
        if call is not None:
            call["error"] = exception

    def _after(self, response: Any) -> Any:
        call = self._call()
        if call is not None:
            call["status"] = response.status_code
            if self._bodies and not response.is_streamed and not response.direct_passthrough:
                call["fields"]["response_body"] = response.get_data()[:BODY_BYTES_MAX]
        return response

    def _over(self, error: BaseException | None) -> None:
        call = self._call()
        if call is None or self.log is None:
            return
        del module("flask").g._daybook
        authorization = module("flask").request.authorization
        user = self._user() if self._user is not None else authorization and authorization.username
        record_request(self.log, call.get("status"), time.perf_counter() - call["began"], call.get("error") or error,
                       {**call["fields"], "actor": user})
        with contextlib.suppress(ValueError):
            # An answer that is streamed may end elsewhere than it began.
            context.unset(call["token"])

    def _call(self) -> dict[str, Any] | None:
        call: dict[str, Any] | None = module("flask").g.get("_daybook")
        return call
