"""Daybook: an event store to carry inside an application.

    import daybook

    log = daybook.Logger("my-store", source="my-agent")
    log.event("deploy", "version 2.1 is live", actor="ci")

    store = daybook.open("my-store")
    store.sql("SELECT kind, count(*) FROM events GROUP BY 1").to_pandas()
"""

from typing import TYPE_CHECKING

from daybook import errors
from daybook.errors import *  # noqa: F403 - the errors are part of the package's names

if TYPE_CHECKING:
    from daybook.handlers import LoggingHandler, LoguruSink, StructlogProcessor
    from daybook.logger import Logger
    from daybook.report import Report
    from daybook.result import Result
    from daybook.samples import demo
    from daybook.store import Store, open
    from daybook.words import *  # noqa: F403 - and so are the words

    __version__: str

__all__ = ["Logger", "LoggingHandler", "LoguruSink", "Report", "Result", "Store", "StructlogProcessor", "demo", "open"]
__all__ += errors.__all__
__all__ += ["ActionStatus", "ActionType", "AuditAction", "Category", "ChangeType", "Channel", "EntityType", "EventType",
            "Level", "LogLevel", "Severity"]

#: Where names are that are not read before somebody asks for them: importing this has to be quick.
_PLACES = {"Logger": "logger", "LoggingHandler": "handlers", "LoguruSink": "handlers", "StructlogProcessor": "handlers",
           "Report": "report", "Result": "result", "Store": "store", "open": "store", "demo": "samples"}


def __getattr__(name: str) -> object:
    import importlib

    if name == "__version__":
        value: object = importlib.import_module("daybook._daybook").version()
    elif name in _PLACES:
        value = getattr(importlib.import_module(f"daybook.{_PLACES[name]}"), name)
    elif name in __all__:
        value = getattr(importlib.import_module("daybook.words"), name)
    elif name in ("aio", "words", "context", "handlers", "logger", "store", "spark"):
        value = importlib.import_module(f"daybook.{name}")
    else:
        raise AttributeError(f"module 'daybook' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
