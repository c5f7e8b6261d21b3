"""Every example of the game bot's document, with another import."""

import traceback

import pytest

import daybook
from daybook.compat import game_bot
from daybook.compat.game_bot import (
    get_changelog_manager, log_card_generation, log_error, log_pack_creation, log_system_event, log_user_action,
)


@pytest.fixture(autouse=True)
def manager(path, monkeypatch):
    monkeypatch.setenv("DAYBOOK_STORE", str(path))
    manager = get_changelog_manager()
    yield manager
    manager.log.close()
    game_bot._MANAGERS.clear()


def newest(manager):
    entry = manager.get_changes(limit=1)[0]
    assert entry.pop("timestamp").endswith("Z")
    return entry


def test_a_change(manager):
    manager.log_change(category="pack_creation", description="New pack: Drake (Community)", user_id=12345,
                       severity="high", metadata={"pack_id": "pack_123", "artist": "Drake"}, send_alert=True)
    assert newest(manager) == {
        "category": "pack_creation", "category_name": "Pack Creation", "description": "New pack: Drake (Community)",
        "user_id": 12345, "severity": "high", "severity_emoji": "🟠",
        "metadata": {"pack_id": "pack_123", "artist": "Drake"}}
    assert daybook.open(manager._path).sql("SELECT alert FROM events").scalar() is True


def test_convenience_functions(manager):
    log_pack_creation(pack_id="pack_123", artist_name="Drake", creator_id=12345, pack_type="community")
    assert newest(manager)["metadata"] == {"pack_id": "pack_123", "artist": "Drake", "type": "community"}
    log_card_generation(pack_id="pack_123", card_count=5, creator_id=12345)
    assert newest(manager)["severity"] == "high" and newest(manager)["metadata"]["card_count"] == 5
    log_user_action(action="opened_pack", user_id=12345, details={"pack_id": "pack_123", "cards_received": 5})
    assert newest(manager)["description"] == "opened_pack" and newest(manager)["user_id"] == 12345
    log_system_event(event_type="database_migration", description="Migrated card database", severity="high",
                     metadata={"tables": 5, "records": 10000})
    assert newest(manager)["metadata"] == {"event_type": "database_migration", "tables": 5, "records": 10000}
    log_error(error_type="YouTube API Error", error_message="Rate limit exceeded", severity="high",
              metadata={"retry_after": 3600})
    assert newest(manager)["category"] == "error" and newest(manager)["metadata"]["retry_after"] == 3600


def test_in_error_handling(manager):
    try:
        raise ConnectionError("gone")
    except Exception as e:
        log_error(error_type=type(e).__name__, error_message=str(e), severity="high",
                  metadata={"traceback": traceback.format_exc()})
    assert "gone" in newest(manager)["metadata"]["traceback"]


@pytest.mark.parametrize("category", game_bot.Category)
@pytest.mark.parametrize("severity", game_bot.Severity)
def test_every_category_and_severity(manager, category, severity):
    manager.log_change(category, "x", severity=severity)
    assert (newest(manager)["category"], newest(manager)["severity"]) == (str(category), str(severity))


def test_queries_and_statistics(manager):
    for number in range(3):
        log_user_action("opened_pack", 12345, {"number": number})
    log_pack_creation("pack_1", "Drake", 777)
    manager.log_change("security", "Login from a new place", 777, "critical")
    assert [change["metadata"]["artist"] for change in manager.get_changes(category="pack_creation", limit=100)] == [
        "Drake"]
    assert [change["metadata"]["number"] for change in manager.get_changes(user_id=12345, limit=50)] == [2, 1, 0]
    assert len(manager.get_changes(severity="critical", limit=50)) == 1
    assert len(manager.get_changes(user_id=777, category="security")) == 1
    stats = manager.get_stats()
    assert stats["total"] == 5 and stats["by_category"]["user_action"] == 3
    assert stats["by_severity"] == {"low": 3, "high": 1, "critical": 1} and stats["first"] <= stats["last"]


def test_clearing_removes_what_is_old_and_says_how_much(manager):
    manager.log_change("deployment", "new")
    assert manager.clear_old_entries(days=90) == 0
    manager.log.event("deployment", "old", ts="2020-01-01T00:00:00Z")
    assert manager.clear_old_entries() == 1
    assert [change["description"] for change in manager.get_changes(category="deployment")] == ["new"]


def test_there_is_one_manager(manager):
    assert get_changelog_manager() is manager and "ChangeLogManager" in repr(manager)
    assert game_bot.ALERT_CHANNELS[0] == "dev-logs"
