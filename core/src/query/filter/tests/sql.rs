use super::super::{Columns, TsSpan, compile};
use super::{compiled, parse, table, us};
use crate::event::column::FieldPath;
use crate::query::view::{Mixed, MixedField};
use serde_json::{Value as Json, json};

fn check(text: &str, sql: &str, parameters: Json) {
    let compiled = compiled(text).unwrap_or_else(|error| panic!("{}", error.render(text)));
    assert_eq!(compiled.sql, sql, "{text}");
    check_parameters(text, &compiled.parameters, parameters);
}

fn check_parameters(text: &str, parameters: &[(String, Json)], expected: Json) {
    let names: Vec<String> = (1..=parameters.len()).map(|number| format!("p{number}")).collect();
    assert_eq!(parameters.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), names, "{text}");
    let values: Vec<Json> = parameters.iter().map(|(_, value)| value.clone()).collect();
    assert_eq!(Json::from(values), expected, "{text}");
}

#[test]
fn fields() {
    check("kind:a", "kind = $p1", json!(["a"]));
    check("type:a", "kind = $p1", json!(["a"]));
    check("\"type\":a", "type = $p1", json!(["a"]));
    check("KIND:a", "kind = $p1", json!(["a"]));
    check("kind:a,b", "kind IN ($p1, $p2)", json!(["a", "b"]));
    check("-kind:a", "((kind = $p1) IS NOT TRUE)", json!(["a"]));
    check("actor:12345", "actor = $p1", json!(["12345"]));
    check("entity_id>=m", "entity_id >= $p1", json!(["m"]));
    check("artist:*", "artist IS NOT NULL", json!([]));
    check("metadata.artist:x", "artist = $p1", json!(["x"]));
    check("a.b:x", "a_b = $p1", json!(["x"]));
    check("labels.a.b:x", "a_b = $p1", json!(["x"]));
    check("http.status:404", "http_status = $p1", json!([404]));
    check("\"http.status\":404", "http_status_2 = $p1", json!([404]));
    check("offset:5", "offset_ = $p1", json!([5]));
    check("user-agent:x", "\"user-agent\" = $p1", json!(["x"]));
    check("größe:5", "\"größe\" = $p1", json!([5]));
    check("\"it's \\\"so\\\"\":x", "\"it's \"\"so\"\"\" = $p1", json!(["x"]));
    check("user_id:5", "actor = $p1", json!(["5"]));
    check("log.level:banana", "lower(level) = lower($p1)", json!(["banana"]));
    check("\"userId\":5", "actor = $p1", json!(["5"]));
    check("time>=2026-02-03", "ts >= TIMESTAMP '2026-02-03 00:00:00'", json!([]));
    check("recorded_at>=2026-02-03", "recorded_at >= TIMESTAMP '2026-02-03 00:00:00'", json!([]));
    check("rest:*", "rest IS NOT NULL", json!([]));
}

#[test]
fn numbers() {
    check("amount>=12.5", "amount >= $p1", json!([12.5]));
    check("amount:12", "amount = $p1", json!([12.0]));
    check("count>12.5", "count >= $p1", json!([13]));
    check("count>=12.5", "count >= $p1", json!([13]));
    check("count<12.5", "count <= $p1", json!([12]));
    check("count<=-12.5", "count <= $p1", json!([-13]));
    check("count:12.5", "FALSE", json!([]));
    check("count:12.0", "count = $p1", json!([12]));
    check("count:9007199254740993", "count = $p1", json!([9_007_199_254_740_993_i64]));
    check("count>1e30", "FALSE", json!([]));
    check("count<1e30", "count IS NOT NULL", json!([]));
    check("count>-1e30", "count IS NOT NULL", json!([]));
    check("count<-1e30", "FALSE", json!([]));
    check("count:1,2", "(count = $p1 OR count = $p2)", json!([1, 2]));
    check("count:4??", "regexp_full_match(CAST(count AS VARCHAR), $p1, 's')", json!(["4.."]));
    check("count:5*", "starts_with(CAST(count AS VARCHAR), $p1)", json!(["5"]));
    check("duration_ms>=1.5s", "duration_ms >= $p1", json!([1500.0]));
    check("duration_ms>=250", "duration_ms >= $p1", json!([250.0]));
    check("duration>2m", "duration_ms > $p1", json!([120_000.0]));
    check("seq:5", "seq = $p1", json!([5]));
    check("status:success", "status = $p1", json!(["success"]));
    check("status:404", "(status = $p2 OR status_code = $p1)", json!([404, "404"]));
    check("status>=500", "status_code >= $p1", json!([500]));
    check("\"status\":404", "status_code = $p1", json!([404]));
}

