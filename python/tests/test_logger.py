"""What an application records, call by call."""

import asyncio
import contextvars
import hashlib
import logging
import threading

import pytest

import daybook
from daybook import context


def test_an_event(log, recorded):
    log.event("deploy", "version 2.1 is live", actor="ci", version="2.1", alert=True)
    assert recorded("kind", "message", "source", "session", "actor", "version", "alert") == [{
        "kind": "deploy", "message": "version 2.1 is live", "source": "test", "session": "s-test", "actor": "ci",
        "version": "2.1", "alert": True}]


def test_a_change_of_a_file(log, recorded):
    log.file_change("api/main.py", before="one\ntwo\n", after="one\n2\n", description="New number")
    event = recorded()[0]
    assert (event["kind"], event["entity_type"], event["entity_id"]) == ("file_update", "file", "api/main.py")
    assert event["file_hash_before"] == "sha256:" + hashlib.sha256(b"one\ntwo\n").hexdigest()
    assert (event["file_size_before"], event["file_size_after"]) == (8, 6)
    assert "-two" in event["diff"] and "+2" in event["diff"]
    assert log.store.file_history("api/main.py")["changes"][0]["message"] == "New number"


@pytest.mark.parametrize(("before", "after", "kind"), [
    (None, "x", "file_create"), ("x", None, "file_delete"), ("x", "y", "file_update"), (b"\xff", b"\x00", "file_update"),
])
def test_kinds_of_changes_of_files(log, recorded, before, after, kind):
    log.file_change("a", before=before, after=after)
    assert recorded("kind") == [{"kind": kind}]


def test_of_a_long_file_hash_and_size_are_kept(log, recorded):
    log.file_change("a", before="x" * 3_000_000, after="y\n" * 100_000)
    event = recorded()[0]
    assert event["file_size_before"] == 3_000_000 and "before" not in event and "diff" not in event


def test_decisions_commands_and_calls(log, recorded):
    log.decision("Deploy", "All tests passed", {"tests_passed": True})
    log.command("docker compose up -d", "no such file", exit_code=1)
    log.command("true", exit_code=0)
    log.api_call("/api/v1/models", "POST", {"model": "x"}, {"status": "ok"}, status_code=200, duration=0.25)
    log.api_call("/api/v1/models", status_code=503)
    rows = recorded("kind", "message", "status", "level", "duration_ms", "reasoning", "exit_code", "status_code")
    assert rows == [
        {"kind": "agent_decision", "message": "Deploy", "reasoning": "All tests passed"},
        {"kind": "system_command", "message": "docker compose up -d", "status": "failure", "level": "error",
         "exit_code": 1},
        {"kind": "system_command", "message": "true", "status": "success", "exit_code": 0},
        {"kind": "api_call", "message": "POST /api/v1/models", "status": "success", "duration_ms": 250.0,
         "status_code": 200},
        {"kind": "api_call", "message": "GET /api/v1/models", "status": "failure", "level": "error",
         "status_code": 503}]


def test_people_systems_and_lives(log, recorded):
    log.user_action("opened_pack", 12345, pack_id="pack_123")
    log.system_event("database_migration", "Migrated", tables=5)
    log.lifecycle("startup")
    log.performance_warning("Query time", 2.5, 1.0, "s")
    assert recorded("kind", "message", "actor", "event_name", "level", "metric", "value", "threshold", "metric_unit") == [
        {"kind": "user_action", "message": "opened_pack", "actor": "12345"},
        {"kind": "system_event", "message": "Migrated", "event_name": "database_migration"},
        {"kind": "startup", "message": "test: startup"},
        {"kind": "performance_warning", "message": "Query time is 2.5 s, more than 1 s", "level": "warning",
         "metric": "Query time", "value": 2.5, "threshold": 1.0, "metric_unit": "s"}]


def test_errors_have_their_stack_trace(log, recorded):
    try:
        {}["missing"]
    except KeyError as error:
        log.error(error, context="Invoices")
    log.error("Rate limit exceeded", {"retry_after": 3600}, level="high")
    one, other = recorded("kind", "level", "message", "error_type", "error_message", "stack_trace")
    assert "test_errors_have_their_stack_trace" in one.pop("stack_trace")
    assert one == {"kind": "error", "level": "error", "message": "KeyError: 'missing'", "error_type": "KeyError",
                   "error_message": "'missing'"}
    assert other == {"kind": "error", "level": "high", "message": "Rate limit exceeded"}
    assert log.store.sql("SELECT count(*) FROM events WHERE severity >= 17").scalar() == 2


