use super::{context, parse, table};
use crate::event::column::FieldPath;
use crate::query::filter::{Columns, compile};
use crate::query::view::{Mixed, MixedField};

/// The keys and the columns of a filter, as text: `column=value|column=value`, and names.
fn of(text: &str) -> (Vec<String>, Vec<String>) {
    let schema = table();
    let mixed =
        [MixedField { column: "artist".into(), path: FieldPath::new(["artist"]), reads: Mixed::Text }];
    let columns = Columns { mixed: &mixed, context: context(), ..Columns::of(&schema) };
    let compiled = compile(&parse(text).unwrap(), &columns).unwrap();
    let any = |any: Vec<(String, String)>| {
        let pairs: Vec<String> = any.iter().map(|(column, value)| format!("{column}={value}")).collect();
        pairs.join("|")
    };
    (compiled.keys.into_iter().map(any).collect(), compiled.columns.into_iter().collect())
}

#[test]
fn a_key_is_a_value_without_which_nothing_matches() {
    let check = |text: &str, keys: &[&str]| assert_eq!(of(text).0, keys, "{text}");
    check("event_id:a", &["event_id=a"]);
    check("event_id:a,b", &["event_id=a|event_id=b"]);
    check("session:s kind:k", &["session=s", "kind=k"]);
    check("session:s or trace_id:t", &["session=s|trace_id=t"]);
    check("session:s or (trace_id:t kind:a,b)", &["session=s|trace_id=t"]);
    check("(session:s or count:5) kind:k", &["kind=k"]);
    // What may also match without the value has no key.
    for text in [
        "*",
        "-session:s",
        "not (session:s)",
        "session:s or x",
        "session:s*",
        "session:/s/",
        "session>s",
        "session:*",
        "level:error",
        "status:404",
        "count:5",
        "artist:x",
        "tags:a",
        "file:api/",
        "recorded_at:2026-01-01",
    ] {
        check(text, &[]);
    }
    let many: Vec<String> = (0..65).map(|number| format!("v{number}")).collect();
    check(&format!("session:{}", many.join(",")), &[]);
}

#[test]
fn keys_decide_where_nothing_else_is_asked_for() {
    let check = |text: &str, expected: bool| {
        let schema = table();
        let columns = Columns { context: context(), ..Columns::of(&schema) };
        assert_eq!(compile(&parse(text).unwrap(), &columns).unwrap().keys_decide, expected, "{text}");
    };
    check("session:s", true);
    check("session:s,t kind:k", true);
    for text in ["session:s or kind:k", "session:s word", "session:s -kind:k", "session:s*", "level:error"] {
        check(text, false);
    }
}

#[test]
fn a_condition_reads_the_columns_of_its_fields() {
    let check = |text: &str, columns: &[&str]| assert_eq!(of(text).1, columns, "{text}");
    check("*", &[]);
    check("kind:a -actor:b since:2026-01-01", &["actor", "kind", "ts"]);
    check("level:error or severity>9", &["level", "severity"]);
    check("status:404", &["status", "status_code"]);
    check("is:error", &["severity", "status"]);
    check("failed word", &["message"]);
    check("file:api/", &["entity_id", "entity_type"]);
    check("artist:x", &["artist", "rest"]);
    check("recorded_at:2026-01-01", &["seq"]);
    check("http.status:5 count:*", &["count", "http_status"]);
}
