//! Every record that the documents of the systems show that Daybook replaces: it maps to the right columns, and comes
//! back whole.

use crate::support::{World, counts, data, normal, sorted};
use serde_json::{Value, json};

/// A file of records, the format that it has, and the columns that each record must have.
struct Case {
    file: &'static str,
    format: &'static str,
    columns: Vec<Value>,
    /// The records where the file is no JSON, or has an object around them.
    records: Option<Vec<Value>>,
    /// The field that is the event's time, where it is no RFC 3339 with microseconds in UTC.
    time: &'static str,
}

impl Case {
    fn new(file: &'static str, format: &'static str, time: &'static str, columns: Vec<Value>) -> Case {
        Case { file, format, columns, records: None, time }
    }

    fn of(self, records: Vec<Value>) -> Case {
        Case { records: Some(records), ..self }
    }

    fn check(&self) {
        let world = World::new();
        let bytes = data(&format!("replaces/{}", self.file));
        let expected = self.records.clone().unwrap_or_else(|| json_records(&bytes));
        let receipt = world.ingest(self.file, &bytes);
        assert_eq!(receipt.inputs[0].format, Some(self.format), "{}", self.file);
        let all = expected.len() as u64;
        assert_eq!(
            counts(&receipt),
            [all, all, 0, 0],
            "{}: {:?}",
            self.file,
            world.quarantined("reason, raw")
        );
        assert!(receipt.redacted.is_empty(), "{}: {:?}", self.file, receipt.redacted);
        world.check_counts(&receipt);
        let events = world.events();
        assert_eq!(events.len(), self.columns.len(), "{}", self.file);
        for (event, columns) in events.iter().zip(&self.columns) {
            has_columns(self.file, event, columns);
        }
        let without_time = |records: Vec<Value>| -> Vec<String> {
            let cut = |mut record: Value| {
                let time = record.as_object_mut().unwrap().remove(self.time);
                assert_eq!(time.is_some(), !self.time.is_empty(), "{}: {record}", self.file);
                record
            };
            sorted(&records.into_iter().map(cut).collect::<Vec<_>>())
        };
        assert_eq!(without_time(world.originals()), without_time(expected), "{}", self.file);
    }
}

/// The records of JSON Lines, of an array, or of one object.
fn json_records(bytes: &[u8]) -> Vec<Value> {
    let values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    values
        .flat_map(|value| match value.unwrap() {
            Value::Array(records) => records,
            record => vec![record],
        })
        .collect()
}

/// An event has these values, and none where null is asked for.
#[track_caller]
fn has_columns(what: &str, event: &Value, columns: &Value) {
    for (column, expected) in columns.as_object().unwrap() {
        assert_eq!(normal(&event[column]), normal(expected), "{what}, `{column}` of {event:#}");
    }
}

#[test]
fn agent_change_log() {
    let base = json!({"session": "abc123def456", "entity_type": null});
    let event = |more: Value| {
        let mut columns = base.clone();
        columns.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        columns
    };
    Case::new("agent_entry.json", "json", "timestamp", vec![event(json!({
        "ts": "2025-11-05T17:30:45.123456Z", "event_id": "a1b2c3d4e5f6g7h8", "source": "prime-spark-agent",
        "kind": "file_update", "level": "info", "severity": 9, "message": "Updated configuration file",
        "entity_type": "file", "entity_id": "/path/to/file.py", "before": "\"...\"", "after": "\"...\"",
        "file_hash_before": "sha256:...", "file_hash_after": "sha256:...", "file_size_before": 1234,
        "file_size_after": 1456, "actor": null,
    }))]).check();
    Case::new("agent_calls.jsonl", "jsonl", "timestamp", vec![
        event(json!({"kind": "file_update", "entity_type": "file", "entity_id": "/path/to/file.py",
            "before": "\"old content\"", "after": "\"new content\"", "file_size_after": 11, "source": "my-agent"})),
        event(json!({"kind": "agent_decision", "decision": "Deploy to production", "context_tests_passed": true,
            "context_approved_by": "user", "reasoning": "All tests passed and approval received", "entity_id": null,
            "before": null})),
        event(json!({"kind": "system_command", "command": "docker-compose up -d", "exit_code": 0,
            "output": "Service started successfully"})),
        event(json!({"kind": "api_call", "endpoint": "/api/v1/models", "method": "POST", "request_data_model": "gpt-4",
            "response_data_status": "success", "status": null, "status_code": 200})),
        event(json!({"kind": "agent_decision", "source": "my-agent-v1", "context_task_id": 7,
            "context_priority": "high", "level": "info"})),
        event(json!({"level": "error", "severity": 17, "error": "division by zero"})),
        event(json!({"kind": "deployment", "files": ["api/main.py", "api/db.py"]})),
    ]).check();
}

