"""Every example of the agent's document, with another import."""

import json
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

import daybook
from daybook.compat.agent import ChangeLogger, ChangeType, LogLevel, LogMetrics, LogQuery, LogStorage


@pytest.fixture()
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return "logs/agent_changes"


@pytest.fixture()
def logger(folder):
    logger = ChangeLogger(log_dir=folder, agent_id="my-agent")
    yield logger
    logger.close()


@pytest.fixture()
def used(logger):
    """A log with an entry of each call."""
    logger.log_file_change(file_path="/path/to/file.py", change_type=ChangeType.FILE_UPDATE,
                           before_content="old content", after_content="new content",
                           description="Updated file with new features")
    logger.log_agent_decision(decision="Deploy to production", reasoning="All tests passed and approval received",
                              context={"tests_passed": True, "approved_by": "user"})
    logger.log_command(command="docker-compose up -d", output="Service started successfully", exit_code=0)
    logger.log_api_call(endpoint="/api/v1/models", method="POST", request_data={"model": "gpt-4"},
                        response_data={"status": "success"}, status_code=200)
    return logger


def test_a_session(used):
    summary = used.get_session_summary()
    assert summary["total_changes"] == 4 and summary["session_id"] == used.session_id
    decision, = LogQuery().query(change_types=["agent_decision"])
    assert decision["description"] == "Deploy to production"
    assert decision["metadata"]["reasoning"] == "All tests passed and approval received"


def test_an_entry_has_what_the_document_names(used):
    entry, = LogQuery().get_file_history("/path/to/file.py")
    assert len(entry.pop("id")) == 16 and entry.pop("timestamp").endswith("Z")
    assert entry.pop("file_hash_before").startswith("sha256:") and entry.pop("file_hash_after").startswith("sha256:")
    assert "-old content" in entry["metadata"].pop("diff")
    assert entry == {
        "session_id": used.session_id, "agent_id": "my-agent", "change_type": "file_update",
        "description": "Updated file with new features", "level": "info", "file_path": "/path/to/file.py",
        "before_state": "old content", "after_state": "new content",
        "metadata": {"file_size_before": 11, "file_size_after": 11}}


def test_queries(used, tmp_path):
    query = LogQuery()
    used.log_file_change("api/main.py", ChangeType.FILE_CREATE, None, "x", "The authentication is new")
    assert len(query.get_recent_changes(hours=24, limit=100)) == 5
    results = query.query(change_types=[ChangeType.FILE_UPDATE, ChangeType.FILE_CREATE], file_path="api/",
                          start_date=datetime.now() - timedelta(days=7), search_text="authentication")
    assert [entry["file_path"] for entry in results] == ["api/main.py"]
    assert len(query.get_session_logs(used.session_id)) == 5
    assert query.query(end_date=datetime(2025, 11, 5)) == []
    report = query.generate_audit_report(start_date=datetime(2025, 11, 1), end_date=datetime(2025, 11, 5),
                                         output_file="audit_report.json")
    assert json.loads((tmp_path / "audit_report.json").read_text()).keys() == report.keys()
    assert "findings" in query.analyze_patterns(start_date=datetime.now() - timedelta(days=30))


def test_storage(used, tmp_path):
    storage = LogStorage()
    assert (storage.max_log_age_days, storage.max_storage_mb, storage.compress_after_days) == (30, 500, 7)
    usage = storage.get_storage_usage()
    assert usage["total_size_mb"] > 0 and 0 < usage["usage_percentage"] < 1
    results = storage.maintenance()
    assert results == {"deleted_old": 0, "compressed": 0, "deleted_quota": 0}
    assert storage.export_logs(output_file="exported.json", start_date=datetime.now() - timedelta(days=7),
                               format="json") == 4
    assert len(json.loads((tmp_path / "exported.json").read_text())) == 4
    assert storage.export_logs("exported.csv", format="csv") == 4
    custom = LogStorage(log_dir="custom/log/path", max_log_age_days=60, max_storage_mb=1000, compress_after_days=14)
    assert custom.enforce_storage_quota() == 0 and "custom/log/path" in repr(custom)


def test_what_is_too_old_or_too_much_is_removed(logger, folder):
    logger.log("deployment", "new")
    logger.log("deployment", "old", ts="2020-01-01T00:00:00Z")
    assert LogStorage(folder).maintenance()["deleted_old"] == 1
    assert [entry["description"] for entry in LogQuery(folder).query(change_types=["deployment"])] == ["new"]
    assert LogStorage(folder, max_storage_mb=0.000001).enforce_storage_quota() >= 1
    assert LogQuery(folder).query(change_types=["deployment"]) == []


def test_metrics(used, tmp_path):
    metrics = LogMetrics()
    current = metrics.get_metrics(window_hours=24)
    assert f"{current['changes_per_hour']:.2f}" == "0.17" and f"{current['error_rate']:.2f}" == "0.00"
    assert metrics.export_prometheus_metrics(output_file="metrics.prom") == (tmp_path / "metrics.prom").read_text()
    assert "# TYPE" in metrics.export_prometheus_metrics()
    assert metrics.get_health_status()["status"] == "ok" and metrics.get_health_status()["message"]


class MyAgent:
    """The agent of the document."""

    def __init__(self, folder):
        self.logger = ChangeLogger(log_dir=folder, agent_id="my-agent-v1")

    def process_task(self, task):
        self.logger.log_agent_decision(decision=f"Task: {task.name}", reasoning="It can be done",
                                       context={"task_id": task.id, "priority": task.priority})
        try:
            result = task.run()
            self.logger.log(change_type=ChangeType.AGENT_DECISION, description=f"Done: {task.name}",
                            metadata={"result": result}, level=LogLevel.INFO)
        except Exception as e:
            self.logger.log(change_type=ChangeType.AGENT_DECISION, description=f"Failed: {task.name}",
                            metadata={"error": str(e)}, level=LogLevel.ERROR)
            raise

    def deploy_code(self, files):
        for file_path, content in files.items():
            self.logger.log_file_change(file_path=file_path, change_type=ChangeType.FILE_UPDATE, before_content="",
                                        after_content=content, description=f"New: {file_path}")
        self.logger.log(change_type=ChangeType.DEPLOYMENT, description=f"{len(files)} files",
                        metadata={"files": list(files.keys())}, level=LogLevel.INFO)


def test_a_complete_agent(folder):
    agent = MyAgent(folder)
    agent.process_task(SimpleNamespace(name="one", id=1, priority="high", run=lambda: 5))
    with pytest.raises(ZeroDivisionError):
        agent.process_task(SimpleNamespace(name="two", id=2, priority="low", run=lambda: 1 / 0))
    agent.deploy_code({"a.py": "x", "b.py": "y"})
    entries = LogQuery(folder).query(agent_id="my-agent-v1")[::-1]
    assert [entry["description"] for entry in entries] == [
        "Task: one", "Done: one", "Task: two", "Failed: two", "New: a.py", "New: b.py", "2 files"]
    assert [entry["description"] for entry in LogQuery(folder).query(level=LogLevel.ERROR)] == ["Failed: two"]
    agent.logger.close()


@pytest.mark.parametrize("kind", ChangeType)
def test_every_change_type(logger, kind):
    assert logger.log(kind, "x") == LogQuery().query(change_types=[str(kind)])[0]["id"]
