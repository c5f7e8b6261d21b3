"""Daybook: an event store to carry inside an application.

    import daybook

    log = daybook.Logger("my-store", source="my-agent")
    log.event("deploy", "version 2.1 is live", actor="ci")

    store = daybook.open("my-store")
    store.sql("SELECT kind, count(*) FROM events GROUP BY 1").to_pandas()
"""

from daybook import errors, words
from daybook._daybook import version as _version
from daybook.errors import *  # noqa: F403 - the errors are part of the package's names
from daybook.handlers import LoggingHandler, LoguruSink, StructlogProcessor
from daybook.logger import Logger
from daybook.report import Report
from daybook.result import Result
from daybook.store import Store, open
from daybook.words import *  # noqa: F403 - and so are the words

__version__ = _version()

__all__ = ["Logger", "LoggingHandler", "LoguruSink", "Report", "Result", "Store", "StructlogProcessor", "open"]
__all__ += errors.__all__
__all__ += words.__all__