#[test]
fn activity_log() {
    let created = json!({"event_id": "1", "ts": "2025-11-05T02:30:00Z", "kind": "CREATE", "entity_type": "order",
        "entity_id": "55", "actor": "admin", "message": "Created order for customer #112", "ip_address": null});
    let shipped = json!({"event_id": "501", "ts": "2025-11-05T02:45:00Z", "kind": "UPDATE", "entity_type": "order",
        "entity_id": "55", "actor": "admin", "old_status": "PROCESSING", "new_status": "SHIPPED", "status": null});
    let response = json_records(&data("replaces/activity_response.json")).remove(0);
    Case::new("activity_response.json", "json", "timestamp", vec![created])
        .of(response["logs"].as_array().unwrap().clone())
        .check();
    let live = json_records(&data("replaces/activity_live.json")).remove(0);
    Case::new("activity_live.json", "json", "timestamp", vec![shipped])
        .of(live["data"].as_array().unwrap().clone())
        .check();
    Case::new(
        "activity_stats.json",
        "json",
        "",
        vec![json!({"total_logs": 500, "recent_24h": 45,
        "by_event_type_PAYMENT": 100, "by_entity_type_order": 180})],
    )
    .check();
    Case::new("activity_calls.jsonl", "jsonl", "timestamp", vec![
        json!({"kind": "CREATE", "actor": "admin", "entity_type": "order", "entity_id": "123",
            "details": "Order created successfully"}),
        json!({"kind": "UPDATE", "details": "Order status updated", "old_status": "PENDING", "items_count": 3}),
        json!({"kind": "PAYMENT", "entity_type": "payment", "message": "Paid", "actor": "admin"}),
    ]).check();
}

