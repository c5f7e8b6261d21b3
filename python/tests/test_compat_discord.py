"""Every example of the Discord logger's document, with another import."""

import flask
import pytest

from daybook.compat import discord_logger as module
from daybook.compat.discord_logger import discord_logger, log_activity, log_errors, log_performance


@pytest.fixture(autouse=True)
def recorded(path, monkeypatch):
    monkeypatch.setenv("DAYBOOK_STORE", str(path))
    monkeypatch.setattr(discord_logger, "_opened", None)

    def events(*names):
        discord_logger.flush()
        rows = discord_logger.log.store.sql("SELECT * FROM events ORDER BY seq").to_dicts()
        return [{name: row[name] for name in names if row.get(name) is not None} for row in rows]

    yield events
    if discord_logger._opened is not None:
        discord_logger._opened.close()


def test_the_four_calls(recorded):
    discord_logger.log_invoice_created("INV001", 1500.00, "Client Name")
    discord_logger.log_system_event("Database Backup", "Scheduled backup completed")
    discord_logger.log_user_action("Invoice Generated", details={"invoice_id": "INV001"})
    try:
        raise RuntimeError("risky")
    except Exception as e:
        discord_logger.log_error(e, context="Invoice Processing")
    assert recorded("channel", "kind", "entity_id", "amount", "client_name", "event_name", "error_type", "context") == [
        {"channel": "finance", "kind": "invoice_created", "entity_id": "INV001", "amount": 1500.0,
         "client_name": "Client Name"},
        {"channel": "system", "kind": "system_event", "event_name": "Database Backup"},
        {"channel": "activity", "kind": "user_action"},
        {"channel": "errors", "kind": "error", "error_type": "RuntimeError", "context": "Invoice Processing"}]
    assert "risky" in recorded("stack_trace")[3]["stack_trace"]


@log_errors(context="Invoice Processing")
@log_activity(action="Create Invoice")
@log_performance(threshold_seconds=0)
def create_invoice(invoice_data):
    return invoice_data["number"]


def test_decorators(recorded):
    assert create_invoice({"number": "INV001"}) == "INV001"
    with pytest.raises(KeyError):
        create_invoice({})
    assert recorded("kind", "channel", "message")[0]["kind"] == "performance_warning"
    assert recorded("kind", "channel", "status", "result")[1] == {
        "kind": "activity", "channel": "activity", "status": "success", "result": "INV001"}
    assert recorded("kind", "channel", "error_type")[-1] == {
        "kind": "error", "channel": "errors", "error_type": "KeyError"}


def test_a_warning_of_one_s_own(recorded):
    discord_logger.log_performance_warning(metric="Database Query Time", value=2.5, threshold=1.0, unit="s")
    assert recorded("metric", "value", "threshold", "metric_unit", "channel") == [
        {"metric": "Database Query Time", "value": 2.5, "threshold": 1.0, "metric_unit": "s", "channel": "system"}]


def test_high_amounts_alert(recorded):
    discord_logger.log_finance("payment", "Paid", 10_000)
    discord_logger.log_finance("payment", "Paid", 9_999)
    assert recorded("alert") == [{"alert": True}, {}]


def record_everything():
    discord_logger.log_invoice_created("INV001", 1.0, "x")
    discord_logger.log_system_event("a", "b")
    discord_logger.log_error("x")
    discord_logger.log_user_action("x")
    discord_logger.log_performance_warning("x", 2, 1)
    discord_logger.log_summary()


@pytest.mark.parametrize(("feature", "kind"), [
    ("FINANCE", "invoice_created"), ("SYSTEM", "system_event"), ("ERRORS", "error"), ("ACTIVITY", "user_action"),
    ("PERFORMANCE", "performance_warning"), ("SUMMARIES", "summary"),
])
def test_each_feature_can_be_turned_off(recorded, monkeypatch, feature, kind):
    monkeypatch.setenv(f"DISCORD_LOG_{feature}", "False")
    record_everything()
    kinds = {event["kind"] for event in recorded("kind")}
    assert kind not in kinds and len(kinds) == 5


def test_everything_can_be_turned_off(recorded, monkeypatch):
    monkeypatch.setenv("DISCORD_LOGGING_ENABLED", "False")
    record_everything()
    create_invoice({"number": 1})
    assert recorded("kind") == []


def test_the_size_of_the_queue_is_that_of_the_environment(recorded, monkeypatch):
    monkeypatch.setenv("DISCORD_QUEUE_SIZE", "100")
    assert discord_logger.log._capacity == 100


def test_requests_of_flask_are_context(recorded):
    app = flask.Flask("x")

    @app.route("/invoices", methods=["POST"])
    def invoices():
        discord_logger.log_user_action("Invoice Generated")
        return ""

    app.test_client().post("/invoices", headers={"user-agent": "tests", "referer": "http://example.com/"})
    assert recorded("method", "endpoint", "ip", "user_agent", "referrer") == [
        {"method": "POST", "endpoint": "invoices", "ip": "127.0.0.1", "user_agent": "tests",
         "referrer": "http://example.com/"}]


def test_what_is_critical_goes_to_logging_too(recorded, caplog):
    discord_logger.log_error("the disk is gone", context="Backup", level="critical")
    assert "Backup: the disk is gone" in caplog.text and len(recorded("kind")) == 1


def test_what_is_printed():
    assert repr(discord_logger).startswith("DiscordLogger(") and repr(log_errors()) == "<log_errors>"
    assert [str(channel) for channel in module.Channel] == ["finance", "system", "errors", "activity"]
