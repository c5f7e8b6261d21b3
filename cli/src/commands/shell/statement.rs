//! Where statements end.

/// The first statement of a text, without its semicolon, and what follows; `None` while it is not complete.
/// A command that begins with a dot ends with its line. `is_all`: nothing more will come.
pub fn first(text: &str, is_all: bool) -> Option<(String, String)> {
    let mut start = text.trim_start();
    while let Some(rest) = start.strip_prefix(';') {
        start = rest.trim_start();
    }
    if start.is_empty() {
        return None;
    }
    let ending = if start.starts_with('.') { start.find('\n') } else { end(start) };
    match ending {
        Some(ending) => {
            let (statement, rest) = start.split_at_checked(ending)?;
            let rest = rest.strip_prefix([';', '\n']).unwrap_or(rest);
            Some((statement.trim_end().to_string(), rest.to_string()))
        }
        None => (is_all && !is_blank(start)).then(|| (start.trim_end().to_string(), String::new())),
    }
}

/// Whether Enter runs what was typed, and does not begin a new line.
pub fn is_complete(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.starts_with('.') || is_blank(text) || end(text).is_some()
}

/// Whether the text is nothing but blanks and comments.
fn is_blank(text: &str) -> bool {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        match skip(rest) {
            Some((_, Some(after))) if is_comment(rest) => rest = after,
            Some((_, None)) if rest.starts_with("--") => return true,
            _ => return rest.is_empty(),
        }
    }
}

fn is_comment(text: &str) -> bool {
    text.starts_with("--") || text.starts_with("/*")
}

/// The position of the first semicolon outside of texts, names and comments.
fn end(text: &str) -> Option<usize> {
    let mut rest = text;
    let mut before = ' ';
    while let Some(letter) = rest.chars().next() {
        if letter == ';' {
            return Some(text.len().saturating_sub(rest.len()));
        }
        let escapes = letter == '\'' && matches!(before, 'e' | 'E');
        let after = if escapes { escaped_text(rest) } else { skip(rest).map(|(_, after)| after) };
        match after {
            Some(after) => rest = after?,
            None => rest = rest.get(letter.len_utf8()..).unwrap_or_default(),
        }
        before = letter;
    }
    None
}

/// What follows a text, a quoted name or a comment that begins here; nothing if it does not end.
fn skip(text: &str) -> Option<((), Option<&str>)> {
    let after = |mark: &str, skipped: usize| {
        let inside = text.get(skipped..).unwrap_or_default();
        inside.split_once(mark).map(|(_, after)| after)
    };
    let found = if text.starts_with("--") {
        after("\n", 2)
    } else if text.starts_with("/*") {
        after("*/", 2)
    } else if text.starts_with('\'') {
        after("'", 1)
    } else if text.starts_with('"') {
        after("\"", 1)
    } else if text.starts_with('$') {
        let tag = dollar_tag(text)?;
        after(tag, tag.len())
    } else {
        return None;
    };
    Some(((), found))
}

/// `$$` or `$tag$`, which begins a text that ends with the same.
fn dollar_tag(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('$')?;
    let (tag, _) = inside.split_once('$')?;
    let is_tag =
        tag.chars().all(|c| c.is_alphanumeric() || c == '_') && !tag.starts_with(|c: char| c.is_numeric());
    is_tag.then(|| text.get(..tag.len().saturating_add(2))).flatten()
}

/// What follows `'...'` in which a backslash takes the meaning of the next letter.
fn escaped_text(text: &str) -> Option<Option<&str>> {
    let mut escaped = false;
    for (position, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => return Some(text.get(position.saturating_add(1)..)),
            _ => {}
        }
    }
    Some(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let mut rest = text.to_string();
        let mut statements = Vec::new();
        while let Some((statement, after)) = first(&rest, true) {
            statements.push(statement);
            rest = after;
        }
        statements
    }

    #[test]
    fn statements_end_at_semicolons_outside_of_texts() {
        let check = |text: &str, expected: &[&str]| assert_eq!(all(text), expected, "{text}");
        check("SELECT 1; SELECT 2", &["SELECT 1", "SELECT 2"]);
        check("SELECT ';'; SELECT \";\";", &["SELECT ';'", "SELECT \";\""]);
        check("SELECT 'it''s;'; 2", &["SELECT 'it''s;'", "2"]);
        check("SELECT E'\\';'; 2", &["SELECT E'\\';'", "2"]);
        check("SELECT $$;$$ ; SELECT $a$;$$;$a$", &["SELECT $$;$$", "SELECT $a$;$$;$a$"]);
        check("SELECT $1; SELECT $name;", &["SELECT $1", "SELECT $name"]);
        check("-- ;\nSELECT 1 /* ; */ -- ;\n; 2", &["-- ;\nSELECT 1 /* ; */ -- ;", "2"]);
        check(";; ; SELECT 1;;", &["SELECT 1"]);
        check(".tables\nSELECT 1;\n.quit", &[".tables", "SELECT 1", ".quit"]);
        check("  \n-- nothing\n", &[]);
        check("SELECT 'open", &["SELECT 'open"]);
        check("SELECT é;SELECT ü", &["SELECT é", "SELECT ü"]);
    }

    #[test]
    fn what_is_not_complete_waits() {
        for text in ["SELECT 1", "SELECT ';", "SELECT /* ;", "SELECT \";", ".tables", "SELECT $$;", "", " \n"]
        {
            assert_eq!(first(text, false), None, "{text}");
        }
        assert!(["", ".help", "SELECT 1;", "-- x"].into_iter().all(is_complete));
        assert!(!["SELECT", "SELECT ';'", "SELECT ';"].into_iter().any(is_complete));
    }
}
