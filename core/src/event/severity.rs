//! Severity: a producer's word or number as OpenTelemetry's number from 1 to 24, so that levels compare.

/// The lowest severity that counts as an error.
pub const ERROR: i8 = 17;

/// The severity of a level as a producer wrote it.
pub fn of_level(level: &str) -> Option<i8> {
    let level = level.trim();
    if let Ok(number) = level.parse::<i64>() {
        return of_number(number);
    }
    let lowercase = level.to_ascii_lowercase();
    of_word(&lowercase).or_else(|| of_numbered_word(&lowercase))
}

/// The severity of a word in lowercase.
fn of_word(word: &str) -> Option<i8> {
    Some(match word {
        "trace" | "verbose" | "finest" => 1,
        "debug" | "finer" => 5,
        "fine" => 6,
        "config" => 7,
        "info" | "information" | "informational" | "low" => 9,
        "notice" => 10,
        "warning" | "warn" | "medium" => 13,
        "error" | "err" | "high" | "severe" | "failure" => ERROR,
        "critical" | "crit" | "fatal" | "alert" | "emergency" | "emerg" | "panic" => 21,
        _ => return None,
    })
}

/// OpenTelemetry's finer names: `ERROR2` is one above `ERROR`.
fn of_numbered_word(word: &str) -> Option<i8> {
    let (word, step) = word.split_at_checked(word.len().checked_sub(1)?)?;
    let step: i8 = step.parse().ok()?;
    match word {
        "trace" | "debug" | "info" | "warn" | "error" | "fatal" if (2..=4).contains(&step) => {
            Some(of_word(word)? + step - 1)
        }
        _ => None,
    }
}

/// The severity of a number: tens from 10 to 60 are pino's and bunyan's, 0 to 7 syslog's, others
/// OpenTelemetry's own.
fn of_number(number: i64) -> Option<i8> {
    Some(match number {
        0..=2 => 21,
        3 => ERROR,
        4 => 13,
        5 => 10,
        6 => 9,
        7 => 5,
        10 => 1,
        20 => 5,
        30 => 9,
        40 => 13,
        50 => ERROR,
        60 => 21,
        8..=24 => i8::try_from(number).ok()?,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::of_level;

    #[test]
    fn words_and_numbers() {
        let cases = [
            ("trace", Some(1)),
            ("DEBUG", Some(5)),
            ("info", Some(9)),
            ("notice", Some(10)),
            ("low", Some(9)),
            ("warning", Some(13)),
            ("Warn", Some(13)),
            ("medium", Some(13)),
            ("error", Some(17)),
            ("err", Some(17)),
            ("high", Some(17)),
            ("critical", Some(21)),
            ("fatal", Some(21)),
            ("panic", Some(21)),
            ("0", Some(21)),
            ("3", Some(17)),
            ("7", Some(5)),
            ("30", Some(9)),
            ("60", Some(21)),
            ("ERROR2", Some(18)),
            ("FATAL4", Some(24)),
            ("SEVERE", Some(17)),
            ("failure", Some(17)),
            ("CONFIG", Some(7)),
            ("FINE", Some(6)),
            ("FINER", Some(5)),
            ("FINEST", Some(1)),
            ("17", Some(17)),
            ("banana", None),
            ("", None),
            ("-1", None),
            ("info9", None),
            ("é", None),
        ];
        for (level, expected) in cases {
            assert_eq!(of_level(level), expected, "{level}");
        }
    }
}
