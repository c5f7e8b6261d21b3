//! Whether a query asks for all columns.

/// Whether the outermost SELECT of the text asks for `*`, or the query has no SELECT at all (`FROM events`).
/// It decides about looks only: whether columns without a value may be left out.
pub fn selects_all(sql: &str) -> bool {
    let words = outermost_words(sql);
    let starts_with_from = words.first().is_some_and(|word| word == "from");
    let star = words.iter().enumerate().any(|(place, word)| {
        let before = place.checked_sub(1).and_then(|place| words.get(place)).map(String::as_str);
        word == "*" && matches!(before, Some("select" | "all" | "distinct" | "," | "."))
    });
    star || (starts_with_from && !words.iter().any(|word| word == "select"))
}

/// The words and signs outside parentheses, in lowercase, without comments; text and quoted names are `''`.
fn outermost_words(sql: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut depth = 0_usize;
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let taken = token(rest);
        let (token, after) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        rest = after;
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let silent = c.is_whitespace() || token.starts_with("--") || token.starts_with("/*");
        if depth == 0 && !silent {
            words.push(if matches!(c, '\'' | '"') { "''".to_string() } else { token.to_lowercase() });
        }
    }
    words
}

/// The length of the token that the text starts with.
fn token(text: &str) -> usize {
    let end = |found: Option<usize>, mark: usize| found.map_or(text.len(), |place| place + mark);
    let Some(first) = text.chars().next() else { return 0 };
    let width = first.len_utf8();
    let inside = text.get(width..).unwrap_or_default();
    if text.starts_with("--") {
        return end(text.find('\n'), 1);
    }
    if text.starts_with("/*") {
        return end(text.find("*/"), 2);
    }
    if first == '\'' || first == '"' {
        return end(inside.find(first), 2 * width);
    }
    if first.is_alphanumeric() || first == '_' {
        return end(text.find(|c: char| !c.is_alphanumeric() && c != '_'), 0);
    }
    width
}

#[cfg(test)]
mod tests {
    use super::selects_all;

    #[test]
    fn a_star_of_the_outermost_select_asks_for_all() {
        for sql in [
            "SELECT * FROM events",
            "select\n  distinct * from events",
            "SELECT seq, * FROM events",
            "SELECT e.* FROM events e",
            "SELECT * EXCLUDE (seq) FROM events",
            "FROM events",
            "from events where kind = 'select'",
            "-- all\n/* of it */ SELECT * FROM events",
            "WITH x AS (SELECT a FROM t) SELECT * FROM x",
        ] {
            assert!(selects_all(sql), "{sql}");
        }
    }

    #[test]
    fn other_stars_do_not() {
        for sql in [
            "",
            "SELECT count(*) FROM events",
            "SELECT a * 2 FROM events",
            "SELECT '*' FROM events",
            "SELECT 'it''s, *', \", *\" FROM events",
            "WITH x AS (SELECT * FROM events) SELECT a FROM x",
            "FROM events SELECT kind",
            "SELECT a -- , *\nFROM events",
            "SELECT 'open, *",
            "SELECT /* , *",
        ] {
            assert!(!selects_all(sql), "{sql}");
        }
    }
}