#[test]
fn truth_values_lists_and_times() {
    check("flag:true", "flag = $p1", json!([true]));
    check("flag:NO", "flag = $p1", json!([false]));
    check("tags:x", "list_contains(tags, $p1)", json!(["x"]));
    check("tags:x,y", "(list_contains(tags, $p1) OR list_contains(tags, $p2))", json!(["x", "y"]));
    check("-tags:x", "((list_contains(tags, $p1)) IS NOT TRUE)", json!(["x"]));
    check("tags:x*", "len(list_filter(tags, lambda element: starts_with(element, $p1))) > 0", json!(["x"]));
    check("scores>=0.5", "len(list_filter(scores, lambda element: element >= $p1)) > 0", json!([0.5]));
    check("scores:1", "list_contains(scores, $p1)", json!([1.0]));
    check("ports:80", "list_contains(ports, $p1)", json!([80]));
    check("ports:80.5", "FALSE", json!([]));
    check("flags:true", "list_contains(flags, $p1)", json!([true]));
    check(
        "times:2026-02-03",
        "len(list_filter(times, lambda element: (element >= TIMESTAMP '2026-02-03 00:00:00' AND element < TIMESTAMP \
         '2026-02-04 00:00:00'))) > 0",
        json!([]),
    );
    check("paid_at>yesterday", "paid_at >= TIMESTAMP '2026-02-03 00:00:00'", json!([]));
    check("paid_at<=-1h", "paid_at < TIMESTAMP '2026-02-03 09:30:00.000001'", json!([]));
}

#[test]
fn severities() {
    check("severity>=error", "severity >= 17", json!([]));
    check("severity>error", "severity > 20", json!([]));
    check("severity<error", "severity < 17", json!([]));
    check("severity<=warning", "severity <= 16", json!([]));
    check("severity:error", "(severity >= 17 AND severity <= 20)", json!([]));
    check("level:Error", "(severity >= 17 AND severity <= 20)", json!([]));
    check(
        "level:info,debug",
        "((severity >= 9 AND severity <= 12) OR (severity >= 5 AND severity <= 8))",
        json!([]),
    );
    check("level:critical", "(severity >= 21 AND severity <= 24)", json!([]));
    check("level:notice", "severity = 10", json!([]));
    check("level:ERROR2", "severity = 18", json!([]));
    check("level>=notice", "severity >= 10", json!([]));
    check("level!=error", "(((severity >= 17 AND severity <= 20)) IS NOT TRUE)", json!([]));
    check("level:Verbose2", "lower(level) = lower($p1)", json!(["Verbose2"]));
    check("level:30", "lower(level) = lower($p1)", json!(["30"]));
    check("level>=40", "severity >= 13", json!([]));
    check("level:W*", "starts_with(lower(level), lower($p1))", json!(["W"]));
    check("severity:17", "severity = $p1", json!([17]));
    check("severity>=13", "severity >= $p1", json!([13]));
    check("is:error", "(severity >= 17 OR status IN ('failure', 'failed', 'error', 'timeout'))", json!([]));
    check(
        "error:false",
        "(((severity >= 17 OR status IN ('failure', 'failed', 'error', 'timeout'))) IS NOT TRUE)",
        json!([]),
    );
    check("error:x", "error = $p1", json!(["x"]));
}