/// The rows of the table, in the two forms in which PostgreSQL gives them.
#[test]
fn activity_log_rows() {
    let created = json!({"event_id": "1", "ts": "2025-11-05T02:30:00Z", "kind": "CREATE", "actor": "admin",
        "entity_type": "order", "entity_id": "55", "message": "Created order for customer #112"});
    let shipped = json!({"event_id": "501", "kind": "UPDATE", "old_status": "PROCESSING", "status": null});
    let row = |id: i64, kind: &str, entity: [Value; 2], user: Value, text: Value, more: [Value; 3]| {
        let [metadata, ip, agent] = more;
        let [entity_type, entity_id] = entity;
        json!({"id": id, "timestamp": "", "event_type": kind, "entity_type": entity_type, "entity_id": entity_id,
            "user_id": user, "description": text, "metadata": metadata, "ip_address": ip, "user_agent": agent})
    };
    let agent = json!("Mozilla/5.0 (X11; Linux x86_64)");
    let statuses = json!({"old_status": "PROCESSING", "new_status": "SHIPPED"});
    let first = |id: Value| {
        row(
            1,
            "CREATE",
            [json!("order"), id],
            json!("admin"),
            json!("Created order for customer #112"),
            [json!(null), json!(null), json!(null)],
        )
    };
    let second = |id: Value, text: &str| {
        row(
            501,
            "UPDATE",
            [json!("order"), id],
            json!("admin"),
            json!(text),
            [statuses.clone(), json!("192.168.1.100"), agent.clone()],
        )
    };
    let mut rows = vec![
        // A column of whole numbers is one of numbers.
        first(json!(55)),
        second(json!(55), "Updated order status\nto SHIPPED"),
        row(
            502,
            "DELETE",
            [json!("product"), json!(null)],
            json!(null),
            json!(null),
            [json!({}), json!("::1"), json!("")],
        ),
    ];
    for (row, at) in rows.iter_mut().zip(["02:30:00.123456", "02:45:00.5", "02:46:00"]) {
        row["created_at"] = json!(format!("2025-11-05 {at}"));
    }
    Case::new("activity_logs.copy", "copy", "timestamp", vec![
        created.clone(), shipped.clone(),
        json!({"kind": "DELETE", "entity_type": "product", "actor": null, "message": null, "user_agent": "",
            "ip_address": "::1", "created_at": "2025-11-05 02:46:00"}),
    ]).of(rows).check();
    Case::new("activity_logs.csv", "csv", "timestamp", vec![created, shipped, json!({"kind": "PAYMENT",
        "entity_type": "shipment", "entity_id": "A-7", "actor": null, "message": "two\nlines", "user_agent": ""})])
    .of(vec![
        first(json!("55")),
        second(json!("55"), "Updated order status to \"SHIPPED\", at last"),
        row(502, "PAYMENT", [json!("shipment"), json!("A-7")], json!(null), json!("two\nlines"),
            [json!({}), json!("::1"), json!("")]),
    ]).check();
}

#[test]
fn action_log() {
    let action = json!({"event_id": "550e8400-e29b-41d4-a716-446655440000", "ts": "2024-01-15T10:30:00Z",
        "kind": "crm_create", "source": "hubspot", "status": "success", "duration_ms": 245.0, "error_message": null,
        "tenant_id": "123e4567-e89b-12d3-a456-426614174000"});
    Case::new("action_list.json", "json", "created_at", vec![action.clone()]).check();
    let mut details = action.clone();
    details["request_payload_email"] = json!("john.doe@example.com");
    details["response_data_properties_hs_object_id"] = json!("12345");
    details["response_data_id"] = json!("12345");
    details["updated_at"] = json!("2024-01-15T10:30:00Z");
    Case::new("action_details.json", "json", "created_at", vec![details]).check();
    Case::new(
        "action_stats.json",
        "json",
        "",
        vec![json!({"total_actions": 1523, "average_execution_time_ms": 234.56,
        "actions_by_type_helpdesk_create_ticket": 180, "actions_by_provider_google": 90})],
    )
    .check();
    Case::new("adapter_calls.jsonl", "jsonl", "created_at", vec![
        json!({"kind": "crm_create", "source": "hubspot", "duration_ms": 12.5, "status": "success"}),
        json!({"kind": "create", "entity_type": "tenant", "entity_id": "t-1", "actor": "admin@example.com",
            "data_slug": "n", "user_agent": "curl/8.0"}),
        json!({"kind": "update", "before": "{\"name\": \"Old Name\"}", "after": "{\"name\": \"New Name\"}"}),
        json!({"kind": "delete", "entity_type": "api_key", "entity_id": "key-12345", "data_key_hash": "..."}),
    ]).check();
}

const TENANT: &str = "123e4567-e89b-12d3-a456-426614174000";

