"""The standard library's logging, structlog and loguru."""

import logging
import logging.config
import sys

import loguru
import pytest
import structlog
from conftest import python

import daybook


@pytest.fixture()
def logger(log):
    logger = logging.Logger("app.orders")
    logger.addHandler(daybook.LoggingHandler(log, location=True))
    return logger


def test_a_record_is_an_event(logger, recorded):
    logger.warning("order %s is late", 55, extra={"order_id": 55, "kind": "delay", "actor": "ann"})
    assert recorded("kind", "level", "message", "logger", "order_id", "actor", "module", "function", "source") == [{
        "kind": "delay", "level": "warning", "message": "order 55 is late", "logger": "app.orders", "order_id": 55,
        "actor": "ann", "module": "test_handlers", "function": "test_a_record_is_an_event", "source": "test"}]


def test_structured_arguments_become_fields(logger, recorded):
    logger.info("took %(took)d ms for %(route)s", {"took": 5, "route": "/x"})
    assert recorded("kind", "level", "message", "took", "route") == [
        {"kind": "log", "level": "info", "message": "took 5 ms for /x", "took": 5, "route": "/x"}]


def test_exceptions_have_type_message_and_stack(logger, recorded):
    try:
        raise ValueError("it broke")
    except ValueError:
        logger.exception("no invoice")
    logger.error("here", stack_info=True)
    one, other = recorded("message", "error_type", "error_message", "stack_trace", "level")
    assert (one["message"], one["error_type"], one["error_message"], one["level"]) == (
        "no invoice", "ValueError", "it broke", "error")
    assert "raise ValueError" in one["stack_trace"] and "Stack (most recent" in other["stack_trace"]


@pytest.mark.parametrize(("number", "word"), [
    (5, "trace"), (10, "debug"), (15, "debug"), (20, "info"), (25, "info"), (30, "warning"), (40, "error"),
    (45, "error"), (50, "critical"), (99, "critical"),
])
def test_levels(logger, recorded, number, word):
    logger.log(number, "x")
    assert recorded("level") == [{"level": word}]


def test_arguments_that_do_not_fit_are_no_error(logger, recorded):
    logger.info("%d and %d", "one")
    assert recorded("message") == [{"message": "%d and %d"}]


def test_configured_by_a_dict(path):
    logging.config.dictConfig({
        "version": 1, "disable_existing_loggers": False,
        "handlers": {"store": {"class": "daybook.LoggingHandler", "store": str(path), "source": "configured"}},
        "loggers": {"configured": {"handlers": ["store"], "level": "INFO"}}})
    logger = logging.getLogger("configured")
    logger.info("hello")
    (handler,) = logger.handlers
    handler.flush()
    assert handler.log.store.sql("SELECT message, source FROM events").to_dicts() == [
        {"message": "hello", "source": "configured"}]
    assert "LoggingHandler" in repr(handler)
    logger.removeHandler(handler)
    handler.close()
    with pytest.raises(TypeError, match="source"):
        daybook.LoggingHandler(handler.log, source="x")


def test_what_the_store_does_not_take_does_not_come_back_to_it(log):
    handler = daybook.LoggingHandler(log)
    logging.getLogger().addHandler(handler)
    try:
        log.event("x", ts="no time at all")
        log.flush()
        log.flush()
        assert log.store.sql("SELECT count(*) FROM events").scalar() == 0
    finally:
        logging.getLogger().removeHandler(handler)


def test_records_at_the_end_of_a_program_are_kept(path):
    done = python("import daybook, logging, sys\n"
                  "logging.getLogger().addHandler(daybook.LoggingHandler(sys.argv[1]))\n"
                  "for n in range(1000): logging.warning('number %d', n)", path)
    assert done.returncode == 0 and done.stderr == ""
    with daybook.open(path) as store:
        assert store.sql("SELECT count(*) FROM events WHERE kind = 'log'").scalar() == 1_000


def structlog_of(log, **options):
    return structlog.wrap_logger(structlog.PrintLogger(sys.stderr), processors=[
        structlog.contextvars.merge_contextvars, structlog.processors.TimeStamper(fmt="iso"),
        daybook.StructlogProcessor(log, **options), structlog.processors.JSONRenderer()])


def test_structlog(log, recorded, capsys):
    logger = structlog_of(log).bind(order_id=55)
    logger.warning("late", kind="delay", days=3)
    try:
        raise ValueError("it broke")
    except ValueError:
        logger.exception("no invoice")
    assert recorded("kind", "level", "message", "order_id", "days", "error_type") == [
        {"kind": "delay", "level": "warning", "message": "late", "order_id": 55, "days": 3},
        {"kind": "log", "level": "error", "message": "no invoice", "order_id": 55, "error_type": "ValueError"}]
    assert "late" in capsys.readouterr().err


def test_structlog_ends_there_if_it_is_to(log, recorded, capsys):
    structlog_of(log, last=True).info("quiet")
    assert recorded("message") == [{"message": "quiet"}] and capsys.readouterr().err == ""


def test_loguru(log, recorded):
    logger = loguru.logger
    number = logger.add(daybook.LoguruSink(log), format="{message}")
    try:
        logger.bind(order_id=55).success("paid {}", 5)
        logger.info("took {took}", took=7, kind="timing")
        try:
            raise ValueError("it broke")
        except ValueError:
            logger.exception("no invoice")
    finally:
        logger.remove(number)
    assert recorded("kind", "level", "message", "order_id", "took", "error_type", "function") == [
        {"kind": "log", "level": "info", "message": "paid 5", "order_id": 55, "function": "test_loguru"},
        {"kind": "timing", "level": "info", "message": "took 7", "took": 7, "function": "test_loguru"},
        {"kind": "log", "level": "error", "message": "no invoice", "error_type": "ValueError",
         "function": "test_loguru"}]
