//! Commands for people to paste.

use std::path::Path;

/// A command of this program, as it was called, on a store if one is named.
pub fn command(store: Option<&Path>, words: &[&str]) -> String {
    let mut words = words.iter().map(|word| quoted(word));
    let mut line = vec![program()];
    line.extend(words.next());
    if let Some(store) = store {
        line.push("--store".to_string());
        line.push(quoted(&store.display().to_string()));
    }
    line.extend(words);
    line.join(" ")
}

fn program() -> String {
    match std::env::args().next() {
        Some(name) if name.contains('/') => quoted(&name),
        _ => "daybook".to_string(),
    }
}

/// The text as one word of a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_string()
    } else if !text.contains(['"', '$', '`', '\\', '!']) {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_its_store() {
        assert!(command(None, &["info"]).ends_with(" info"));
        assert!(
            command(Some(Path::new("my store")), &["sql", "SELECT 1"])
                .ends_with(" sql --store \"my store\" \"SELECT 1\"")
        );
    }

    #[test]
    fn words_are_quoted_as_needed() {
        assert_eq!(quoted("daybook-demo"), "daybook-demo");
        assert_eq!(quoted("a b's"), "\"a b's\"");
        assert_eq!(quoted("a $b's"), "'a $b'\\''s'");
        assert_eq!(quoted(""), "\"\"");
    }
}