def test_actions_of_providers(log, recorded):
    log.action("hubspot", daybook.ActionType.CRM_CREATE, {"email": "a@example.com"}, {"id": "1"},
               daybook.ActionStatus.SUCCESS, 245)
    log.action("zendesk", "helpdesk_create_ticket", status="timeout", error=TimeoutError("no answer"))
    assert recorded("source", "kind", "status", "duration_ms", "message", "error_type") == [
        {"source": "hubspot", "kind": "crm_create", "status": "success", "duration_ms": 245.0},
        {"source": "zendesk", "kind": "helpdesk_create_ticket", "status": "timeout", "message": "no answer",
         "error_type": "TimeoutError"}]


def test_an_audit_trail_is_on_disk_when_the_call_returns(log, path):
    first = log.audit.create("tenant", 123, after={"name": "Old"}, user_id="admin@example.com", ip="192.0.2.1",
                             user_agent="curl", tenant="t1")
    log.audit.update("tenant", 123, before={"name": "Old"}, after={"name": "New"}, user_id="admin@example.com")
    log.audit.delete("api_key", "key-1", before={"scopes": ["read"]}, user_id="admin@example.com")
    assert first is not None and first > 0
    # Another process sees it, too, without a flush.
    with daybook.open(path) as other:
        changes = other.history("tenant:123")["changes"]
        assert changes[0]["diff"] == [{"path": "name", "change": "changed", "before": "Old", "after": "New"}]
        row = other.search("kind:create").to_dicts()[0]
    assert (row["actor"], row["ip"], row["user_agent"], row["tenant"]) == (
        "admin@example.com", "192.0.2.1", "curl", "t1")


def test_a_summary_of_the_session(log):
    log.event("a")
    log.event("a")
    log.error("b")
    summary = log.session_summary()
    assert (summary["session_id"], summary["total_changes"], summary["errors"]) == ("s-test", 3, 1)
    assert summary["by_type"] == {"a": 2, "error": 1}


@pytest.mark.parametrize("word", [*daybook.Level, *daybook.LogLevel, *daybook.Severity])
def test_every_level_has_a_severity(log, word):
    log.event("x", level=word)
    log.event("x", level=str(word))
    log.flush()
    assert log.store.sql("SELECT count(DISTINCT severity) FROM events WHERE severity IS NOT NULL").scalar() == 1


def test_levels_of_the_standard_library(log, recorded):
    log.event("x", level=logging.ERROR)
    assert recorded("level", "severity") == [{"level": "error", "severity": 17}]


def test_context_goes_along_with_tasks_and_not_with_others(log, recorded):
    async def handler(name):
        with context.bind(actor=name, session="s-" + name):
            await asyncio.sleep(0.01)
            log.event("asked", name)

    async def main():
        await asyncio.gather(handler("ann"), handler("bob"))

    asyncio.run(main())
    token = context.set(actor="carl", nothing=None)
    thread = threading.Thread(target=contextvars.copy_context().run, args=(log.event, "asked", "carl"))
    thread.start()
    thread.join()
    context.unset(token)
    log.event("asked", "nobody")
    rows = recorded("message", "actor", "session")
    assert sorted(rows, key=lambda row: row["message"]) == [
        {"message": "ann", "actor": "ann", "session": "s-ann"}, {"message": "bob", "actor": "bob", "session": "s-bob"},
        {"message": "carl", "actor": "carl", "session": "s-test"}, {"message": "nobody", "session": "s-test"}]


def test_addresses_can_be_left_out(path):
    with daybook.Logger(path, record_ip=False) as log:
        with context.bind(ip="192.0.2.1", route="/"):
            log.event("a", ip_address="192.0.2.2")
            log.audit.update("a", 1, ip="192.0.2.3")
        log.flush()
        assert log.store.sql("SELECT count(*) FROM events WHERE route = '/'").scalar() == 2
        assert not {"ip", "ip_address"} & set(log.store.sql("SELECT * FROM events").columns)


def test_what_goes_wrong_stays_away_from_the_application(path, caplog):
    with daybook.Logger(path) as log:
        log.performance_warning("a", "not a number", 1)
        log.file_change(5)
        assert len(caplog.records) == 2 and "could not be made" in caplog.text


def test_what_is_printed(log):
    assert repr(log).startswith("daybook.Logger(") and "source='test'" in repr(log)
    assert repr(log.audit) == repr(log) + ".audit"
    assert "Errors" in repr(log.errors())
