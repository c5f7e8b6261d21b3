"""Daybook: an event store to carry inside an application.

    import daybook

    log = daybook.Logger("my-store", source="my-agent")
    log.event("deploy", "version 2.1 is live", actor="ci")

    store = daybook.open("my-store")
    store.sql("SELECT kind, count(*) FROM events GROUP BY 1").to_pandas()
"""

from daybook._daybook import version as _version
from daybook.errors import *  # noqa: F403 - the errors are part of the package's names
from daybook.errors import __all__ as _errors
from daybook.logger import ActionStatus, ChangeType, Level, Logger
from daybook.report import Report
from daybook.result import Result
from daybook.store import Store, open

__version__ = _version()

__all__ = ["ActionStatus", "ChangeType", "Level", "Logger", "Report", "Result", "Store", "open", *_errors]
