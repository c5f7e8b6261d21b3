"""What is recorded of a request, whatever framework answers it."""

from __future__ import annotations

import traceback
from typing import Any

from daybook.logger import Logger

__all__ = ["BODY_BYTES_MAX", "forwarded_for", "record_request"]

#: More of a body is not recorded.
BODY_BYTES_MAX = 10_000


def record_request(log: Logger, status: int | None, seconds: float, error: BaseException | None,
                   fields: dict[str, Any]) -> None:
    """Records a request that is over. Without an answer it failed, or its task was cancelled."""
    if status is None:
        status = 500 if isinstance(error, Exception) else None
    failed = status is None or status >= 500 or isinstance(error, Exception)
    if isinstance(error, Exception):
        trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        fields |= {"error_type": type(error).__name__, "error_message": str(error), "stack_trace": trace}
    fields |= {"status_code": status, "duration_ms": seconds * 1000,
               "status": "failure" if status is None or status >= 400 else "success"}
    log.event("http_request", f"{fields['method']} {fields['route']}", level="error" if failed else "info",
              **{name: value for name, value in fields.items() if value not in (None, b"", "")})


def forwarded_for(header: str | None, proxies: int) -> str | None:
    """The address that the outermost of one's own proxies saw. What stands before it anybody may have written."""
    if not header or proxies <= 0:
        return None
    addresses = [address.strip() for address in header.split(",")]
    return addresses[-proxies] if len(addresses) >= proxies else addresses[0]
