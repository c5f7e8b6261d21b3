//! Words for levels in lines of text.

/// The word of a level without what stands around it, where it is one: bare in capitals, in brackets, or with
/// a colon behind.
pub(super) fn marked(word: &str) -> Option<&str> {
    let bare = word.trim_end_matches([':', ',', '|']);
    let inner = bare
        .strip_prefix('[')
        .and_then(|bare| bare.strip_suffix(']'))
        .or_else(|| bare.strip_prefix('<').and_then(|bare| bare.strip_suffix('>')))
        .or_else(|| bare.strip_prefix('(').and_then(|bare| bare.strip_suffix(')')));
    let level = inner.unwrap_or(bare).trim();
    let is_marked =
        inner.is_some() || word.ends_with(':') || level.bytes().all(|byte| byte.is_ascii_uppercase());
    (is_marked && is_level(level)).then_some(level)
}

/// Whether a word is one for a level, in any case.
pub(super) fn is_level(word: &str) -> bool {
    const LEVELS: [&str; 26] = [
        "trace",
        "debug",
        "info",
        "warn",
        "warning",
        "error",
        "fatal",
        "critical",
        "notice",
        "severe",
        "err",
        "crit",
        "alert",
        "emerg",
        "emergency",
        "panic",
        "verbose",
        "information",
        "fine",
        "finer",
        "finest",
        "config",
        "failure",
        "success",
        "dbg",
        "wrn",
    ];
    (3..=11).contains(&word.len()) && LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word))
}

/// The level of a letter, as Android and glog have them.
pub(super) fn of_letter(letter: u8) -> Option<&'static str> {
    Some(match letter {
        b'V' => "VERBOSE",
        b'D' => "DEBUG",
        b'I' => "INFO",
        b'W' => "WARNING",
        b'E' => "ERROR",
        b'F' => "FATAL",
        b'A' => "ASSERT",
        b'S' => "SILENT",
        _ => return None,
    })
}

/// The level among the first words of a text.
pub(super) fn find(text: &str) -> Option<&str> {
    text.split([' ', '\t'])
        .filter(|word| word.bytes().any(|byte| byte.is_ascii_alphanumeric()))
        .take(3)
        .find_map(marked)
}
