//! Statements: the text, and the tree that the engine gives of it.

use daybook::query::{prune, sql, statement};

/// Takes a statement apart, and looks at it as a tree.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(statement) = statement::split(text) {
        assert!(text.ends_with(statement.body));
    }
    let _ = statement::check(text, text);
    let _ = prune::span_of(text, 0);
    let literal = sql::literal(text);
    assert_eq!(literal.matches('\'').count() % 2, 0);
    assert_eq!(sql::identifier(text).matches('"').count() % 2, 0);
}