#[test]
fn audit_log() {
    let audit = json!({"event_id": "660e8400-e29b-41d4-a716-446655440001", "ts": "2024-01-15T10:35:00Z",
        "kind": "update", "entity_type": "tenant", "entity_id": TENANT, "actor": "admin@example.com",
        "before": "{\"name\": \"Old Name\"}", "after": "{\"name\": \"New Name\"}", "ip_address": "192.168.1.100"});
    Case::new("audit_list.json", "json", "created_at", vec![audit.clone()]).check();
    let changes = json!({"before": {"name": "Old Name"}, "after": {"name": "New Name"}});
    let record = |agent: Value, metadata: Value| {
        json!({"id": "660e8400-e29b-41d4-a716-446655440001", "tenant_id": TENANT, "user_id": "admin@example.com",
            "action": "update", "resource_type": "tenant", "resource_id": TENANT, "changes": changes,
            "ip_address": "192.168.1.100", "user_agent": agent, "metadata": metadata, "created_at": ""})
    };
    Case::new("audit_logs.csv", "csv", "created_at", vec![audit.clone()])
        .of(vec![record(json!(null), json!(null))])
        .check();
    let mut updated = record(json!("curl/8.0"), json!({"reason": "rename"}));
    updated["updated_at"] = json!("2024-01-15 10:35:00");
    let action = |id: &str, kind: &str, provider: &str, more: Value| {
        let mut record = json!({"id": format!("550e8400-e29b-41d4-a716-{id}"), "tenant_id": TENANT,
            "action_type": kind, "provider_name": provider, "created_at": ""});
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        record
    };
    Case::new("adapter_dump.sql", "copy", "created_at", vec![
        json!({"kind": "crm_create", "source": "hubspot", "duration_ms": 245.0, "request_payload_firstname": "John"}),
        json!({"kind": "email_send", "source": "google", "status": "failure", "error_message": "connection reset\tby peer"}),
        audit,
        json!({"kind": "delete", "entity_type": "api_key", "entity_id": "key-12345", "actor": null, "before": null}),
    ]).of(vec![
        action("446655440000", "crm_create", "hubspot", json!({
            "request_payload": {"email": "john.doe@example.com", "lastname": "Doe", "firstname": "John"},
            "response_data": {"id": "12345", "properties": {"a": [1, 2.5, null]}}, "status": "success",
            "error_message": null, "execution_time_ms": 245, "metadata": {}, "updated_at": "2024-01-15 10:30:00"})),
        action("446655440001", "email_send", "google", json!({"request_payload": {}, "response_data": null,
            "status": "failure", "error_message": "connection reset\tby peer", "execution_time_ms": 2001,
            "metadata": null, "updated_at": "2024-01-15 10:31:02"})),
        updated,
        json!({"id": "660e8400-e29b-41d4-a716-446655440002", "tenant_id": TENANT, "user_id": null,
            "action": "delete", "resource_type": "api_key", "resource_id": "key-12345", "changes": null,
            "ip_address": null, "user_agent": null, "metadata": null, "created_at": "",
            "updated_at": "2024-01-15 10:36:00"}),
    ]).check();
}

#[test]
fn game_bot_change_log() {
    Case::new("game_bot.jsonl", "jsonl", "timestamp", vec![
        json!({"ts": "2026-02-03T10:30:45.123456Z", "kind": "pack_creation", "category_name": "Pack Creation",
            "message": "Created pack: Drake (Community)", "actor": "12345", "level": "high", "severity": 17,
            "severity_emoji": "ðŸŸ\u{a0}", "pack_id": "pack_123", "artist": "Drake", "type": "community"}),
        json!({"ts": "2026-02-03T10:31:20.654321Z", "kind": "card_generation", "card_count": 5, "actor": "12345"}),
    ]).check();
    Case::new("game_bot_calls.jsonl", "jsonl", "timestamp", vec![
        json!({"kind": "user_action", "level": "medium", "severity": 13, "cards_received": 5}),
        json!({"kind": "system_event", "event_type": "database_migration", "tables": 5, "records": 10000, "actor": null}),
        json!({"kind": "error", "severity": 17, "error_type": "YouTube API Error", "retry_after": 3600}),
        json!({"kind": "security", "actor": "9007199254740993", "level": "critical", "severity": 21}),
    ]).check();
}