#[test]
fn messages() {
    check("Timeout", "contains(lower(message), lower($p1))", json!(["Timeout"]));
    check("\"rate limit\"", "contains(lower(message), lower($p1))", json!(["rate limit"]));
    check("time*", "contains(lower(message), lower($p1))", json!(["time"]));
    check("?out", "regexp_full_match(message, $p1, 'si')", json!([".*.out.*"]));
    check("t*o.t", "regexp_full_match(message, $p1, 'si')", json!([".*t.*o\\.t.*"]));
    check("/time ?out/", "regexp_matches(message, $p1)", json!(["time ?out"]));
    check("message=x", "message = $p1", json!(["x"]));
    check("message=x*", "starts_with(message, $p1)", json!(["x"]));
    check("artist:*x", "ends_with(artist, $p1)", json!(["x"]));
    check("artist:*x*", "contains(artist, $p1)", json!(["x"]));
    check("artist:x*y", "regexp_full_match(artist, $p1, 's')", json!(["x.*y"]));
    check("artist:a,b*", "(artist = $p1 OR starts_with(artist, $p2))", json!(["a", "b"]));
    check("artist:/^D/", "regexp_matches(artist, $p1)", json!(["^D"]));
    check("count:/^4/", "regexp_matches(CAST(count AS VARCHAR), $p1)", json!(["^4"]));
}

#[test]
fn files_and_entities() {
    check("file:api/", "(entity_type = 'file' AND starts_with(entity_id, $p1))", json!(["api/"]));
    check(
        "file:api",
        "(entity_type = 'file' AND (entity_id = $p1 OR starts_with(entity_id, $p2)))",
        json!(["api", "api/"]),
    );
    check("file:*.rs", "(entity_type = 'file' AND ends_with(entity_id, $p1))", json!([".rs"]));
    check("\"file\":x", "file = $p1", json!(["x"]));
    check("entity:order:42", "(entity_type = $p1 AND entity_id = $p2)", json!(["order", "42"]));
}

#[test]
fn times_become_comparisons_and_a_span() {
    let check = |text: &str, sql: &str, from: Option<&str>, until: Option<&str>| {
        let compiled = compiled(text).unwrap();
        assert_eq!(compiled.sql, sql, "{text}");
        let span = TsSpan { from: from.map_or(i64::MIN, us), until: until.map_or(i64::MAX, us) };
        assert_eq!(compiled.span.unwrap_or(TsSpan { from: i64::MIN, until: i64::MAX }), span, "{text}");
    };
    let (first, second, third) = ("2026-02-01", "2026-02-02", "2026-02-03");
    let at = |day: &str| format!("TIMESTAMP '{day} 00:00:00'");
    let ge = |day: &str| format!("ts >= {}", at(day));
    let lt = |day: &str| format!("ts < {}", at(day));
    check("since:2026-02-01", &ge(first), Some(first), None);
    check("until:2026-02-01", &lt(first), None, Some(first));
    check("-since:2026-02-01", &lt(first), None, Some(first));
    check("-until:2026-02-01", &ge(first), Some(first), None);
    check("day:2026-02-01", &format!("({} AND {})", ge(first), lt(second)), Some(first), Some(second));
    check(
        "day:2026-02-01 or since:2026-02-03",
        &format!("(({} AND {}) OR {})", ge(first), lt(second), ge(third)),
        Some(first),
        None,
    );
    check("since:2026-02-01 or kind:a", &format!("({} OR kind = $p1)", ge(first)), None, None);
    check("since:2026-02-01 kind:a", &format!("({} AND kind = $p1)", ge(first)), Some(first), None);
    check(
        "-(since:2026-02-02 or kind:a)",
        &format!("((({} OR kind = $p1)) IS NOT TRUE)", ge(second)),
        None,
        Some(second),
    );
    check(
        "-(since:2026-02-02 kind:a)",
        &format!("((({} AND kind = $p1)) IS NOT TRUE)", ge(second)),
        None,
        None,
    );
    check(
        "until:2026-02-01 since:2026-02-03",
        &format!("({} AND {})", lt(first), ge(third)),
        Some(third),
        Some(first),
    );
    check(
        "(until:2026-02-01 since:2026-02-03) or day:2026-02-01",
        &format!("(({} AND {}) OR ({} AND {}))", lt(first), ge(third), ge(first), lt(second)),
        Some(first),
        Some(second),
    );
    check("-kind:a", "((kind = $p1) IS NOT TRUE)", None, None);
    check("*", "TRUE", None, None);
    let nothing = compiled("-*").unwrap();
    assert_eq!(nothing.sql, "((TRUE) IS NOT TRUE)");
    assert!(nothing.span.is_some_and(|span| span.from >= span.until));
}

