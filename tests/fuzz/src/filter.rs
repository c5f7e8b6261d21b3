//! Filters: text and JSON are read or refused, and what is printed reads as the same.

use daybook::event::TableSchema;
use daybook::event::catalogue::Catalogue;
use daybook::query::filter::{Columns, Context, Filter, compile};

/// 2026-02-03.
const NOW_US: i64 = 1_770_076_800_000_000;

/// Reads an input as a filter's text, and as its JSON.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let catalogue = Catalogue::new(100);
    let schema = catalogue.schema();
    let context = Context::new(NOW_US);
    match Filter::parse(text, &context) {
        Ok(filter) => check_filter(&filter, schema),
        Err(error) => {
            assert!(error.at.is_none_or(|at| text.is_char_boundary(at)), "{error:?} points into a character");
            let rendered = error.render(text);
            assert!(!rendered.is_empty() && !rendered.contains('\u{1b}'), "{rendered:?}");
        }
    }
    for name in ["kind", "message", "duration_ms", "ts"] {
        if let Ok(filter) = Filter::flag(name, text, &context) {
            check_filter(&filter, schema);
        }
    }
    if let Ok(json) = serde_json::from_str(text)
        && let Ok(filter) = Filter::from_json(&json, &context)
    {
        check_filter(&filter, schema);
    }
}

fn check_filter(filter: &Filter, schema: &TableSchema) {
    let printed = filter.to_string();
    let limits = printed.len() <= daybook::query::filter::BYTES_MAX;
    if limits {
        let read = Filter::parse(&printed, &Context::without_clock());
        assert_eq!(read.as_ref(), Ok(filter), "{printed}");
    }
    let json = serde_json::to_string(filter).expect("a filter has a JSON form");
    let read: Filter = serde_json::from_str(&json).expect("the JSON form can be read");
    assert_eq!(read, *filter, "{json}");
    if let Ok(compiled) = compile(filter, &Columns { lenient: true, ..Columns::of(schema) }) {
        assert_eq!(compiled.sql.matches('\'').count() % 2, 0, "{}", compiled.sql);
    }
}
