//! Numbers as people read them.

/// `12,345`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `12,345 events`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// `12.3 MB`, in powers of 1,000.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if number < 1000 {
        return format!("{number} B");
    }
    let mut value = number as f64 / 1000.0;
    let mut unit = "kB";
    for next in UNITS.into_iter().skip(1) {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if value < 9.95 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

/// `350 ms`, `1.2 s`, `3 min 20 s`.
pub fn seconds(value: f64) -> String {
    if value < 0.9995 {
        format!("{:.0} ms", value * 1000.0)
    } else if value < 60.0 {
        format!("{value:.1} s")
    } else {
        format!("{:.0} min {:.0} s", (value / 60.0).floor(), value % 60.0)
    }
}

/// `12.3 %`.
pub fn share(value: f64) -> String {
    let percent = value * 100.0;
    if percent > 0.0 && percent < 0.1 { "< 0.1 %".to_string() } else { format!("{percent:.1} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(counted(1, "event", "events"), "1 event");
        assert_eq!(counted(0, "event", "events"), "0 events");
        assert_eq!([999, 1000, 12_345_678, 999_999_999].map(bytes), ["999 B", "1.0 kB", "12 MB", "1.0 GB"]);
        assert_eq!(bytes(u64::MAX), "18 EB");
        assert_eq!([0.0004, 0.35, 1.25, 200.4].map(seconds), ["0 ms", "350 ms", "1.2 s", "3 min 20 s"]);
        assert_eq!([0.0, 0.0001, 0.5, 1.0].map(share), ["0.0 %", "< 0.1 %", "50.0 %", "100.0 %"]);
    }
}