#[test]
fn discord_channel_log() {
    Case::new("discord_calls.jsonl", "jsonl", "time", vec![
        json!({"ts": "2026-02-03T09:00:00Z", "kind": "invoice_created", "channel": "finance", "amount": 1500.0,
            "invoice_id": "INV001", "client": "Client Name", "message": "Invoice INV001 for Client Name"}),
        json!({"kind": "system_event", "details": "Scheduled backup completed"}),
        json!({"kind": "user_action", "invoice_id_2": "INV001", "request_method": "POST", "request_ip": "192.0.2.7",
            "request_session_user": "jan", "actor": null}),
        json!({"kind": "error", "level": "error", "severity": 17, "context": "Invoice Processing",
            "exception": "ZeroDivisionError"}),
        json!({"kind": "performance_warning", "severity": 13, "value": 2.5, "threshold": 1.0, "source": "s",
            "duration_ms": 2500.0}),
    ]).check();
}

/// One record for each combination of the values of two fields, and the columns that these values must be in.
fn check_values(fields: [(&str, &str, &str); 2], severities: &[(&str, i64)]) {
    let world = World::new();
    let [(first, first_column, firsts), (second, second_column, seconds)] = fields;
    let mut records = Vec::new();
    for (number, (a, b)) in
        firsts.split_whitespace().flat_map(|a| seconds.split_whitespace().map(move |b| (a, b))).enumerate()
    {
        records.push(json!({"timestamp": format!("2026-02-03T10:{:02}:{:02}Z", number / 60, number % 60), first: a, second: b}));
    }
    let text: String = records.iter().map(|record| format!("{record}\n")).collect();
    let receipt = world.ingest("values.jsonl", text);
    assert_eq!(counts(&receipt), [records.len() as u64, records.len() as u64, 0, 0]);
    for (event, record) in world.events().iter().zip(&records) {
        has_columns("values", event, &json!({first_column: record[first], second_column: record[second]}));
        let severity = severities.iter().find(|(word, _)| record[first] == *word || record[second] == *word);
        assert_eq!(event["severity"].as_i64(), severity.map(|(_, number)| *number), "{event}");
    }
    assert_eq!(sorted(&world.originals()), sorted(&records));
}

const CHANGE_TYPES: &str = "file_create file_update file_delete git_commit git_push api_call system_command \
    agent_decision config_change model_inference database_write service_start service_stop deployment";
const ACTION_TYPES: &str = "crm_create crm_update crm_delete crm_get crm_list crm_search helpdesk_create_ticket \
    helpdesk_update_ticket helpdesk_get_ticket helpdesk_list_tickets helpdesk_add_comment calendar_create_event \
    calendar_update_event calendar_delete_event calendar_get_event calendar_list_events email_send email_get \
    email_list email_search knowledge_store knowledge_search knowledge_get knowledge_delete";
const CATEGORIES: &str = "pack_creation card_generation user_action system_event error security payment \
    admin_action deployment database";

#[test]
fn every_value_that_the_documents_list() {
    check_values(
        [("change_type", "kind", CHANGE_TYPES), ("level", "level", "debug info warning error critical")],
        &[("debug", 5), ("info", 9), ("warning", 13), ("error", 17), ("critical", 21)],
    );
    check_values(
        [
            ("action_type", "kind", ACTION_TYPES),
            ("status", "status", "pending success failure timeout retry"),
        ],
        &[],
    );
    check_values(
        [("category", "kind", CATEGORIES), ("severity", "level", "critical high medium low")],
        &[("critical", 21), ("high", 17), ("medium", 13), ("low", 9)],
    );
    let entities = ("entity_type", "entity_type", "order customer product shipment payment");
    check_values([("event_type", "kind", "CREATE UPDATE DELETE PAYMENT"), entities], &[]);
}