#[test]
fn a_span_can_be_had_with_both_ends() {
    assert_eq!(TsSpan { from: 5, until: 7 }.both_included(), (5, 6));
    assert_eq!(TsSpan { from: i64::MIN, until: i64::MAX }.both_included(), (i64::MIN, i64::MAX));
}

#[test]
fn boolean_structure() {
    check(
        "a b",
        "(contains(lower(message), lower($p1)) AND contains(lower(message), lower($p2)))",
        json!(["a", "b"]),
    );
    check(
        "kind:a or kind:b source:c",
        "(kind = $p1 OR (kind = $p2 AND source = $p3))",
        json!(["a", "b", "c"]),
    );
    check(
        "(kind:a or kind:b) source:c",
        "((kind = $p1 OR kind = $p2) AND source = $p3)",
        json!(["a", "b", "c"]),
    );
    check("-(kind:a or source:c)", "(((kind = $p1 OR source = $p2)) IS NOT TRUE)", json!(["a", "c"]));
}

#[test]
fn a_lenient_filter_matches_nothing_where_no_field_is() {
    let schema = table();
    let columns = Columns { lenient: true, ..Columns::of(&schema) };
    let sql = |text: &str| compile(&parse(text).unwrap(), &columns).unwrap().sql;
    assert_eq!(sql("nowhere:x"), "FALSE");
    assert_eq!(sql("nowhere:*"), "FALSE");
    assert_eq!(sql("-nowhere:x kind:a"), "(((FALSE) IS NOT TRUE) AND kind = $p1)");
}

#[test]
fn fields_of_mixed_type_compare_as_the_view_shows_them() {
    let schema = table();
    let field = |column: &str, key: &str, reads| MixedField {
        column: column.into(),
        path: FieldPath::new([key]),
        reads,
    };
    let mixed = [
        field("count", "count", Mixed::Double),
        field("amount", "amount", Mixed::Text),
        field("flag", "flag", Mixed::Text),
        field("tags", "tags", Mixed::Text),
        field("ports", "ports", Mixed::Text),
        field("paid_at", "paid_at", Mixed::Text),
    ];
    let columns = Columns { mixed: &mixed, context: super::context(), ..Columns::of(&schema) };
    let check = |text: &str, sql: &str, parameters: Json| {
        let compiled = compile(&parse(text).unwrap(), &columns).unwrap();
        assert_eq!(compiled.sql, sql, "{text}");
        check_parameters(text, &compiled.parameters, parameters);
    };
    check("count>12.5", "count > $p1", json!([12.5]));
    check("amount:many", "amount = $p1", json!(["many"]));
    check("amount:12", "(amount = $p1 OR TRY_CAST(amount AS DOUBLE) = $p2)", json!(["12", 12.0]));
    check("flag:true", "flag = $p1", json!(["true"]));
    check("tags:x", "(tags = $p1 OR list_contains(TRY_CAST(tags AS VARCHAR[]), $p2))", json!(["x", "x"]));
    check(
        "ports:80",
        "(ports = $p1 OR list_contains(TRY_CAST(ports AS DOUBLE[]), $p2))",
        json!(["80", 80.0]),
    );
    check(
        "tags:x*",
        "(starts_with(tags, $p1) OR len(list_filter(TRY_CAST(tags AS VARCHAR[]), lambda element: starts_with(element, \
         $p2))) > 0)",
        json!(["x", "x"]),
    );
    let compiled = compile(&parse("amount>=12").unwrap(), &columns).unwrap();
    assert!(compiled.sql.contains("TRY_CAST(amount AS DOUBLE) >= $p"), "{compiled:?}");
    let compiled = compile(&parse("paid_at>=2026-02-03").unwrap(), &columns).unwrap();
    assert!(
        compiled.sql.contains("TRY_CAST(paid_at AS TIMESTAMP) >= TIMESTAMP '2026-02-03 00:00:00'"),
        "{compiled:?}"
    );
}
